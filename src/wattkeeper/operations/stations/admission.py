"""Who may connect as which station, and the registry of stations: the key is checked before anything else is done."""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.exc import IntegrityError

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.facts import Alarmed
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.station import Version
from wattkeeper.operations.people.security import Case, note
from wattkeeper.operations.people.sign_in.attempts import Attempts, neighbourhood
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.stations.roll import Roll
from wattkeeper.operations.stations.station_key import check_key, make_key, spellings
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.stations import station as stations
from wattkeeper.store.stations.station import Credential, KeptKey, Knock
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.admission")
LONGEST_ID = 48
"""Characters of an identity (OCPP 2.0.1 part 2, SecurityCtrlr.Identity)."""
MOST_TRIES = 2_000
"""How many tries of unknown stations are remembered until they are written down, within about a second."""
FREE_TRIES, LONGEST_WAIT_S = 5, 3600.0
ALARM_AFTER = 20
"""How many wrong keys for one station raise an alarm, once until it has been quiet for LONGEST_WAIT_S."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """An authenticated station."""

    station: str
    version: Version | None = None
    """The dialect of its newest connection."""
    booted: bool = False
    """Whether it ever told us of a boot."""


@dataclass(frozen=True, slots=True)
class Turned:
    """A connection turned away, with the same HTTP status for an unknown identity and for a wrong key."""

    status: int
    alarm: Alarmed | None = None
    """What is to be recorded of it for the station it claimed to be."""
    case: Case = Case.KEY_WRONG
    known: bool = False
    """Whether there is a station of the identity it claimed; never told to whoever asks."""


@dataclass(slots=True)
class _Wrong:
    """Wrong keys for one station: how many, and when the newest came (monotonic seconds)."""

    count: int = 0
    last: float = 0.0


class Admission:
    """Lets stations in, and keeps the list of those that exist."""

    def __init__(
        self, store: Store, safe: Safe, bus: Bus, settings: Settings, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus
        self._settings = settings
        self._ticks = ticks
        self._roll = Roll(store)
        self._attempts = Attempts(FREE_TRIES, LONGEST_WAIT_S, ticks, first_s=60.0)
        self._wrong: dict[str, _Wrong] = {}
        self._renewed: dict[str, tuple[bytes, KeptKey]] = {}
        self._knocks: deque[tuple[str, str, str, datetime]] = deque(maxlen=MOST_TRIES)
        self._removed: Callable[[str], None] = _ignore
        self._nobody = Credential("", secrets.token_bytes(16), secrets.token_bytes(32), None, False)

    # --- the door -------------------------------------------------------------------------------------

    async def enter(
        self, station: str, user: bytes | None, password: bytes | None, address: str, offered: str
    ) -> Welcome | Turned:
        """Decide on a connection. A right key is always let in; a wrong one and an unknown identity look alike."""
        known = await self._roll.find(station if is_identity(station) else "")
        if self._is_right(known or self._nobody, station, user, password) and known is not None:
            self._renew(known, password or b"")
            return Welcome(known.station, known.version, known.booted)
        if known is None:
            self._note_knock(station, address, offered)
        if user is None or password is None:
            return Turned(401, case=Case.KEY_MISSING, known=known is not None)
        return self._turn_away(station, address, known is not None)

    def _is_right(self, credential: Credential, station: str, user: bytes | None, password: bytes | None) -> bool:
        """Whether user and password are the station's: bytes, in any spelling of the key (A00.FR.204)."""
        spelled = spellings(password or b"")
        tried = [one for key in spelled for one in self._safe.station_digests(credential.salt, key)]
        matches = [hmac.compare_digest(credential.key_hash, digest) for digest in tried]
        own = hmac.compare_digest(user or b"", station.encode("utf-8", "replace"))
        return any(matches) and own and user is not None and password is not None

    def _renew(self, known: Credential, password: bytes) -> None:
        """Have a right key kept under the newest pepper, where it is not yet; `write_knocks` does it."""
        if known.key_version == self._safe.station_version:
            return
        for spelled in spellings(password):
            newest, *older = self._safe.station_digests(known.salt, spelled)
            if known.key_hash in older:
                kept = KeptKey(known.salt, newest, self._safe.station_version)
                self._renewed[known.station] = known.key_hash, kept

    def _turn_away(self, station: str, address: str, exists: bool) -> Turned:
        """Count a wrong try, by identity and by address; too many are told so, and the right key still works."""
        places = (f"station {station}", f"address {neighbourhood(address)}")
        limited = any(self._attempts.wait_s(place) for place in places)
        for place in places:
            if not self._attempts.wait_s(place):
                self._attempts.count(place)
        return Turned(429 if limited else 401, self._alarm(station) if exists else None, known=exists)

    def _alarm(self, station: str) -> Alarmed | None:
        """Count a wrong key of a station that exists; the alarm when there have been too many."""
        wrong, now = self._wrong.setdefault(station, _Wrong()), self._ticks()
        if now - wrong.last > LONGEST_WAIT_S:
            wrong.count = 0
        wrong.count, wrong.last = wrong.count + 1, now
        if wrong.count != ALARM_AFTER:
            return None
        summary = phrase("{tries} connections as this station came with a wrong key.", tries=ALARM_AFTER)
        return Alarmed(code="WrongKey", summary=summary)

    def _note_knock(self, station: str, address: str, offered: str) -> None:
        """Remember for the waiting room that an unknown station was here; written by `write_knocks`."""
        if self._settings.waiting_room:
            self._knocks.append((station, address, offered, self._store.clock()))

    async def write_knocks(self) -> None:
        """Write down who knocked since the last time, and keys to be kept anew; the gateway calls this now and then."""
        renewed, self._renewed = self._renewed, {}
        if renewed:
            async with self._store.unit() as unit:
                for station, (was, kept) in renewed.items():
                    await stations.keep_anew(unit, station, was, kept)
        heard = [*self._knocks]
        self._knocks.clear()
        tries = _counted(heard)
        if tries:
            async with self._store.unit() as unit:
                await stations.note_knocks(unit, tries)
            self._bus.announce("knock")

    def on_removal(self, tell: Callable[[str], None]) -> None:
        """Call this with a station's id as soon as it is removed here; for removals elsewhere there is `gone`."""
        self._removed = tell

    async def gone(self, connected: Collection[str]) -> set[str]:
        """Those of these stations that may not be connected any more, because they were removed."""
        async with self._store.read() as connection:
            return set(connected) - await stations.known(connection, connected)

    # --- the registry ---------------------------------------------------------------------------------

    async def provision(
        self,
        station: str,
        by: str,
        *,
        label: str = "",
        site: str = "",
        key: str | None = None,
        max_power_w: Decimal | None = None,
    ) -> str:
        """Admit a station and give its key, which is shown this once; Refusal INVALID, or CONFLICT if it exists."""
        if not is_identity(station):
            raise Refusal(
                Code.INVALID,
                phrase("An identity has 1 to {most} printable characters and no blank ends.", most=LONGEST_ID),
            )
        if max_power_w is not None and max_power_w <= 0:
            raise Refusal(Code.INVALID, phrase("The most power must be above zero."))
        try:
            async with self._store.unit() as unit:
                key, kept = await self._seal_key(unit, station, key)
                await stations.admit(unit, station, kept, by, label, site, max_power_w)
        except IntegrityError:
            raise Refusal(
                Code.CONFLICT, phrase("There is a station {station} already; rekey it instead.", station=repr(station))
            ) from None
        self._changed(station, "admitted", by)
        return key

    async def describe(
        self, station: str, by: str, changes: Mapping[str, object], site_since: datetime | None = None
    ) -> None:
        """Change what people say of a station: label, site, max_power_w (W), address, latitude … Refusal NOT_FOUND.

        ``site_since``: since when it stands at the site that is told, or at its present one; None: from now on. What
        happened there from then on is that site's, what happened before stays where it was. Refusal INVALID where it
        lies ahead.
        """
        async with self._store.unit() as unit:
            if site_since is not None and site_since > unit.now:
                raise Refusal(Code.INVALID, phrase("That lies ahead: change the site once the station has moved."))
            if not await stations.describe(unit, station, changes, site_since, by):
                raise Refusal(Code.NOT_FOUND, phrase("There is no station {station}.", station=repr(station)))
        self._changed(station, "described anew", by)

    async def rekey(self, station: str, by: str, key: str | None = None) -> str:
        """Give a station another key, shown this once; the old one is dead at once. Refusal NOT_FOUND or INVALID."""
        async with self._store.unit() as unit:
            key, kept = await self._seal_key(unit, station, key)
            if not await stations.change_key(unit, station, kept, by):
                raise Refusal(Code.NOT_FOUND, phrase("There is no station {station}.", station=repr(station)))
        self._changed(station, "given another key", by)
        return key

    async def remove(self, station: str, by: str) -> None:
        """Forget a station: it is disconnected and may not come back. What it told stays. Refusal NOT_FOUND."""
        async with self._store.unit() as unit:
            if not await stations.remove(unit, station, by):
                raise Refusal(Code.NOT_FOUND, phrase("There is no station {station}.", station=repr(station)))
        self._changed(station, "removed", by)
        self._removed(station)

    async def dismiss(self, station: str, by: str) -> None:
        """Turn away a station that waits to be admitted. Refusal NOT_FOUND."""
        await self.write_knocks()
        async with self._store.unit() as unit:
            if not await stations.dismiss(unit, station):
                raise Refusal(
                    Code.NOT_FOUND, phrase("No station {station} waits to be admitted.", station=repr(station))
                )
        log.info("station %r was turned away by %r", station, by)
        self._bus.announce("knock")

    async def _seal_key(self, unit: Unit, station: str, key: str | None) -> tuple[str, KeptKey]:
        """A key, and how it is kept; Refusal (INVALID) where a given key is weak or another station's."""
        if key is None:
            key = make_key()
        else:
            kept = await stations.keys(unit)
            try:
                check_key(station, key)
                if any(self._fits(key, salt, digest) for name, salt, digest in kept if name != station):
                    raise Refusal(Code.INVALID, phrase("Another station has this key already; each needs its own."))
            except Refusal:
                note(Case.KEY_WEAK, station if any(name == station for name, _, _ in kept) else "")
                raise
        salt = secrets.token_bytes(16)
        digest = self._safe.station_digest(salt, key.encode())
        return key, KeptKey(salt, digest, self._safe.station_version)

    def _fits(self, key: str, salt: bytes, digest: bytes) -> bool:
        """Whether a key is, in any spelling, the one that is kept like this."""
        return any(digest in self._safe.station_digests(salt, one) for one in spellings(key.encode()))

    def _changed(self, station: str, what: str, by: str) -> None:
        """Tell whoever shows or holds stations."""
        log.info("station %r was %s by %r", station, what, by)
        self._wrong.pop(station, None)
        self._bus.announce("stations", station)
        self._bus.announce("knock")


def is_identity(station: str) -> bool:
    """Whether a text can be a station's identity."""
    return 0 < len(station) <= LONGEST_ID and station.isprintable() and station == station.strip()


def _counted(heard: Sequence[tuple[str, str, str, datetime]]) -> list[Knock]:
    """The newest tries by station, no more than the waiting room holds; what can be no station's is left out."""
    counted: dict[str, Knock] = {}
    for station, address, offered, at in heard:
        before = counted.pop(station, None)
        first, tries = (before.first_at, before.tries) if before else (at, 0)
        if is_identity(station):
            said = "".join(c for c in offered if c.isprintable())[:100]
            counted[station] = Knock(station, address, said, tries + 1, first, at)
    return [*counted.values()][-stations.MOST_KNOCKS :]


def _ignore(station: str) -> None:
    """Nobody holds connections here."""
