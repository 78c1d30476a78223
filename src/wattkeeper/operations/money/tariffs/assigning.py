"""Which tariff holds for whom and where: assigned by people, and asked before anybody charges."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.tariffs.assignment import ASSIGNABLE, Assignment, Rank
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.operations.money.tariffs.choosing import Choice, choose
from wattkeeper.operations.money.tariffs.prices import PAST
from wattkeeper.store.engines import Store
from wattkeeper.store.money.tariffs import assignment, subject
from wattkeeper.store.money.tariffs import tariff as tariffs
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.tariffs")

UNKNOWN: dict[Rank, Phrase] = {
    Rank.DRIVER: phrase("There is no such driver."),
    Rank.GROUP: phrase("There is no such group."),
    Rank.CONNECTOR: phrase("There is no such connector. One is named by its station and number, such as CP1/2."),
    Rank.STATION: phrase("There is no such station."),
    Rank.SITE: phrase("No station stands at a site of this name."),
    Rank.EVERYONE: phrase("A tariff for everyone is for nobody in particular: leave the subject empty."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who would start where, and when: by an enrolled card, or as a person, or as anybody."""

    station: str
    evse: int | None = None
    card: str | None = None
    """The pseudonym of a card: its holder and its group count."""
    person: str | None = None
    group: str | None = None
    """Or any card of this group."""
    at: datetime | None = None
    """None: now."""


class Assignments:
    """Assigns tariffs, and says which one holds."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, viewer: Viewer, tariff: str | None = None) -> list[Assignment]:
        """Every assignment, or those of one tariff, the newest first (scope tariffs:read)."""
        async with self._store.read() as connection:
            return await assignment.find(connection, viewer, tariff)

    async def assign(
        self, viewer: Viewer, rank: Rank, of: str, tariff: str | None, valid_from: datetime | None = None
    ) -> Assignment:
        """Let a tariff (None: none any more) hold for what starts from an instant on, or from now.

        Scope tariffs:write. Refusal INVALID: no such tariff or subject, or an instant that has passed.
        """
        viewer.need(Scope.TARIFFS_WRITE)
        if rank not in ASSIGNABLE:
            raise Refusal(Code.INVALID, phrase("The standard tariff holds by itself, where nothing else is assigned."))
        async with self._store.unit() as unit:
            since = valid_from or unit.now
            if since < unit.now:
                raise Refusal(Code.INVALID, PAST)
            if tariff is not None:
                await _need_tariff(unit, tariff, since)
            if not await subject.exists(unit, rank, of):
                raise Refusal(Code.INVALID, UNKNOWN[rank])
            made = await assignment.keep(unit, rank, of, tariff, since, viewer.name)
        log.info("%s assigned %s to %s %s", viewer.name, tariff or "no tariff", rank.value, made.n)
        return made

    async def which(self, viewer: Viewer, asked: Asked) -> Choice:
        """Which tariff somebody would get at a connector at an instant, and why (scope tariffs:read).

        Refusal NOT_FOUND: no such station or card.
        """
        viewer.need(Scope.TARIFFS_READ)
        async with self._store.read() as connection:
            spot = await subject.spot(connection, asked.station, asked.evse, asked.card, asked.person, asked.group)
            if spot is None:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such station or card."))
            return (await choose(connection, [spot], asked.at or self._store.clock()))[0]


async def _need_tariff(unit: Unit, tariff: str, since: datetime) -> None:
    """Refuse a tariff that has no prices then."""
    if tariffs.valid_at(await tariffs.every(unit.connection), since, tariff) is None:
        why = phrase("There is no tariff of this name whose prices hold by then.")
        raise Refusal(Code.INVALID, why, field="tariff")
