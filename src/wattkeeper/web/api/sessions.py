"""Charging sessions, their readings and their line of time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging import evidence
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.meter import Finding as Found
from wattkeeper.charging.meter import FindingCode
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.reading import Context
from wattkeeper.charging.session import SessionState
from wattkeeper.language import retold
from wattkeeper.store.sessions import reading as readings
from wattkeeper.store.sessions import session as sessions
from wattkeeper.store.sessions.reading import Kept
from wattkeeper.store.sessions.session import SessionRow, Sought
from wattkeeper.web import timeline
from wattkeeper.web.api.shapes import (
    PLAIN,
    PRINTABLE,
    Amount,
    Asked,
    Here,
    Identity,
    Instant,
    Nothing,
    Paged,
    SessionId,
    SessionsReader,
    SessionsWriter,
    Told,
    Truth,
    Words,
    cut,
    masked,
    place_of,
    session_id_of,
)
from wattkeeper.web.rooms import Rooms
from wattkeeper.web.words import Step as Taken
from wattkeeper.web.words import StepKind

router = APIRouter(tags=["sessions"])
Spoken = Annotated[str, Path(max_length=64, description="Its id as said: case, spaces, 0/O and 1/I/L are forgiven.")]


class CardShown(BaseModel):
    """Whose card: never its number."""

    ref: str = Field(description="The card's pseudonym.")
    shown: str | None = Field(
        description="Its last two characters; `phone` for a start from one, null where it is not enrolled."
    )


class Finding(BaseModel):
    """Something wrong or unproven about a session."""

    code: FindingCode
    severity: Literal["note", "reconstructed", "disputed"] = Field(description="What it does to the grade.")
    words: Words
    at: datetime | None
    evidence: dict[str, str] = Field(description="The figures that show it, units in their names.")


class Session(BaseModel):
    """A charging session."""

    id: SessionId
    station: str
    evse: int | None
    connector: int | None
    transaction_id: str | None = Field(description="The transaction id in the station's words.")
    card: CardShown | None
    state: SessionState
    live: bool = Field(description="Whether it still occupies its EVSE.")
    grade: Grade = Field(description="How good its evidence is.")
    findings: list[Finding] = Field(description="The gravest first.")
    started_at: datetime
    ended_at: datetime | None
    ended_reason: Words | None = Field(description="In the station's word, or ours where the end is an estimate.")
    duration_s: int = Field(description="Until its end, or until now.", ge=0)
    energy_wh: Amount | None = Field(description="Energy delivered, Wh; null where nothing told it.")
    power_w: Amount | None = Field(description="Power at the newest reading of a live session, W.")
    readings: int = Field(description="How many instants of its meter are known.")
    heard_at: datetime = Field(description="Our time when it was last heard of.")


class SessionList(BaseModel):
    """Sessions, the newest first."""

    items: list[Session]
    next: str | None


CARD = r"^(p[0-9]{1,3}:[0-9a-f]{32}|[0-9A-Za-z]{2})$"


class SessionFilter(Paged):
    """Which sessions."""

    station: Identity | Nothing = None
    evse: Annotated[int, Field(ge=0, le=2**31 - 1), PLAIN] | Nothing = None
    state: SessionState | Nothing = None
    live: Truth | Nothing = None
    grade: Grade | Nothing = None
    since: Instant | Nothing = Field(None, alias="from", description="Started then or later.")
    until: Instant | Nothing = Field(None, alias="to", description="Started before.")
    transaction_id: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=PRINTABLE)] | Nothing = None
    card: Annotated[str, StringConstraints(pattern=CARD)] | Nothing = Field(
        None, description="A card's pseudonym, or its last two characters."
    )

    def sought(self) -> Sought:
        """As the store asks it."""
        named = self.card is not None and ":" in self.card
        last2 = None if named or self.card is None else self.card.upper()
        exactly = self.model_dump(include={"station", "evse", "state", "live", "grade", "since", "until"})
        return Sought(**exactly, ref=self.transaction_id, token=self.card if named else None, last2=last2)


class Sample(Told):
    """A sampled value that has no member of its own, in the station's words."""

    measurand: str
    value: Amount
    unit: str
    phase: str | None
    location: str | None


class Reading(Told):
    """What a meter showed at one instant; null where it said nothing."""

    at: datetime
    context: Context
    energy_wh: Amount | None = Field(description="The imported energy register, Wh.")
    export_wh: Amount | None
    interval_wh: Amount | None
    power_w: Amount | None
    offered_w: Amount | None
    current_a: Amount | None
    current_l1_a: Amount | None
    current_l2_a: Amount | None
    current_l3_a: Amount | None
    offered_a: Amount | None
    voltage_v: Amount | None
    voltage_l1_v: Amount | None
    voltage_l2_v: Amount | None
    voltage_l3_v: Amount | None
    soc_percent: Amount | None
    temperature_c: Amount | None
    signed: bool
    rest: list[Sample]


class PlacedReading(Reading):
    """A reading with the place it was taken at."""

    evse: int | None


class ReadingList(BaseModel):
    """Readings, the oldest first."""

    items: list[PlacedReading]
    next: str | None


class Step(BaseModel):
    """One step in a session's line of time."""

    n: int = Field(description="The journal entry that told it.")
    kind: StepKind
    words: Words
    happened_at: datetime = Field(description="Where it stands in the line.")
    at: datetime | None = Field(description="The station's time of it; null where it told none.")
    until: datetime | None = Field(description="The last instant, where several are told as one.")
    received_at: datetime = Field(description="Our time when it came.")
    late: bool = Field(description="Whether it came later than this station's words usually do.")
    late_s: int = Field(description="By how many seconds.")
    readings: int = Field(description="How many readings it stands for.")
    station_words: dict[str, Any] = Field(description="The station's own words, tokens masked.")


class Timeline(BaseModel):
    """Every step of a session, in the order it happened."""

    items: list[Step]
    is_whole: bool = Field(description="False where there were more steps than are told at once.")


SAYS_SOMETHING = r"^[^\x00-\x1F\x7F]*[^\x00-\x20\x7F][^\x00-\x1F\x7F]*$"


class Close(Asked):
    """Why a stale session is closed."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=SAYS_SOMETHING)]


class ReadingPage(Paged):
    """Which page of readings."""

    cursor: Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,18}\.-?[0-9]{1,9}$")] | Nothing = Field(
        None, description="`next` of the page before."
    )


@router.get("/sessions")
async def find_sessions(rooms: Here, viewer: SessionsReader, wanted: Annotated[SessionFilter, Query()]) -> SessionList:
    """Sessions, the newest first."""
    place = place_of(wanted.cursor)
    async with rooms.store.read() as connection:
        rows = await sessions.find(connection, viewer, wanted.sought(), wanted.limit + 1, place)
    kept, more = cut(rows, wanted.limit, lambda row: (row.started_at, row.id))
    now = rooms.store.clock()
    return SessionList(items=[told(row, now) for row in kept], next=more)


@router.get("/sessions/{session}")
async def show_session(rooms: Here, viewer: SessionsReader, session: Spoken) -> Session:
    """One session, by its id as it was said or typed."""
    return told(await found(rooms, viewer, session), rooms.store.clock())


@router.get("/sessions/{session}/readings")
async def show_readings(
    rooms: Here, viewer: SessionsReader, session: Spoken, wanted: Annotated[ReadingPage, Query()]
) -> ReadingList:
    """The readings of a session, the oldest first."""
    row = await found(rooms, viewer, session)
    place = place_of(wanted.cursor)
    after = None if place is None else (place[0], int(place[1]))
    async with rooms.store.read() as connection:
        rows = await readings.of_session(connection, viewer, row.station, row.id, wanted.limit + 1, after)
    kept, more = cut(rows, wanted.limit, lambda one: (one.reading.at, str(-1 if one.evse is None else one.evse)))
    return ReadingList(items=[_placed(one) for one in kept], next=more)


class LineFilter(Asked):
    """How the line of time is told."""

    readings: Truth = Field(False, description="Each reading by itself, instead of those in a row as one step.")


@router.get("/sessions/{session}/timeline")
async def show_timeline(
    rooms: Here, viewer: SessionsReader, session: Spoken, wanted: Annotated[LineFilter, Query()]
) -> Timeline:
    """Every step of a session, from tap to total."""
    row = await found(rooms, viewer, session)
    async with rooms.store.read() as connection:
        line = await timeline.line(connection, viewer, row, names=rooms.names, fold=not wanted.readings)
    return Timeline(items=[_step(step) for step in line.steps], is_whole=line.is_whole)


@router.post("/sessions/{session}/close")
async def close_session(rooms: Here, viewer: SessionsWriter, session: Spoken, close: Close) -> Session:
    """Close a stale session at the last thing known of it; the station's own end would replace that."""
    await rooms.intake.close_session(session_id_of(session), close.reason, viewer.name)
    return told(await found(rooms, viewer, session), rooms.store.clock())


async def found(rooms: Rooms, viewer: Viewer, spoken: str) -> SessionRow:
    """The session; Refusal NOT_FOUND."""
    identifier = session_id_of(spoken)
    async with rooms.store.read() as connection:
        row = await sessions.one(connection, viewer, identifier)
    if row is None:
        raise Refusal(Code.NOT_FOUND, phrase("There is no such session."))
    return row


def told(row: SessionRow, now: datetime) -> Session:
    """A session as the API tells it."""
    whole = row.whole
    estimate = retold(whole.estimate.reason) if whole.estimate and row.ended_at else None
    by_now = whole.last_at + max(now - row.heard_at, timedelta(0))  # on the station's clock, which may be wrong
    span = (row.ended_at or by_now) - row.started_at
    return Session(
        id=row.id,
        station=row.station,
        evse=row.evse,
        connector=row.connector,
        transaction_id=row.ref,
        card=None
        if row.token is None
        else CardShown(ref=row.token, shown="phone" if row.by_phone else masked(row.last2)),
        state=row.state,
        live=row.live,
        grade=row.grade,
        findings=[_finding(one) for one in evidence.findings(whole)],
        started_at=row.started_at,
        ended_at=row.ended_at,
        ended_reason=whole.ended.reason if whole.ended else estimate,
        duration_s=max(0, int(span.total_seconds())),
        energy_wh=row.energy_wh,
        power_w=row.power_w,
        readings=whole.track.count,
        heard_at=row.heard_at,
    )


def _finding(one: Found) -> Finding:
    severity = evidence.WEIGHTS[one.code].name.lower()
    return Finding(code=one.code, severity=severity, words=evidence.say(one), at=one.at, evidence=one.evidence)  # type: ignore[arg-type]


def _placed(one: Kept) -> PlacedReading:
    plain = {name: getattr(one.reading, name) for name in Reading.model_fields if name != "rest"}
    rest = [Sample.model_validate(sample) for sample in one.reading.rest]
    return PlacedReading(evse=one.evse, rest=rest, **plain)


def _step(step: Taken) -> Step:
    return Step(
        n=step.n,
        kind=step.kind,
        words=step.words,
        happened_at=step.happened_at,
        at=step.at,
        until=step.until,
        received_at=step.received_at,
        late=step.late,
        late_s=step.late_s,
        readings=len(step.readings),
        station_words=dict(step.station_words),
    )
