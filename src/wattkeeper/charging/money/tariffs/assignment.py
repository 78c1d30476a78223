"""Which of several tariffs holds: each may be assigned to a driver, a group, a connector, a station, a site, all.

The nearest to the driver decides: driver, group, connector, station, site, everyone; where nothing is assigned, the
standard tariff. An assignment is never changed: a later one takes its place from an instant on, and one that names no
tariff ends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wattkeeper.charging.phrase import Phrase, phrase

STANDARD = "standard"
"""The tariff that holds where nothing else is assigned."""


class Rank(StrEnum):
    """For whom a tariff is assigned, the nearest to the driver first: the earlier decides."""

    DRIVER = "driver"
    GROUP = "group"
    CONNECTOR = "connector"
    STATION = "station"
    SITE = "site"
    EVERYONE = "everyone"
    STANDARD = "standard"
    """Nothing is assigned: the tariff of that name holds."""


ASSIGNABLE = tuple(rank for rank in Rank if rank is not Rank.STANDARD)
WHY: Mapping[Rank, Phrase] = {
    Rank.DRIVER: phrase("It is assigned to this driver."),
    Rank.GROUP: phrase("It is assigned to the group {subject} that the card belongs to."),
    Rank.CONNECTOR: phrase("It is assigned to the connector {subject}."),
    Rank.STATION: phrase("It is assigned to the station {subject}."),
    Rank.SITE: phrase("It is assigned to the site {subject}."),
    Rank.EVERYONE: phrase("It is assigned to everyone."),
    Rank.STANDARD: phrase("Nothing else is assigned, so the standard tariff holds."),
}


@dataclass(frozen=True, slots=True)
class Assignment:
    """That a tariff holds for somebody or somewhere, for what starts from an instant on."""

    n: int
    """In the order in which they were made."""
    rank: Rank
    subject: str
    """Which person, group, connector (``CP1/2``), station or site; empty for everyone."""
    tariff: str | None
    """None: nothing is assigned any more."""
    valid_from: datetime
    created_at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Who starts where; empty where it is not known."""

    person: str = ""
    group: str = ""
    station: str = ""
    evse: int | None = None
    site: str = ""

    @property
    def subjects(self) -> dict[Rank, str]:
        """What an assignment of each rank would have to be of."""
        connector = "" if self.evse is None else connector_of(self.station, self.evse)
        named = (self.person, self.group, connector, self.station, self.site)
        known = [(rank, subject) for rank, subject in zip(ASSIGNABLE, named, strict=False) if subject]
        return dict([*known, (Rank.EVERYONE, "")])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tariff that could hold, and why."""

    rank: Rank
    subject: str
    tariff: str

    @property
    def why(self) -> Phrase:
        """In words."""
        return why(self.rank, self.subject)


def connector_of(station: str, evse: int) -> str:
    """What an assignment to one connector is of; no station's id has a slash."""
    return f"{station}/{evse}"


def why(rank: Rank, subject: str) -> Phrase:
    """Why a tariff holds, in words."""
    return WHY[rank].filled(subject=subject) if "{" in WHY[rank].pattern else WHY[rank]


def standing(assignments: Iterable[Assignment], at: datetime) -> dict[tuple[Rank, str], Assignment]:
    """Of the assignments to each thing, the one that counts at an instant: valid latest by then, of equals the newest.

    One that names no tariff says that nothing is assigned any more.
    """
    newest: dict[tuple[Rank, str], Assignment] = {}
    for one in assignments:
        known = newest.get((one.rank, one.subject))
        if one.valid_from <= at and (known is None or (known.valid_from, known.n) < (one.valid_from, one.n)):
            newest[one.rank, one.subject] = one
    return newest


def candidates(assignments: Iterable[Assignment], spot: Spot, at: datetime) -> list[Candidate]:
    """The tariffs that could hold for what starts at a spot at an instant, the one that decides first."""
    newest = standing(assignments, at)
    found = [newest.get(key) for key in spot.subjects.items()]
    named = [Candidate(one.rank, one.subject, one.tariff) for one in found if one is not None and one.tariff]
    return [*named, Candidate(Rank.STANDARD, "", STANDARD)]
