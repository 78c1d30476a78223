"""The registry of meters' keys: pinned by people at commissioning, with the paper that came with the meter in hand."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.metering.checking import fingerprint
from wattkeeper.store.engines import Store
from wattkeeper.store.metering import check, key
from wattkeeper.store.metering.key import KeyRow, OfferedRow, RuleRow
from wattkeeper.store.stations import station as stations
from wattkeeper.store.unit import Unit
from wattkeeper.vault.signature import KeyUnreadable, PublicKey, read_key

log = logging.getLogger("wattkeeper.meters")
LONGEST_SERIAL = 64
MOST_EVSES = 255


class Meters:
    """Pins keys of meters, and rules where values must be signed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keys(self, viewer: Viewer, station: str) -> list[KeyRow]:
        """Every key that was ever pinned at a station (scope stations:read)."""
        async with self._store.read() as connection:
            return await key.at_station(connection, viewer, station)

    async def rules(self, viewer: Viewer, station: str) -> list[RuleRow]:
        """What was ruled at a station, the newest first (scope stations:read)."""
        async with self._store.read() as connection:
            return await key.rules(connection, viewer, station)

    async def offered(self, viewer: Viewer, station: str) -> list[OfferedRow]:
        """The keys that came with a station's values, to be compared (scope stations:read)."""
        async with self._store.read() as connection:
            return await key.offered(connection, viewer, station)

    async def pin(
        self, viewer: Viewer, station: str, evse: int, serial: str, text: str, since: datetime | None = None
    ) -> KeyRow:
        """Pin the key of the meter at an EVSE for what began from an instant on, or from now; ends the one before.

        Scope stations:write. Refusal NOT_FOUND: no such station; INVALID: what is no key, serial, EVSE or instant.
        """
        viewer.need(Scope.STATIONS_WRITE)
        public, serial = _read(text), serial.strip()
        if not 0 < len(serial) <= LONGEST_SERIAL or not serial.isprintable():
            raise Refusal(Code.INVALID, phrase("The serial number of the meter is missing, or too long."))
        if not 0 < evse <= MOST_EVSES:
            raise Refusal(Code.INVALID, phrase("EVSEs are numbered from 1 to 255."))
        async with self._store.unit() as unit:
            await _need(unit.connection, viewer, station)
            begins = since or unit.now
            await _end_before(unit, station, evse, begins, viewer.name)
            told = (public.hex, public.curve, fingerprint(public.der))
            made = await key.pin(unit, station, evse, serial, told, begins, viewer.name)
            await check.add_at(unit, station, evse, begins)
        log.info("%s pinned the key %s at %s/%s", viewer.name, made.mark, station, evse)
        return made

    async def end(self, viewer: Viewer, station: str, identifier: str) -> None:
        """End a key from now on: no other takes its place. Scope stations:write; Refusal NOT_FOUND, CONFLICT."""
        viewer.need(Scope.STATIONS_WRITE)
        async with self._store.unit() as unit:
            await _need(unit.connection, viewer, station)
            found = [one for one in await key.at_station(unit.connection, viewer, station) if one.id == identifier]
            if not found:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such key of a meter."))
            if found[0].until is not None:
                raise Refusal(Code.CONFLICT, phrase("This key of a meter has ended already."))
            await key.end(unit, identifier, unit.now, viewer.name)
        log.info("%s ended the key %s at %s", viewer.name, found[0].mark, station)

    async def require(self, viewer: Viewer, station: str, evse: int, required: bool) -> None:
        """Rule whether values must be signed at an EVSE (0: at the whole station) for what begins from now on.

        Scope stations:write. Refusal NOT_FOUND, INVALID.
        """
        viewer.need(Scope.STATIONS_WRITE)
        if not 0 <= evse <= MOST_EVSES:
            raise Refusal(Code.INVALID, phrase("EVSEs are numbered from 1 to 255."))
        async with self._store.unit() as unit:
            await _need(unit.connection, viewer, station)
            await key.rule(unit, station, evse, required, viewer.name)
        log.info("%s ruled that values of %s/%s need signatures: %s", viewer.name, station, evse, required)


def _read(text: str) -> PublicKey:
    """The key that somebody typed; Refusal INVALID."""
    try:
        return read_key(text)
    except KeyUnreadable:
        why = phrase("This is no public key of a meter. It is printed in hexadecimal or base64; was a part left out?")
        raise Refusal(Code.INVALID, why) from None


async def _need(connection: AsyncConnection, viewer: Viewer, station: str) -> None:
    """Refuse a station that is not there, or not the viewer's."""
    if await stations.seen(connection, viewer, station) is None:
        raise Refusal(Code.NOT_FOUND, phrase("There is no such station."))


async def _end_before(unit: Unit, station: str, evse: int, begins: datetime, by: str) -> None:
    """End the key that holds, when the next one begins; Refusal INVALID where that would change the past's order."""
    if begins > unit.now:
        raise Refusal(Code.INVALID, phrase("A key is pinned when its meter is there: from now on, or from earlier."))
    before = await key.newest(unit, station, evse)
    if before is None:
        return
    if begins <= before.since or (before.until is not None and begins < before.until):
        raise Refusal(Code.INVALID, phrase("Another key was pinned here for that time; begin after it."))
    if before.until is None:
        await key.end(unit, before.id, begins, by)
