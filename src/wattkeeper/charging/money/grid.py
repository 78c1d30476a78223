"""A site's grid meter: what it counted in a period, from the registers that people or programs read off it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from wattkeeper.charging.money.exact import ZERO, exactly, share


@dataclass(frozen=True, slots=True)
class Register:
    """What a grid meter showed at an instant."""

    at: datetime
    energy_wh: Decimal


@dataclass(frozen=True, slots=True)
class Counted:
    """What a meter counted from one instant to another."""

    since: datetime
    until: datetime
    energy_wh: Decimal
    is_interpolated: bool
    """Whether the register at either end was read before and after it, and taken to rise evenly between."""


def counted(registers: Sequence[Register], since: datetime, until: datetime) -> Counted | None:
    """What a meter counted in a period, as far as its registers reach, which are in the order of time.

    None where fewer than two registers lie around any of it.
    """
    if len(registers) < 2:
        return None
    begin, end = max(since, registers[0].at), min(until, registers[-1].at)
    if begin >= end:
        return None
    read = {register.at for register in registers}
    energy_wh = _register_at(registers, end) - _register_at(registers, begin)
    return Counted(begin, end, energy_wh, not {begin, end} <= read)


def _register_at(registers: Sequence[Register], at: datetime) -> Decimal:
    """The register at an instant between its first and its last reading."""
    for before, after in pairwise(registers):
        if before.at <= at <= after.at:
            with exactly():
                risen_wh = share(after.energy_wh - before.energy_wh, at - before.at, after.at - before.at)
            return before.energy_wh + risen_wh
    return ZERO
