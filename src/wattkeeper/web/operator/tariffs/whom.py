"""For whom and where tariffs hold, as pages name it: drivers by the cards they hold, never by who they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.tariffs.assignment import Assignment, Rank
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Phrase, Said, joined, phrase
from wattkeeper.store.cards import card as cards
from wattkeeper.store.cards import group as groups
from wattkeeper.store.cards.card import CardRow
from wattkeeper.store.money.tariffs import subject
from wattkeeper.store.stations import station as stations
from wattkeeper.web.operator.tariffs.reading import Read
from wattkeeper.web.operator.tariffs.typed import Typed
from wattkeeper.web.rooms import Rooms

MOST = 500
"""So many names are offered to choose from; others can be typed."""
RANKS: Mapping[Rank, Phrase] = {
    Rank.DRIVER: phrase("A driver"),
    Rank.GROUP: phrase("A group of cards"),
    Rank.CONNECTOR: phrase("A connector"),
    Rank.STATION: phrase("A station"),
    Rank.SITE: phrase("A site"),
    Rank.EVERYONE: phrase("Everyone"),
    Rank.STANDARD: phrase("Nothing assigned"),
}
EVERYONE = phrase("everyone")
A_DRIVER = phrase("a driver")
CARDS = phrase("the driver with {cards}")
NO_CARD = phrase("There is no card with this number.")


@dataclass(frozen=True, slots=True)
class Known:
    """What a tariff can be assigned to, as far as names are offered."""

    sites: list[str]
    stations: list[str]
    connectors: list[str]
    groups: list[str]


async def known(rooms: Rooms, viewer: Viewer) -> Known:
    """The names of sites, stations, connectors and groups."""
    async with rooms.store.read() as connection:
        rows = await stations.find(connection, viewer, MOST) if viewer.may(Scope.STATIONS_READ) else []
        names = [row.id for row in rows]
        parts = await stations.connectors_of(connection, viewer, names) if names else []
        some = await groups.find(connection, viewer, MOST) if viewer.may(Scope.CARDS_READ) else []
    connectors = sorted({f"{one.station}/{one.evse}" for one in parts if one.evse})[:MOST]
    return Known(sorted({row.site for row in rows if row.site}), names, connectors, [row.group.name for row in some])


async def subjects(rooms: Rooms, viewer: Viewer, some: Iterable[Assignment]) -> dict[tuple[Rank, str], Said]:
    """How these assignments' subjects are called; drivers by what is left of their cards' numbers."""
    keys = {(one.rank, one.subject) for one in some}
    drivers = [of for rank, of in keys if rank is Rank.DRIVER]
    held: dict[str, list[str]] = {}
    if drivers and viewer.may(Scope.CARDS_READ):
        async with rooms.store.read() as connection:
            held = await subject.cards_of(connection, viewer, drivers)
    return {(rank, of): _called(rank, of, held.get(of, [])) for rank, of in keys}


def _called(rank: Rank, of: str, held: list[str]) -> Said:
    """How one subject is called."""
    if rank is Rank.DRIVER:
        masked = [one for one in (masked_of(last2) for last2 in held) if one]
        return CARDS.filled(cards=", ".join(masked[:5])) if masked else A_DRIVER
    return EVERYONE if rank is Rank.EVERYONE else joined((of,))


def masked_of(last2: str) -> str:
    """What is left of a card's number."""
    return f"••{last2}" if last2 else ""


async def card_of(rooms: Rooms, viewer: Viewer, number: str) -> CardRow:
    """The card of a number that was typed; Refusal NOT_FOUND."""
    viewer.need(Scope.CARDS_READ)
    async with rooms.store.read() as connection:
        row = await cards.one(connection, viewer, rooms.safe.ref(number)) if number.isprintable() and number else None
    if row is None:
        raise Refusal(Code.NOT_FOUND, NO_CARD)
    return row


def instant(day: str, clock: str, zone: tzinfo) -> tuple[datetime | None, dict[str, Said]]:
    """An instant that was typed by the place's clock, None where none was; and what is wrong with it, by field."""
    found = Read(Typed({}))
    at, when = found.day("day", day), found.clock("time", clock)
    if clock and not day and not found.faults:
        found.fault("day", phrase("Choose the day too."))
    if at is None or found.faults:
        return None, found.faults
    return _local(at, when, zone), {}


def _local(day: date, at: time | None, zone: tzinfo) -> datetime:
    return datetime.combine(day, at or time(), zone)
