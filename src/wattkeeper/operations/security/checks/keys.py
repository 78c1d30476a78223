"""Keys of the vault: how old they are, and who may read the root key's file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.keys.telling import KeyAge, ages
from wattkeeper.operations.security.finding import Finding, FindingCode, Outcome, Severity
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store

ELSEWHERE = phrase("The root key is in a service of its own; who may use it there is not checked here.")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of the keys."""

    keys: Sequence[KeyAge]
    root: str
    """The root key's file; empty where it is kept elsewhere."""
    root_mode: int | None
    """Its mode; None where there is no such file."""
    key_days: int = 365
    """After how many days a key is overdue."""


def judge(seen: Seen, now: datetime) -> list[Finding]:
    """What is wrong with the keys."""
    found = []
    for one in seen.keys:
        if one.is_overdue and one.since is not None:
            age = now - one.since
            severity = Severity.MEDIUM if age > 2 * timedelta(days=seen.key_days) else Severity.LOW
            found.append(Finding(FindingCode.KEY_OVERDUE, one.kind.value, severity, {"count": age.days}))
    if seen.root and seen.root_mode is None:
        found.append(Finding(FindingCode.ROOT_MISSING, seen.root, Severity.HIGH))
    elif seen.root and seen.root_mode is not None and seen.root_mode & 0o077:
        mode = f"{seen.root_mode & 0o777:03o}"
        found.append(Finding(FindingCode.ROOT_READABLE, seen.root, Severity.HIGH, {"mode": mode}))
    return found


async def check(store: Store, settings: Settings, now: datetime) -> Outcome:
    """Read the keys' dates and the file's mode, judge."""
    async with store.read() as connection:
        keys = await ages(connection, now, settings.key_days)
    is_file = settings.root == "file"
    mode = settings.root_key.stat().st_mode if is_file and settings.root_key.exists() else None
    seen = Seen(keys, settings.root_key.name if is_file else "", mode, settings.key_days)
    return Outcome(len(keys) + is_file, tuple(judge(seen, now)), "" if is_file else ELSEWHERE)
