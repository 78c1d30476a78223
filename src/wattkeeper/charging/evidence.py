"""What is wrong or unproven about a session, in words and figures, and the grade of its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum

from wattkeeper.charging.cards.token import Authorisation
from wattkeeper.charging.deviation import SENTENCES, Deviation
from wattkeeper.charging.meter import Finding, FindingCode, figure
from wattkeeper.charging.metering.ruling import why
from wattkeeper.charging.phrase import Figure, Phrase, joined, phrase, plural
from wattkeeper.charging.session import Session, SessionState

F = FindingCode


class Weight(IntEnum):
    """What a finding does to the grade."""

    NOTE = 0
    """Worth knowing; the energy is not in doubt."""
    RECONSTRUCTED = 1
    """Part of the session had to be inferred."""
    DISPUTED = 2
    """Something contradicts; a person must look before it is billed."""


class Grade(StrEnum):
    """How good a session's evidence is; only the first two bill themselves."""

    VERIFIED = "verified"
    """Signed at the meter, and the signature checked."""
    MEASURED = "measured"
    """Told completely and without contradiction by the station."""
    RECONSTRUCTED = "reconstructed"
    DISPUTED = "disputed"


WEIGHTS: dict[FindingCode, Weight] = {
    F.IMPORTED: Weight.RECONSTRUCTED,
    F.START_MISSING: Weight.RECONSTRUCTED,
    F.END_ESTIMATED: Weight.RECONSTRUCTED,
    F.END_CONFLICT: Weight.DISPUTED,
    F.UNAUTHORISED: Weight.DISPUTED,
    F.OTHER_TOKEN_AT_END: Weight.NOTE,
    F.CLOCK_REVERSED: Weight.DISPUTED,
    F.CLOCK_AHEAD: Weight.DISPUTED,
    F.MESSAGES_MISSING: Weight.RECONSTRUCTED,
    F.TOLD_OFFLINE: Weight.NOTE,
    F.STATION_DEVIATES: Weight.NOTE,
    F.READINGS_AFTER_END: Weight.NOTE,
    F.READINGS_CONTRADICT: Weight.DISPUTED,
    F.NO_REGISTER: Weight.RECONSTRUCTED,
    F.FROM_INTERVALS: Weight.RECONSTRUCTED,
    F.BASELINE_LATE: Weight.RECONSTRUCTED,
    F.END_UNREAD: Weight.RECONSTRUCTED,
    F.REGISTER_ROLLBACK: Weight.DISPUTED,
    F.REGISTER_RESET: Weight.RECONSTRUCTED,
    F.REGISTER_RETURNED: Weight.DISPUTED,
    F.ZERO_BASELINE: Weight.DISPUTED,
    F.LIFETIME_REGISTER: Weight.DISPUTED,
    F.IMPLAUSIBLE_POWER: Weight.DISPUTED,
    F.REGISTER_SCALE: Weight.DISPUTED,
    F.POWER_MISMATCH: Weight.DISPUTED,
    F.GAP: Weight.NOTE,
    F.EXPORTED: Weight.NOTE,
    F.SIGNED_UNCHECKED: Weight.NOTE,
    F.SIGNATURE_MISSING: Weight.DISPUTED,
    F.SIGNATURE_INVALID: Weight.DISPUTED,
    F.SIGNATURE_FOREIGN: Weight.DISPUTED,
    F.SIGNATURE_REPLAYED: Weight.DISPUTED,
    F.SIGNED_FOR_ANOTHER: Weight.DISPUTED,
    F.SIGNED_FAULT: Weight.DISPUTED,
    F.SIGNED_OUT_OF_ORDER: Weight.DISPUTED,
    F.SIGNED_OUT_OF_TIME: Weight.DISPUTED,
    F.SIGNED_OTHERWISE: Weight.DISPUTED,
}

WORDS: dict[FindingCode, Phrase] = {
    F.IMPORTED: phrase("It was imported from another system's records: it was not metered here, and nobody is billed."),
    F.START_MISSING: phrase("The start of this session was never told; what came before the first message is unknown."),
    F.END_ESTIMATED: phrase(
        "The station has not told an end. {reason} It was ended by estimate at the last thing known."
    ),
    F.END_CONFLICT: phrase("The station told another end: {other_register_wh}, {other_reason}. The first one stands."),
    F.UNAUTHORISED: phrase("It ran although the card was refused: {verdict}."),
    F.OTHER_TOKEN_AT_END: phrase("It was stopped with another card than it was started with."),
    F.CLOCK_REVERSED: phrase("By the station's clock it ended before it began."),
    F.CLOCK_AHEAD: phrase("The station's clock ran {seconds} ahead of ours."),
    F.MESSAGES_MISSING: plural(
        "{count} message of this session has not arrived (number {numbers}).",
        "{count} messages of this session have not arrived (numbers {numbers}).",
    ),
    F.TOLD_OFFLINE: phrase("Part of it was told after the station had been offline."),
    F.STATION_DEVIATES: phrase("The station departed from the standard. {codes}"),
    F.READINGS_AFTER_END: plural(
        "{count} reading was told for an instant after the end; kept, not counted.",
        "{count} readings were told for instants after the end; kept, not counted.",
    ),
    F.READINGS_CONTRADICT: phrase("Two different registers were told for one instant: {lower_wh} and {higher_wh}."),
    F.NO_REGISTER: phrase("No energy register was told, so the energy is unknown."),
    F.FROM_INTERVALS: phrase("No energy register was told; the energy is the sum of {intervals_wh} in intervals."),
    F.BASELINE_LATE: phrase(
        "The first register was read {seconds} after the start; what flowed before is not counted."
    ),
    F.END_UNREAD: phrase(
        "At the end no register was told. It was last read {seconds} before; what flowed afterwards is not counted."
    ),
    F.REGISTER_ROLLBACK: phrase(
        "The energy register went back from {from_wh} to {to_wh}; energy counts on from the higher."
    ),
    F.REGISTER_RESET: phrase("The energy register restarted, from {from_wh} to {to_wh}; the parts were added up."),
    F.REGISTER_RETURNED: phrase(
        "The register that seemed to restart came back to where it was ({left_wh}, then {to_wh}): "
        "it probably never restarted, and the parts count too much."
    ),
    F.ZERO_BASELINE: phrase(
        "It began at a register of 0 and leapt to {to_wh}: its start was probably not read. From then on, "
        "the register rose by {rise_after_wh}."
    ),
    F.LIFETIME_REGISTER: phrase(
        "At the end the register leapt from {from_wh} to {to_wh}: probably its lifetime total."
    ),
    F.IMPLAUSIBLE_POWER: phrase("The register rose from {from_wh} to {to_wh} in {seconds}: more than it can deliver."),
    F.REGISTER_SCALE: phrase(
        "The register rose by {energy_wh}, the power over time comes to {integral_wh}: probably "
        "the register is in another unit than it says."
    ),
    F.POWER_MISMATCH: phrase("The register rose by {energy_wh}, the power over time comes to {integral_wh}."),
    F.GAP: phrase("Nothing was read for {seconds}."),
    F.EXPORTED: phrase("The vehicle gave energy back; it is not counted here."),
    F.SIGNED_UNCHECKED: phrase("Its energy is not proven by a signature. {unproven}"),
    F.SIGNATURE_MISSING: phrase("Signed meter values are required here. {unproven}"),
    F.SIGNATURE_INVALID: phrase(
        "The signature of record {page} does not hold under the key of meter {serial}: it was changed, or somebody "
        "else signed it."
    ),
    F.SIGNATURE_FOREIGN: phrase("Record {page} was not signed by the meter {serial} of this place. {signer}"),
    F.SIGNATURE_REPLAYED: phrase(
        "Record {page} of meter {serial} was told in another session before (journal entry {entry})."
    ),
    F.SIGNED_FOR_ANOTHER: phrase("Meter {serial} signed for another card than the session was started with."),
    F.SIGNED_FAULT: phrase("Meter {serial} signed that its value cannot be used (state {state})."),
    F.SIGNED_OUT_OF_ORDER: phrase("The records of meter {serial} do not fit together. {order}"),
    F.SIGNED_OUT_OF_TIME: phrase("Meter {serial} signed for {since} to {until}, which is not when the session was."),
    F.SIGNED_OTHERWISE: phrase(
        "By its signed registers meter {serial} delivered {signed_wh}, by what the station told {energy_wh}; "
        "{tolerance_wh} apart would be allowed."
    ),
}

MISMATCH_FROM_WH = Decimal(500)
STUCK_FROM_WH = Decimal(2000)
"""What power must come to before a register that stands still is doubted: some count whole kWh."""
BASELINE_S = 30
"""How long after the start the first register may be read, and how long before the end the last one."""


def findings(session: Session) -> tuple[Finding, ...]:
    """Everything found about a session, the gravest first."""
    signed = session.signed.findings if session.signed else ()
    found = [*_of_life(session), *_of_telling(session), *_of_meter(session), *signed]
    return tuple(sorted(found, key=lambda f: (-WEIGHTS[f.code], f.at or session.started_at, f.code)))


def grade(session: Session, found: tuple[Finding, ...] | None = None) -> Grade:
    """How good the evidence is: as good as its worst finding lets it be."""
    worst = max((WEIGHTS[f.code] for f in (findings(session) if found is None else found)), default=Weight.NOTE)
    if worst is Weight.NOTE and session.signed is not None and session.signed.is_verified:
        return Grade.VERIFIED
    return {Weight.NOTE: Grade.MEASURED, Weight.RECONSTRUCTED: Grade.RECONSTRUCTED, Weight.DISPUTED: Grade.DISPUTED}[
        worst
    ]


def _of_life(session: Session) -> list[Finding]:
    """How it began and ended, and on whose card."""
    found: list[Finding] = [Finding(F.IMPORTED)] if session.imported else []
    if session.opened is None:
        found.append(Finding(F.START_MISSING, session.first_at))
    if session.state is SessionState.ESTIMATED and session.estimate is not None:
        evidence = {"cause": session.estimate.cause.value, "reason": session.estimate.reason, "by": session.estimate.by}
        found.append(Finding(F.END_ESTIMATED, session.estimate.at, evidence))
    for rival in session.rivals:
        register = figure(rival.register_wh) if rival.register_wh is not None else str(NO_REGISTER)  # kept in English
        found.append(Finding(F.END_CONFLICT, rival.at, {"other_register_wh": register, "other_reason": rival.reason}))
    if session.verdict is not None and session.verdict is not Authorisation.ACCEPTED:
        found.append(Finding(F.UNAUTHORISED, session.started_at, {"verdict": session.verdict.value}))
    if session.ended and session.ended.token and session.token and session.ended.token != session.token:
        found.append(Finding(F.OTHER_TOKEN_AT_END, session.ended.at))
    if session.ended and session.opened and session.ended.at < session.opened.at:
        found.append(Finding(F.CLOCK_REVERSED, session.ended.at))
    return found


def _of_telling(session: Session) -> list[Finding]:
    """How it was told."""
    found: list[Finding] = []
    missing = missing_seqs(session)
    if missing:
        numbers = ", ".join(str(low) if low == high else f"{low} to {high}" for low, high in missing[:5])  # in English
        count = sum(high - low + 1 for low, high in missing)
        found.append(Finding(F.MESSAGES_MISSING, None, {"count": str(count), "numbers": numbers}))
    if session.ahead_s:
        found.append(Finding(F.CLOCK_AHEAD, None, {"seconds": str(session.ahead_s)}))
    if session.offline:
        found.append(Finding(F.TOLD_OFFLINE))
    if session.deviations:
        found.append(Finding(F.STATION_DEVIATES, None, {"codes": ", ".join(session.deviations)}))
    if session.after_end:
        found.append(Finding(F.READINGS_AFTER_END, session.ended_at, {"count": str(session.after_end)}))
    for c in session.contradictions:
        evidence = {"lower_wh": figure(c.lower_wh), "higher_wh": figure(c.higher_wh)}
        found.append(Finding(F.READINGS_CONTRADICT, c.at, evidence))
    return found


def missing_seqs(session: Session) -> list[tuple[int, int]]:
    """The sequence numbers that must have been sent and have not arrived, as runs (2.0.1: they begin at 0)."""
    gaps: list[tuple[int, int]] = []
    expected = 0
    for low, high in session.seqs:
        if low > expected:
            gaps.append((expected, low - 1))
        expected = high + 1
    return gaps


def _of_meter(session: Session) -> list[Finding]:
    """What the readings show."""
    track = session.track
    found = [_with_rise_after(f, session) for f in track.findings]
    if session.imported:
        found = [_of_history(one) for one in found if one.code is not F.GAP]
    if track.first is None and not session.is_live:
        if track.intervals_wh is None:
            found.append(Finding(F.NO_REGISTER))
        else:
            found.append(Finding(F.FROM_INTERVALS, None, {"intervals_wh": figure(track.intervals_wh)}))
    if session.opened and track.first:
        late = int((track.first.at - session.opened.at).total_seconds())
        if late > BASELINE_S:
            found.append(Finding(F.BASELINE_LATE, track.first.at, {"seconds": str(late)}))
    if is_end_unread(session) and session.ended and track.last:
        early = session.ended.at - track.last.at
        found.append(Finding(F.END_UNREAD, track.last.at, {"seconds": str(early // timedelta(seconds=1))}))
    mismatch = _mismatch(session)
    return [*found, mismatch] if mismatch else found


def is_end_unread(session: Session) -> bool:
    """Whether the station told the end without a register, and the last one it told is older; a signed end is none."""
    is_signed = session.signed is not None and session.signed.is_verified
    last, ended = session.track.last, session.ended
    return bool(last and ended and not is_signed and ended.at - last.at > timedelta(seconds=BASELINE_S))


def _of_history(finding: Finding) -> Finding:
    """What the registers of an imported session show: they begin at nought, for only their difference is known."""
    is_leap = finding.code is F.ZERO_BASELINE
    return Finding(F.IMPLAUSIBLE_POWER, finding.at, finding.evidence) if is_leap else finding


def _with_rise_after(finding: Finding, session: Session) -> Finding:
    """A leap from zero, with what the register rose by from there on."""
    if finding.code is not F.ZERO_BASELINE:
        return finding
    rise = session.track.high_wh - Decimal(finding.evidence["to_wh"])
    return Finding(finding.code, finding.at, {**finding.evidence, "rise_after_wh": figure(rise)})


def _mismatch(session: Session) -> Finding | None:
    """Register against power over the same time: three times off is a contradiction, a thousand a wrong unit."""
    track = session.track
    energy, integral = track.integral_to_wh - track.integral_from_wh, track.integral_wh
    if track.energy_wh is None or max(energy, integral) < MISMATCH_FROM_WH or integral <= 0:
        return None
    ratio = max(energy, integral) / min(energy, integral) if energy else integral / STUCK_FROM_WH * 3
    if ratio < 3:
        return None
    code = F.REGISTER_SCALE if energy and 300 <= ratio <= 3000 else F.POWER_MISMATCH
    return Finding(code, None, {"energy_wh": figure(energy), "integral_wh": figure(integral)})


# --- in words ---------------------------------------------------------------------------------------


def say(finding: Finding) -> Phrase:
    """A finding in a sentence with its figures."""
    return WORDS[finding.code].filled(**{name: _figure(name, value) for name, value in finding.evidence.items()})


NO_REGISTER = phrase("no register")
RUN = phrase("{first} to {last}")
REFUSED: Mapping[str, Phrase] = {
    Authorisation.UNKNOWN: phrase("unknown"),
    Authorisation.BLOCKED: phrase("blocked"),
    Authorisation.EXPIRED: phrase("expired"),
    Authorisation.CONCURRENT: phrase("concurrent"),
    Authorisation.NO_CREDIT: phrase("no credit"),
    Authorisation.NOT_HERE: phrase("not here"),
    Authorisation.NOT_NOW: phrase("not now"),
    Authorisation.WRONG_PLUG: phrase("wrong plug"),
    Authorisation.INVALID: phrase("invalid"),
}
"""Why a card was refused, in a word or two."""


def _figure(name: str, value: str) -> object:
    """A figure of evidence as people read it."""
    if name.endswith("_wh"):
        return NO_REGISTER if value == NO_REGISTER else kwh(value)
    match name:
        case "count":
            return int(value)
        case "seconds":
            return duration(int(Decimal(value)))
        case "numbers":
            return joined((RUN.read(part) or part for part in value.split(", ")), ", ")
        case "codes":
            return joined(SENTENCES.get(Deviation(code), code) for code in value.split(", "))
        case "verdict":
            return REFUSED.get(value, value)
        case "reason":
            return _estimated(value)
        case "unproven" | "order" | "signer":
            return why(value)
    return value


SILENT = phrase("Nothing was heard of it for {duration}.")
SUPERSEDED = phrase("The same connector began another session.")
"""Why we end sessions ourselves."""


def _estimated(reason: str) -> str:
    """Why we ended a session, as the phrase that it was; as it was typed where a person closed it."""
    return SILENT.read(reason) or SUPERSEDED.read(reason) or reason


def kwh(value: str) -> str:
    """Wh as kWh with two decimals, small ones as Wh; what is no number is given back."""
    try:
        wh = Decimal(value)
        small = 0 < abs(wh) < 100
        return (
            Figure(wh, max(0, -int(wh.normalize().as_tuple().exponent)), "Wh") if small else Figure(wh / 1000, 2, "kWh")
        )
    except (ArithmeticError, ValueError):
        return value


def duration(seconds: int) -> str:
    """A duration as people say it: ``3 h 20 min``, ``4 min``, ``12 s``."""
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours and minutes else f"{hours} h" if hours else f"{minutes} min"


def moment(at: datetime) -> str:
    """An instant as evidence: ISO 8601, UTC."""
    return at.isoformat()
