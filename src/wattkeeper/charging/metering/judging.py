"""What signed meter values prove about a session: who signed, when, in which order, and for how much energy.

Whatever contradicts speaks against the session and leaves it to a person. What is merely not proven leaves its evidence
as good as it was, but where signed values are required.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from wattkeeper.charging.meter import Finding, FindingCode, figure
from wattkeeper.charging.metering.ocmf import Clock, Record, Register, Step
from wattkeeper.charging.metering.ruling import Ruling, Seen, Why, told
from wattkeeper.charging.session import Session

F = FindingCode
SLACK = timedelta(minutes=5)
"""How far the meter's clock and the station's may be apart."""
TOLERANCE_WH = Decimal(10)
"""How far the signed energy and that of the session may be apart, beside what either register can show."""
EXPORT = re.compile(r"(^|[:-])(0?2\.0?8|C[0-9A-F]\.0?8)", re.IGNORECASE)
"""Registers of energy that was given back (OBIS; OCMF table 25)."""


class Holds(StrEnum):
    """What a check of one value gave."""

    YES = "yes"
    NO = "no"
    UNREADABLE = "unreadable"
    """It says that it is a record and is none: as good as changed."""
    UNKNOWN_FORM = "unknown_form"
    UNCHECKABLE = "uncheckable"
    """Nobody here can say: the curve or algorithm."""
    NO_KEY = "no_key"


@dataclass(frozen=True, slots=True)
class Checked:
    """A signed value of a session, and what its check gave."""

    holds: Holds
    n: int = 0
    """The journal entry that brought it."""
    record: Record | None = None
    mark: str = ""
    what: str = ""
    """The curve or algorithm that cannot be checked."""
    signer: str = ""
    """Why it is known who signed instead (`ruling.told`), where that is so."""
    told_before: int = 0
    """The journal entry that told it in another session before; 0: none did."""
    is_for_another: bool = False
    """Whether it names another card than the session was started with."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of the place: whose signature counts, and whether there must be one."""

    serial: str = ""
    """The meter whose key is pinned; empty: none."""
    key: str = ""
    """The mark of that key."""
    is_required: bool = False


def judge(session: Session, values: Sequence[Checked], expected: Expected) -> Ruling:
    """What the values of a session that has ended prove."""
    ruled = Ruling(serial=expected.serial, key=expected.key, seen=_seen(values))
    against = [*_against(values, expected)]
    if against:
        return _with(ruled, against)
    unproven = _unproven(values, expected)
    if unproven:
        return _with(ruled, [_lacking(unproven, expected)])
    records = [one.record for one in values if one.holds is Holds.YES and one.record and one.record.context == "T"]
    return _of_records(session, records, expected, ruled)


def _with(ruled: Ruling, findings: Sequence[Finding], is_verified: bool = False) -> Ruling:
    """The ruling with what was found."""
    return Ruling(
        is_verified=is_verified,
        serial=ruled.serial,
        key=ruled.key,
        begin_wh=ruled.begin_wh,
        end_wh=ruled.end_wh,
        pages=ruled.pages,
        findings=tuple(findings),
        seen=ruled.seen,
    )


def _seen(values: Sequence[Checked]) -> tuple[Seen, ...]:
    """The records that hold, each once, as it came first."""
    found: dict[str, Seen] = {}
    for one in sorted(values, key=lambda value: value.n):
        if one.holds is Holds.YES and one.record is not None:
            found.setdefault(one.mark, Seen(one.record.paged, one.mark, one.n))
    return tuple(found.values())


def _lacking(why: str, expected: Expected) -> Finding:
    """That something is not proven: worth a note, or a person's look where it is required."""
    return Finding(F.SIGNATURE_MISSING if expected.is_required else F.SIGNED_UNCHECKED, None, {"unproven": why})


def _against(values: Sequence[Checked], expected: Expected) -> Iterator[Finding]:
    """What contradicts, value by value; the same is said once."""
    said: set[str] = set()
    for one in values:
        finding = _of_value(one, expected.serial)
        if finding is not None and str(finding) not in said:
            said.add(str(finding))
            yield finding


def _of_value(one: Checked, serial: str) -> Finding | None:
    """What contradicts about one value."""
    page = {"page": one.record.paged if one.record else "?", "serial": serial}
    if one.holds in (Holds.NO, Holds.UNREADABLE):
        if one.signer:
            return Finding(F.SIGNATURE_FOREIGN, None, {**page, "signer": one.signer})
        return Finding(F.SIGNATURE_INVALID, None, page)
    if one.holds is not Holds.YES or one.record is None:
        return None
    if one.record.serial.casefold() != serial.casefold():
        return Finding(F.SIGNATURE_FOREIGN, None, {**page, "signer": told(Why.NAMES_OTHER, one.record.serial)})
    if one.told_before:
        return Finding(F.SIGNATURE_REPLAYED, None, {**page, "entry": str(one.told_before)})
    return Finding(F.SIGNED_FOR_ANOTHER, None, {"serial": serial}) if one.is_for_another else None


def _unproven(values: Sequence[Checked], expected: Expected) -> str:
    """Why nothing can be proven; empty where something can."""
    if not values:
        return told(Why.NOTHING)
    if not expected.serial:
        return told(Why.NO_KEY)
    if any(one.holds is Holds.YES for one in values):
        return ""
    uncheckable = [one.what for one in values if one.holds is Holds.UNCHECKABLE]
    return told(Why.CURVE, uncheckable[0]) if uncheckable else told(Why.FORM)


# --- what records prove that hold -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Edge:
    """A register at the beginning or the end, and the page of its record."""

    register: Register
    page: int


def _of_records(session: Session, records: Sequence[Record], expected: Expected, ruled: Ruling) -> Ruling:
    """What records of the right meter prove."""
    faulty = _faulty(records)
    if faulty is not None:
        state = faulty.state or "?"
        evidence = {"serial": expected.serial, "state": f"{state} {faulty.errors}".strip()}
        return _with(ruled, [Finding(F.SIGNED_FAULT, faulty.at, evidence)])
    begins, ends = _edges(records, Step.BEGIN), _edges(records, Step.END)
    for edges, none, two in ((begins, Why.NO_BEGIN, Why.TWO_BEGINS), (ends, Why.NO_END, Why.TWO_ENDS)):
        if not edges:
            return _with(ruled, [_lacking(told(none), expected)])
        if len({(one.register.name, one.register.value, one.register.at) for one in edges}) != len(
            {one.register.name for one in edges}
        ):
            return _with(ruled, [_disordered(told(two), expected)])
    spans = [(begin, end) for begin in begins for end in ends if begin.register.name == end.register.name]
    if not spans:
        return _with(ruled, [_lacking(told(Why.NO_ENERGY), expected)])
    begin, end = next((one for one in spans if _fits(session, *one)), spans[0])
    proven = Ruling(
        serial=ruled.serial,
        key=ruled.key,
        begin_wh=begin.register.wh,
        end_wh=end.register.wh,
        pages=tuple(dict.fromkeys(f"T{one.page}" for one in (begin, end))),
        seen=ruled.seen,
    )
    found = _of_span(session, begin, end, expected)
    return _with(proven, [] if found is None else [found], found is None)


def _faulty(records: Sequence[Record]) -> Register | None:
    """An energy register at an edge, or a fault between them, of which the meter says that it cannot be used."""
    for record in records:
        for one in record.registers:
            is_edge = one.step in (Step.BEGIN, Step.END) and one.wh is not None
            if one.step is Step.FAULT or (is_edge and not one.is_usable):
                return one
    return None


def _edges(records: Sequence[Record], step: Step) -> list[_Edge]:
    """The registers of imported energy at the beginning or the end, in the order of their records."""
    ordered = sorted(records, key=lambda record: record.page)
    told = [_Edge(one, record.page) for record in ordered for one in record.registers if one.step is step]
    return [one for one in told if one.register.wh is not None and not EXPORT.search(one.register.name)]


def _disordered(why: str, expected: Expected) -> Finding:
    return Finding(F.SIGNED_OUT_OF_ORDER, None, {"serial": expected.serial, "order": why})


def _rise(begin: _Edge, end: _Edge) -> Decimal:
    """What a register rose by, Wh."""
    return (end.register.wh or Decimal(0)) - (begin.register.wh or Decimal(0))


def tolerance_wh(begin: Register, end: Register) -> Decimal:
    """How far signed energy and that of a session may be apart, Wh."""
    return TOLERANCE_WH + begin.resolution_wh + end.resolution_wh


def _fits(session: Session, begin: _Edge, end: _Edge) -> bool:
    """Whether a register rose by what the session comes to."""
    energy = session.energy_wh
    return energy is not None and abs(_rise(begin, end) - energy) <= tolerance_wh(begin.register, end.register)


def _said(at: datetime) -> str:
    """An instant of the evidence, UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _of_span(session: Session, begin: _Edge, end: _Edge, expected: Expected) -> Finding | None:
    """What speaks against a register between beginning and end."""
    if end.page < begin.page:
        return _disordered(told(Why.PAGES, f"T{end.page}, T{begin.page}"), expected)
    if _rise(begin, end) < 0:
        return _disordered(told(Why.FALLEN), expected)
    if Clock.UNKNOWN in (begin.register.clock, end.register.clock):
        return _lacking(told(Why.CLOCK), expected)
    if end.register.at < begin.register.at:
        return _disordered(told(Why.TIMES), expected)
    since, until = begin.register.at, end.register.at
    if since < session.started_at - SLACK or until > (session.ended_at or session.last_at) + SLACK:
        evidence = {"serial": expected.serial, "since": _said(since), "until": _said(until)}
        return Finding(F.SIGNED_OUT_OF_TIME, since, evidence)
    if _fits(session, begin, end):
        return None
    energy = session.energy_wh
    evidence = {"serial": expected.serial, "signed_wh": figure(_rise(begin, end))}
    evidence |= {"energy_wh": "?" if energy is None else figure(energy)}
    return Finding(
        F.SIGNED_OTHERWISE, None, {**evidence, "tolerance_wh": figure(tolerance_wh(begin.register, end.register))}
    )
