"""A whole Wattkeeper whose clock the story sets, and stations that tell of sessions in either version."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from tests.doors import KEY, Door, Station, settings_for, until
from wattkeeper.charging.evidence import Grade, findings, grade
from wattkeeper.charging.facts import Alarmed, Disconnected
from wattkeeper.charging.meter import FindingCode
from wattkeeper.charging.session import Session, SessionState
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.cards.book import Cards
from wattkeeper.operations.cards.rule import Rule
from wattkeeper.operations.rebuild import rebuild
from wattkeeper.operations.stations.silence import close_silent
from wattkeeper.store.engines import Store
from wattkeeper.store.fold import decode
from wattkeeper.store.tables import DERIVED, journal, reading, session

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When stories begin."""
CARD = "04A1B2C3D4E5F6"
TRUE_MEASURANDS = {
    "wh": ("Energy.Active.Import.Register", "Wh"),
    "kwh": ("Energy.Active.Import.Register", "kWh"),
    "w": ("Power.Active.Import", "W"),
    "soc": ("SoC", "Percent"),
}


def minute(number: float) -> datetime:
    """So many minutes into the story."""
    return NOON + timedelta(minutes=number)


def stamp(at: datetime | float | str) -> str:
    """An instant (or a minute of the story) as stations write it; a text stands as it is."""
    if isinstance(at, str):
        return at
    instant = at if isinstance(at, datetime) else minute(at)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Clock:
    """Our clock: it stands where the story puts it, but for a millisecond at each look."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        """The time."""
        self.now += timedelta(milliseconds=1)
        return self.now

    def skip(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def reach(self, at: datetime | float | str) -> None:
        """Let it be as late as this, where it is not yet."""
        if not isinstance(at, str):
            self.now = max(self.now, at if isinstance(at, datetime) else minute(at))


@dataclass(slots=True)
class World:
    """One database, and whatever Wattkeeper is open on it now."""

    database: str
    folder: Path
    clock: Clock = field(default_factory=Clock)
    settings: dict[str, Any] = field(default_factory=dict)
    behind: timedelta = timedelta(0)
    """How far the clocks of stations are behind ours."""
    door: Door = field(init=False)
    closed: bool = True

    async def open(self) -> None:
        """Open the door; again, after `close`, as a restart does."""
        self.door = await Door.make(settings_for(self.database, self.folder, **self.settings))
        self.door.store.clock = self.clock
        await self.door.open()
        self.closed = False

    async def close(self) -> None:
        """Stop: what has arrived is written."""
        if not self.closed:
            self.closed = True
            await self.door.close()

    async def restart(self) -> None:
        """Wattkeeper goes down and comes up again."""
        await self.close()
        await self.open()

    # --- stations ---------------------------------------------------------------------------------------

    async def admit(self, *stations: str) -> None:
        """Make stations, all with keys of the same form."""
        for station in stations:
            await self.door.admit(station, key_of(station))

    async def enroll(self, number: str = CARD, **rule: Any) -> str:
        """Take in a card; its pseudonym."""
        cards = Cards(self.door.store, self.door.safe, self.door.bus)
        return await cards.enroll(number, None, Rule(**rule), VIEWER)  # type: ignore[typeddict-item]

    @asynccontextmanager
    async def v16(self, station: str = "CP1", boots: bool = True) -> AsyncIterator[Voice16]:
        """A 1.6 station, connected while the block runs."""
        async with self.door.plugged(station, key_of(station), ["ocpp1.6"]) as plugged:
            voice = Voice16(self, plugged, station)
            if boots:
                await plugged.boot()
            yield voice
        await self._gone(station)

    @asynccontextmanager
    async def v201(self, station: str = "CP1", boots: bool = True) -> AsyncIterator[Voice201]:
        """A 2.0.1 station, connected while the block runs."""
        async with self.door.plugged(station, key_of(station), ["ocpp2.0.1"]) as plugged:
            voice = Voice201(self, plugged, station)
            if boots:
                await plugged.boot()
            yield voice
        await self._gone(station)

    async def _gone(self, station: str) -> None:
        """Wait until it is written down that the station left."""

        async def written() -> bool:
            if self.closed or self.door.gateway.connected(station):
                return self.closed
            return bool(await self.door.facts(Disconnected, station))

        await until(written, f"the end of {station}'s connection")

    # --- looking ----------------------------------------------------------------------------------------

    async def sessions(self, station: str | None = None) -> list[Any]:
        """All sessions in the order of their starts; untyped, so that figures may be compared with plain numbers."""
        async with self.door.store.read() as connection:
            folds = await connection.execute(select(session.c.fold).order_by(session.c.started_at, session.c.last_n))
            found = [decode(fold) for (fold,) in folds]
        return [one for one in found if station in (None, one.station)]

    async def the_session(self) -> Any:
        """The only session there is."""
        (one,) = await self.sessions()
        return one

    async def row(self, one: Session) -> Any:
        """The row of a session."""
        async with self.door.store.read() as connection:
            return (await connection.execute(select(session).where(session.c.id == one.id))).one()

    async def readings(self, one: Session | None) -> list[dict[str, Any]]:
        """What is kept of a session's readings (None: of those outside of any), in order, without where it is kept."""
        columns = [c for c in reading.columns if c.name not in ("n", "place", "session_id")]
        which = reading.c.session_id == (one.id if one else "")
        async with self.door.store.read() as connection:
            rows = await connection.execute(select(*columns).where(which).order_by(reading.c.at, reading.c.n))
            return [dict(row._mapping) for row in rows]

    async def registers(self, one: Session | None) -> Any:
        """Minute and register (Wh) of each reading."""
        return [((r["at"] - NOON) / timedelta(minutes=1), r["energy_wh"]) for r in await self.readings(one)]

    async def alarms(self, code: str | None = None) -> list[Any]:
        """The alarms in the journal."""
        return [a for a in await self.door.facts(Alarmed) if code in (None, a["code"])]

    async def close_silent(self) -> int:
        """Look once for sessions whose station fell silent."""
        return await close_silent(self.door.store, self.door.intake, self.door.settings.silence_s)


@asynccontextmanager
async def opened(database: str, folder: Path, *stations: str, **settings: Any) -> AsyncIterator[World]:
    """A world with these stations, open while the block runs."""
    made = World(database, folder, settings=settings)
    await made.open()
    try:
        await made.admit(*stations)
        yield made
    finally:
        await made.close()


def key_of(station: str) -> str:
    """The key that a station of a story has."""
    return KEY if station == "CP1" else f"{KEY}{station.encode().hex()}"[-40:]


def found(one: Session) -> Any:
    """The findings of a session with their evidence."""
    return {finding.code: finding.evidence for finding in findings(one)}


async def derived(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every derived row."""
    async with store.read() as connection:
        tables = {t.name: await connection.execute(select(t).order_by(*t.primary_key)) for t in DERIVED}
        return {name: [tuple(row) for row in rows] for name, rows in tables.items()}


async def check_rows(store: Store) -> None:
    """What holds after every story: no number is missing, one row for an instant, one live session at an EVSE."""
    async with store.read() as connection:

        async def rows(*columns: Any) -> list[Any]:
            return list((await connection.execute(select(*columns))).all())

        numbers = sorted(n for (n,) in await rows(journal.c.n))
        assert numbers == list(range(1, len(numbers) + 1)), "the journal has a gap"
        sessions = {row.id: row for row in await rows(session)}
        instants = [(key, at) for key, at in await rows(reading.c.session_id, reading.c.at) if key]
        assert len(instants) == len(set(instants)), "a session has two readings for one instant"
        assert {key for key, _ in instants} <= sessions.keys(), "a reading belongs to no session"
        live = [(row.station_id, row.evse) for row in sessions.values() if row.live and row.evse is not None]
        assert len(live) == len(set(live)), "two sessions live at one EVSE"
        for row in sessions.values():
            one = decode(row.fold)
            assert (row.state, row.live, row.ref, row.token) == (one.state, one.is_live, one.ref, one.token)
            assert (row.started_at, row.ended_at, row.evse) == (one.started_at, one.ended_at, one.evse)
            assert row.grade == grade(one)
            assert row.energy_wh == one.energy_wh or (one.energy_wh is not None and one.energy_wh > 10**12)


async def check_rebuild(database: str, clock: Clock) -> None:
    """Rebuilding leaves every derived row as it was."""
    store = Store(database, clock)
    try:
        await check_rows(store)
        before = await derived(store)
        await rebuild(store)
        after = await derived(store)
        for name, rows in before.items():
            assert after[name] == rows, f"rebuild changed {name}"
    finally:
        await store.close()


def values_v16(values: Mapping[str, Any], context: str | None) -> list[dict[str, Any]]:
    """Sampled values in 1.6: known names are measurands, others ``Measurand/phase/unit``."""
    return [
        {"value": str(value)} | ({"context": context} if context else {}) | _words(name)
        for name, value in values.items()
        if value is not None
    ]


def values_v201(values: Mapping[str, Any], context: str | None) -> list[dict[str, Any]]:
    """Sampled values in 2.0.1."""
    told = []
    for name, value in values.items():
        if value is None:
            continue
        words = _words(name)
        unit = words.pop("unit", None)
        sample: dict[str, Any] = {"value": float(value)} | ({"context": context} if context else {}) | words
        told.append(sample | ({"unitOfMeasure": {"unit": unit}} if unit else {}))
    return told


def _words(name: str) -> dict[str, str]:
    if name in TRUE_MEASURANDS:
        measurand, unit = TRUE_MEASURANDS[name]
        return {"measurand": measurand, "unit": unit}
    parts = dict(zip(("measurand", "phase", "unit"), name.split("/"), strict=False))
    return {key: word for key, word in parts.items() if word}


@dataclass(slots=True)
class Voice:
    """A connected station that tells of sessions; a CALLERROR is a failure."""

    world: World
    station: Station
    name: str

    def stamp(self, at: datetime | float | str) -> str:
        """An instant as its clock has it."""
        return (
            at if isinstance(at, str) else stamp((at if isinstance(at, datetime) else minute(at)) - self.world.behind)
        )

    async def say(self, action: str, payload: Mapping[str, Any]) -> Any:
        """Call; the payload of the answer."""
        answer = await self.station.call(action, payload)
        assert answer[0] == 3, (action, answer)
        return answer[2]


class Voice16(Voice):
    """A station in the words of 1.6."""

    async def authorize(self, card: str = CARD) -> str:
        """Tap; the status."""
        return str((await self.say("Authorize", {"idTag": card}))["idTagInfo"]["status"])

    async def begin(self, at: Any = 0, meter: Any = 0, card: str | None = CARD, connector: int = 1, **more: Any) -> Any:
        """StartTransaction; the whole answer."""
        self.world.clock.reach(at)
        told = {"connectorId": connector, "meterStart": meter, "timestamp": self.stamp(at)}
        return await self.say("StartTransaction", told | ({} if card is None else {"idTag": card}) | more)

    async def start(self, at: Any = 0, meter: Any = 0, card: str | None = CARD, connector: int = 1) -> int:
        """StartTransaction; the transaction id."""
        number: int = (await self.begin(at, meter, card, connector))["transactionId"]
        return number

    async def read(
        self,
        tx: int | None,
        at: Any,
        *,
        connector: int = 1,
        context: str | None = None,
        **values: Any,
    ) -> None:
        """MeterValues at one instant."""
        self.world.clock.reach(at)
        told = {"timestamp": self.stamp(at), "sampledValue": values_v16(values, context)}
        named = {} if tx is None else {"transactionId": tx}
        assert await self.say("MeterValues", {"connectorId": connector, **named, "meterValue": [told]}) == {}

    async def stop(self, tx: int, at: Any, meter: Any, **more: Any) -> Any:
        """StopTransaction; the answer."""
        self.world.clock.reach(at)
        return await self.say(
            "StopTransaction", {"transactionId": tx, "meterStop": meter, "timestamp": self.stamp(at)} | more
        )

    async def status(self, word: str, at: Any, connector: int = 1) -> None:
        """StatusNotification."""
        self.world.clock.reach(at)
        told = {"connectorId": connector, "status": word, "errorCode": "NoError", "timestamp": self.stamp(at)}
        assert await self.say("StatusNotification", told) == {}


class Voice201(Voice):
    """A station in the words of 2.0.1."""

    async def authorize(self, card: str = CARD) -> str:
        """Tap; the status."""
        token = {"idToken": card, "type": "ISO14443"}
        return str((await self.say("Authorize", {"idToken": token}))["idTokenInfo"]["status"])

    async def event(
        self,
        kind: str,
        tx: str,
        seq: int | None,
        at: Any,
        *,
        card: str | None = None,
        evse: int | None = 1,
        state: str | None = None,
        trigger: str = "MeterValuePeriodic",
        context: str | None = None,
        info: Mapping[str, Any] | None = None,
        more: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> Any:
        """TransactionEvent; the answer."""
        self.world.clock.reach(at)
        told: dict[str, Any] = {"eventType": kind, "timestamp": self.stamp(at), "triggerReason": trigger}
        if seq is not None:
            told["seqNo"] = seq
        told["transactionInfo"] = {"transactionId": tx} | ({"chargingState": state} if state else {}) | dict(info or {})
        if evse is not None:
            told["evse"] = {"id": evse, "connectorId": 1}
        if card is not None:
            told["idToken"] = {"idToken": card, "type": "ISO14443"}
        if values:
            told["meterValue"] = [{"timestamp": self.stamp(at), "sampledValue": values_v201(values, context)}]
        return await self.say("TransactionEvent", told | dict(more or {}))

    async def status(self, word: str, at: Any, evse: int = 1) -> None:
        """StatusNotification."""
        self.world.clock.reach(at)
        told = {"timestamp": self.stamp(at), "connectorStatus": word, "evseId": evse, "connectorId": 1}
        assert await self.say("StatusNotification", told) == {}


__all__ = [
    "CARD",
    "NOON",
    "Clock",
    "FindingCode",
    "Grade",
    "SessionState",
    "Voice16",
    "Voice201",
    "World",
    "check_rebuild",
    "derived",
    "found",
    "grade",
    "key_of",
    "minute",
    "stamp",
]
