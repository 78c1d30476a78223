"""Places to charge, as drivers find them: near, by words, or by the code on the connector. Never who charges there."""

from __future__ import annotations

import base64
import hmac
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.tariffs.assignment import Spot
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import joined, phrase
from wattkeeper.charging.station import ConnectorStatus
from wattkeeper.operations.money.tariffs.prices import Prices, PriceTag
from wattkeeper.operations.people.sign_in.attempts import Attempts, neighbourhood
from wattkeeper.operations.safe import Safe
from wattkeeper.store.engines import Store
from wattkeeper.store.money import billable
from wattkeeper.store.stations import place as places
from wattkeeper.store.stations.place import PlaceRow

S = ConnectorStatus


class Use(StrEnum):
    """How an EVSE stands, coarsely: nobody learns who or since when (attacks.md G11)."""

    FREE = "free"
    IN_USE = "in_use"
    OUT_OF_ORDER = "out_of_order"


@dataclass(frozen=True, slots=True)
class Outlet:
    """An EVSE as drivers see it."""

    station: str
    evse: int
    code: str
    """What its QR code says: ``/app/at/{code}``."""
    plug: str | None
    """OCPI ConnectorType, such as ``IEC_62196_T2``."""
    plug_words: str
    """Such as ``Type 2``; empty where unknown."""
    max_power_w: Decimal | None
    use: Use
    words: str
    """How it stands, in words."""
    can_start: bool
    """Whether asking it to start makes sense: it may be in use only because the driver's own cable is in."""
    price: PriceTag
    """What it costs there, whoever asks."""


@dataclass(frozen=True, slots=True)
class Place:
    """A station as drivers see it."""

    station: str
    name: str
    """Its name for people; its id where it has none."""
    address: str
    latitude: Decimal | None
    longitude: Decimal | None
    distance_m: int | None
    """From where the driver stands, as the crow flies; None where that is unknown."""
    outlets: Sequence[Outlet]
    price: PriceTag
    """What it costs at the station, whoever asks; a connector may have a price of its own."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A code to be printed for an EVSE."""

    evse: int
    code: str
    path: str
    """``/app/at/{code}``: what the QR code leads to, on our address."""
    plug_words: str


PLUGS = {
    "CHADEMO": "CHAdeMO",
    "DOMESTIC_F": phrase("Household socket"),
    "DOMESTIC_E": phrase("Household socket"),
    "DOMESTIC_G": phrase("Household socket"),
    "DOMESTIC_J": phrase("Household socket"),
    "GBT_AC": "GB/T AC",
    "GBT_DC": "GB/T DC",
    "IEC_60309_2_single_16": phrase("Blue camping socket"),
    "IEC_60309_2_three_16": phrase("Red three-phase socket 16 A"),
    "IEC_60309_2_three_32": phrase("Red three-phase socket 32 A"),
    "IEC_62196_T1": phrase("Type 1"),
    "IEC_62196_T1_COMBO": "CCS 1",
    "IEC_62196_T2": phrase("Type 2"),
    "IEC_62196_T2_COMBO": "CCS",
    "IEC_62196_T3A": phrase("Type 3A"),
    "IEC_62196_T3C": phrase("Type 3C"),
    "MCS": "MCS",
    "NEMA_14_50": "NEMA 14-50",
    "SAE_J3400": "NACS",
    "TESLA_S": "Tesla",
}
"""Plugs in words (OCPI ConnectorType)."""
NO_SUCH = phrase("There is no such connector. Is every character of the code right?")
CODE = re.compile(r"[A-Z2-7]{24}")
TAG_BYTES = 9
LAST_EVSE = 255
"""A code has one byte for the EVSE; no station has so many."""
EARTH_M = 6_371_000
BUSY = frozenset({S.OCCUPIED, S.PREPARING, S.CHARGING, S.SUSPENDED_EV, S.SUSPENDED_EVSE, S.FINISHING, S.RESERVED})
BROKEN = frozenset({S.FAULTED, S.UNAVAILABLE})
"""Words of connectors that nobody can charge at."""


class Places:
    """Finds places, and makes and reads the codes on connectors."""

    def __init__(self, store: Store, safe: Safe, bus: Bus, prices: Prices) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus
        self._prices = prices
        self._by_viewer = Attempts(free=20, longest_s=900)
        self._by_address = Attempts(free=200, longest_s=900)

    async def near(self, viewer: Viewer, latitude: Decimal, longitude: Decimal, limit: int = 20) -> list[Place]:
        """Listed places, the nearest first. For drivers, and for staff who may see stations."""
        _need_looking(viewer)
        here = (float(latitude), float(longitude))
        async with self._store.read() as connection:
            away = [(distance_m(here, (float(n), float(e))), name) for name, n, e in await places.located(connection)]
            far = {name: metres for metres, name in sorted(away)[:limit]}
            rows = await places.listed(connection, far)
        return await self._told(viewer, sorted(rows, key=lambda row: (far[row.id], row.id)), far)

    async def find(self, viewer: Viewer, words: str = "", limit: int = 20) -> list[Place]:
        """Listed places whose name, address or id has each of these words, by name."""
        _need_looking(viewer)
        async with self._store.read() as connection:
            rows = await places.found(connection, words, limit)
        return await self._told(viewer, rows)

    async def place(self, viewer: Viewer, station: str) -> Place:
        """One listed place; Refusal NOT_FOUND, for one that is not listed too."""
        _need_looking(viewer)
        async with self._store.read() as connection:
            rows = await places.listed(connection, [station])
        if not rows:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such place."))
        return (await self._told(viewer, rows))[0]

    async def at(self, viewer: Viewer, code: str, address: str = "") -> tuple[Place, Outlet]:
        """The place and the EVSE with this code on it, listed or not.

        Refusal NOT_FOUND, always alike, for any other; BUSY where the viewer or their address guessed too often.
        """
        _need_looking(viewer)
        self._need_patience(viewer, address)
        row, evse = await self._decoded(code)
        if row is None or evse not in row.evses:
            self._by_viewer.count(viewer.name)
            self._by_address.count(neighbourhood(address))
            raise Refusal(Code.NOT_FOUND, NO_SUCH)
        place = (await self._told(viewer, [row]))[0]
        return place, _outlet(place, evse)

    async def outlet(
        self, viewer: Viewer, code: str | None, station: str | None, evse: int | None, address: str = ""
    ) -> tuple[Place, Outlet]:
        """As `at`, or else a listed station's EVSE by its number; Refusal NOT_FOUND, INVALID where neither is told."""
        if code is not None and (station, evse) == (None, None):
            return await self.at(viewer, code, address)
        if station is None or evse is None or code is not None:
            raise Refusal(
                Code.INVALID, phrase("Name either the `code` on the connector, or a `station` and its `evse`.")
            )
        place = await self.place(viewer, station)
        return place, _outlet(place, evse)

    async def printed(self, viewer: Viewer, station: str) -> tuple[str, list[Printed]]:
        """A station's name and the codes of its EVSEs, to be printed (scope stations:read); Refusal NOT_FOUND."""
        async with self._store.read() as connection:
            row = await places.for_staff(connection, viewer, station)
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such station."))
        codes = [(evse, self._code(row, evse)) for evse in row.evses if evse <= LAST_EVSE]
        told = [Printed(evse, code, f"/app/at/{code}", plug_words(row.plugs.get(evse))) for evse, code in codes]
        return row.label or row.id, told

    async def renew(self, viewer: Viewer, station: str) -> None:
        """Give a station other codes: the printed ones end at once (scope stations:write). Refusal NOT_FOUND."""
        viewer.need(Scope.STATIONS_WRITE)
        async with self._store.unit() as unit:
            if not await places.remark(unit, station):
                raise Refusal(Code.NOT_FOUND, phrase("There is no such station."))
        self._bus.announce("stations", station)

    async def mark_all(self) -> None:
        """Give codes to stations that have none yet: those of the first release."""
        async with self._store.unit() as unit:
            await places.mark_all(unit)

    # --- codes ----------------------------------------------------------------------------------------

    def _code(self, row: PlaceRow, evse: int) -> str:
        """What is printed on a connector: what codes call its station, its EVSE, and our tag over both."""
        if row.mark is None or not 0 < evse <= LAST_EVSE:
            return ""
        head = base64.b32decode(row.mark) + bytes([evse])
        return base64.b32encode(head + self._tags(head, row.id)[0]).decode()

    def _tags(self, head: bytes, station: str) -> list[bytes]:
        """What only we can make for a connector: the newest first, then those on codes printed before."""
        return self._safe.tags("connector code", head + station.encode(), TAG_BYTES)

    async def _decoded(self, code: str) -> tuple[PlaceRow | None, int]:
        """The station and EVSE of a code; None where we never made it, or made others since."""
        typed = code.strip().upper()
        raw = base64.b32decode(typed if CODE.fullmatch(typed) else "A" * 24)
        head, tag = raw[:-TAG_BYTES], raw[-TAG_BYTES:]
        async with self._store.read() as connection:
            row = await places.marked(connection, base64.b32encode(head[:-1]).decode())
        ours = [hmac.compare_digest(tag, one) for one in self._tags(head, row.id if row else "")]
        return (row if any(ours) else None), head[-1]

    def _need_patience(self, viewer: Viewer, address: str) -> None:
        """Refusal BUSY where there were too many wrong codes."""
        waits = (self._by_viewer.wait_s(viewer.name), self._by_address.wait_s(neighbourhood(address)))
        if max(waits) > 0:
            again = phrase("Try again in {seconds} s.", seconds=round(max(waits)))
            why = joined((phrase("Too many codes that do not exist."), again))
            raise Refusal(Code.BUSY, why, retry_s=max(waits))

    # --- as told --------------------------------------------------------------------------------------

    async def _told(self, viewer: Viewer, rows: Sequence[PlaceRow], far: dict[str, int] | None = None) -> list[Place]:
        """Places as whoever asks sees them, with the prices that they would get there."""
        keys = [(row, evse) for row in rows for evse in (None, *row.evses)]
        async with self._store.read() as connection:
            group = await billable.group_of(connection, viewer.person)
        spots = [
            Spot(person=viewer.person, group=group, station=row.id, evse=evse, site=row.site) for row, evse in keys
        ]
        tags = await self._prices.tags(spots)
        prices = {(row.id, evse): tag for (row, evse), tag in zip(keys, tags, strict=True)}
        return [
            Place(
                station=row.id,
                name=row.label or row.id,
                address=row.address,
                latitude=row.latitude,
                longitude=row.longitude,
                distance_m=(far or {}).get(row.id),
                outlets=[self._outlet(row, evse, prices[row.id, evse]) for evse in row.evses],
                price=prices[row.id, None],
            )
            for row in rows
        ]

    def _outlet(self, row: PlaceRow, evse: int, price: PriceTag) -> Outlet:
        """An EVSE as drivers see it."""
        plug, (use, words) = row.plugs.get(evse), use_of(row, evse)
        can_start = use is Use.FREE or (use is Use.IN_USE and evse not in row.occupied)
        told = (row.id, evse, self._code(row, evse), plug, plug_words(plug), row.max_power_w)
        return Outlet(*told, use, words, can_start, price)


def _outlet(place: Place, evse: int) -> Outlet:
    """An EVSE of a place; Refusal NOT_FOUND."""
    for one in place.outlets:
        if one.evse == evse:
            return one
    raise Refusal(Code.NOT_FOUND, NO_SUCH)


def _need_looking(viewer: Viewer) -> None:
    """Refusal FORBIDDEN for whoever is neither a driver nor may see stations."""
    if Scope.CHARGING_START not in viewer.own:
        viewer.reach(Scope.STATIONS_READ)


def plug_words(plug: str | None) -> str:
    """A plug as people call it; empty where unknown."""
    return PLUGS.get(plug, plug.replace("_", " ").title()) if plug else ""


def use_of(row: PlaceRow, evse: int) -> tuple[Use, str]:
    """How an EVSE stands, and that in words."""
    told = set(row.statuses.get(evse, ()))
    if not row.online:
        return Use.OUT_OF_ORDER, phrase("Cannot be reached now")
    if evse in row.occupied:
        return Use.IN_USE, phrase("In use")
    if BROKEN & set(row.statuses.get(0, ())) or (told and told <= BROKEN):
        return Use.OUT_OF_ORDER, phrase("Out of order")
    if S.AVAILABLE in told or S.PREPARING in told or not BUSY & told:
        return Use.FREE, phrase("Free")
    return Use.IN_USE, phrase("Reserved") if told <= {S.RESERVED} else phrase("In use")


def distance_m(one: tuple[float, float], other: tuple[float, float]) -> int:
    """How far two places (degrees north, degrees east) are apart as the crow flies, metres."""
    north, east = (math.radians(b - a) for a, b in zip(one, other, strict=True))
    width = math.cos(math.radians(one[0])) * math.cos(math.radians(other[0]))
    chord = math.sin(north / 2) ** 2 + width * math.sin(east / 2) ** 2
    return round(2 * EARTH_M * math.asin(math.sqrt(min(1.0, chord))))
