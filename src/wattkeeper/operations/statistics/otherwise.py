"""What a driver's sessions of a month would have cost had they begun at other hours, by the tariffs that hold now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.tariffs.assignment import Spot
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.privacy.rights import Use as Purpose
from wattkeeper.charging.statistics.elsewhen import Charged, Elsewhen, elsewhen
from wattkeeper.charging.statistics.used import Currency, begins, later
from wattkeeper.operations.money.tariffs.choosing import choose
from wattkeeper.operations.privacy.restriction import is_excluded
from wattkeeper.operations.statistics.consumption import need_own
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.money import bill
from wattkeeper.store.money.content import decode
from wattkeeper.store.statistics import own

MOST = 60
"""How many sessions are worked out at most, the newest: each is priced for every hour of a day."""
Key = tuple[tuple[str, str, int], ...]
"""Documents, each with the tariff and its version: none of them ever changes."""
MOST_KNOWN = 512


@dataclass(frozen=True, slots=True)
class Otherwise:
    """A month's billed sessions at other hours, by currency."""

    by_currency: dict[Currency, Elsewhen]
    left_out: int
    """How many earlier sessions of the month are not in it."""


class OtherTimes:
    """Works it out."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._zone = settings.zone
        self._known: dict[Key, dict[Currency, Elsewhen]] = {}
        self._turn = asyncio.Lock()
        """One month at a time, and none twice, however many ask."""

    async def of(self, viewer: Viewer, month: date) -> Otherwise | None:
        """The billed sessions of one's own month (scopes sessions:read and bills:read, one's own).

        None where their person objects to comparing. Refusal FORBIDDEN.
        """
        person = need_own(viewer)
        since, until = (begins(one, self._zone).astimezone(UTC) for one in (month, later(month, 1)))
        async with self._store.read() as connection:
            if await is_excluded(connection, person, Purpose.PROFILING):
                return None
            newest = {one.session: one for one in await own.issued(connection, person, since, until)}
            order = sorted(newest.values(), key=lambda one: (one.began_at, one.session), reverse=True)
            key, charged = await self._charged(connection, [one.number for one in order[:MOST]])
        async with self._turn:
            if key not in self._known:
                found = await asyncio.to_thread(elsewhen, charged, self._zone)
                if len(self._known) >= MOST_KNOWN:
                    self._known.clear()
                self._known[key] = found
            return Otherwise(self._known[key], max(0, len(order) - MOST))

    async def _charged(self, connection: AsyncConnection, numbers: Sequence[str]) -> tuple[Key, list[Charged]]:
        """What documents bill, each with the tariff that would hold for it now."""
        rows, texts = await bill.named(connection, numbers), await bill.contents(connection, numbers)
        whys = await asyncio.to_thread(lambda: [decode(texts[row.number]) for row in rows])
        spots = [
            Spot(person=row.person, group=row.group, station=row.station, evse=why.evse, site=row.site)
            for row, why in zip(rows, whys, strict=True)
        ]
        choices = await choose(connection, spots, self._store.clock())
        told = [(why, one.row) for why, one in zip(whys, choices, strict=True) if one.row is not None]
        numbered = zip(rows, choices, strict=True)
        key = tuple((row.number, one.row.id, one.row.version) for row, one in numbered if one.row is not None)
        return key, [Charged(why.usage, row.tariff) for why, row in told]
