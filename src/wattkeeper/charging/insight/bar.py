"""The bar: what is measured of a release before it leaves, and what each may be at most. One list for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from wattkeeper.charging.phrase import Phrase, phrase


class Measured(StrEnum):
    """What is measured; these names stay as they are, for files hold them."""

    SINGLED_4 = "singled-out-4"
    SINGLED_8 = "singled-out-8"
    LINKED = "linked-again"
    MEMBER = "membership"
    ERROR = "error"


MOST: Mapping[Measured, Decimal] = {
    Measured.SINGLED_4: Decimal("0.05"),
    Measured.SINGLED_8: Decimal("0.10"),
    Measured.LINKED: Decimal("0.05"),
    Measured.MEMBER: Decimal("0.10"),
    Measured.ERROR: Decimal("0.10"),
}
"""At most so much, each as a share of one."""

WORDS: Mapping[Measured, Phrase] = {
    Measured.SINGLED_4: phrase("Singled out by 4 known points (place and hour)"),
    Measured.SINGLED_8: phrase("Singled out by 8 known points (place and hour)"),
    Measured.LINKED: phrase("Linked again after a change of pseudonym, at the first guess"),
    Measured.MEMBER: phrase("Advantage in telling whether somebody is in it"),
    Measured.ERROR: phrase("Mean error of the cells that are shown"),
}
"""The same words on the page, in the files and in the report."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure, a share of one."""

    what: Measured
    value: Decimal
    within: Decimal = Decimal(0)
    """How sure it is, where it was drawn: the truth lies no further off in 19 of 20 cases."""

    @property
    def is_met(self) -> bool:
        """Whether it is at most what it may be."""
        return self.value <= MOST[self.what]


def is_met(figures: list[Figure]) -> bool:
    """Whether a release with these figures may leave: each is there, and at most what it may be."""
    return {one.what for one in figures} == set(Measured) and all(one.is_met for one in figures)
