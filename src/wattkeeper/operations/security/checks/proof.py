"""The log: whether it is signed as it grows, whether a witness follows, and whether rows are as they were logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.log.auditing import audit_log
from wattkeeper.operations.people.security import Case
from wattkeeper.operations.security.finding import Finding, FindingCode, Outcome, Severity
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.log import checkpoint, leaf
from wattkeeper.store.security import event, ground
from wattkeeper.vault.note import NoteRefused, read_verifier

SIGNED_WITHIN = timedelta(minutes=10)
HEARD_WITHIN, SILENT = timedelta(hours=1), timedelta(days=1)
LATELY = timedelta(days=7)
MOST_ENTRIES = 20_000
"""So many entries are compared with their rows here; beyond that it takes so long that it is a command of its own."""
TOO_MANY = phrase("Whether each row is as it was logged was not compared: {count} entries; run wattkeeper audit log.")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of the log."""

    unsigned_since: datetime | None = None
    """When the oldest entry came that no checkpoint covers; None where all are signed."""
    heard: Mapping[str, datetime | None] = field(default_factory=dict)
    """By witness that is set: when it last signed."""
    refused: int = 0
    """How often a witness lately refused the log."""
    faults: Sequence[str] = ()
    """What is not as it was logged, as its kind and number."""
    begun_at: datetime | None = None


def judge(seen: Seen, now: datetime) -> list[Finding]:
    """What is wrong with the log."""
    found = []
    if seen.unsigned_since is not None and now - seen.unsigned_since > SIGNED_WITHIN:
        told = {"minutes": _minutes(now - seen.unsigned_since)}
        found.append(Finding(FindingCode.CHECKPOINT_OLD, "", Severity.MEDIUM, told))
    if not seen.heard:
        found.append(Finding(FindingCode.LOG_UNWITNESSED, "", Severity.LOW))
    for witness, at in seen.heard.items():
        silence = now - (at or seen.begun_at or now)
        if silence > HEARD_WITHIN:
            severity = Severity.HIGH if silence > SILENT else Severity.MEDIUM
            told = {"minutes": _minutes(silence)}
            found.append(Finding(FindingCode.WITNESS_SILENT, witness, severity, told))
    if seen.refused:
        found.append(Finding(FindingCode.WITNESS_DISAGREES, "", Severity.HIGH, {"count": seen.refused}))
    if seen.faults:
        told_faults: dict[str, str | int] = {"count": len(seen.faults), "first": seen.faults[0]}
        found.append(Finding(FindingCode.LOG_BROKEN, "", Severity.HIGH, told_faults))
    return found


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds()) // 60


async def check(store: Store, settings: Settings, now: datetime) -> Outcome:
    """Read the log and what witnesses said, judge."""
    async with store.read() as connection:
        size, newest = await leaf.size(connection), await checkpoint.newest(connection)
        signed = newest.size if newest is not None else 0
        unsigned = await leaf.leaves(connection, signed, 1) if size > signed else []
        spoke = await ground.witnesses(connection)
        refused = await event.counts(connection, now - LATELY, [Case.WITNESS_REFUSED.value])
        begun = await ground.begun_at(connection)
    is_small = size <= MOST_ENTRIES
    faults = (await audit_log(store)).faults if is_small and size else []
    seen = Seen(
        unsigned_since=unsigned[0].at if unsigned else None,
        heard={name: _last(spoke, name, signed, now) for name in _witnesses(settings)},
        refused=sum(count for _, _, count in refused),
        faults=[f"{one.kind} {one.ref}".strip() or str(one.what) for one in faults],
        begun_at=begun,
    )
    unchecked = "" if is_small else TOO_MANY.filled(count=size)
    skipped = frozenset[FindingCode]() if is_small else frozenset({FindingCode.LOG_BROKEN})
    return Outcome(size, tuple(judge(seen, now)), unchecked, skipped)


def _last(spoke: Mapping[str, tuple[datetime, int]], name: str, signed: int, now: datetime) -> datetime | None:
    """When a witness spoke last; now where it has seen the newest checkpoint, for then nothing is new for it."""
    at, size = spoke.get(name, (None, 0))
    return now if at is not None and size >= signed else at


def _witnesses(settings: Settings) -> list[str]:
    """The names of the witnesses that are set; one whose key cannot be read goes by its address."""
    names = []
    for key in (one.strip() for one in settings.log_witness_keys.split(",")):
        try:
            names += [read_verifier(key).name] if key else []
        except NoteRefused:
            names.append(key)
    return names or [one.strip() for one in settings.log_witnesses.split(",") if one.strip()]
