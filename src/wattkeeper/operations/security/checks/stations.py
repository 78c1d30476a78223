"""Stations: keys that others may know, keys that are guessed at, keys that have been the same for years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wattkeeper.operations.people.security import Case
from wattkeeper.operations.security.finding import Finding, FindingCode, Outcome, Severity
from wattkeeper.store.engines import Store
from wattkeeper.store.security import event, ground
from wattkeeper.store.security.ground import KeyAge

LATELY = timedelta(days=30)
OLD = timedelta(days=3 * 365)
MANY_WRONG = 20
"""Wrong keys for one station within the month that are more than a station set up wrongly for an hour."""
CASES = (Case.TWIN.value, Case.KEY_WRONG.value)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of the stations' keys."""

    keys: Sequence[KeyAge]
    tried: Mapping[tuple[str, str], int]
    """How often lately, by case and station."""


def judge(seen: Seen, now: datetime) -> list[Finding]:
    """What is wrong with the stations' keys.

    Two stations with one key need no check: the second is refused when it is admitted.
    """
    found = []
    for one in seen.keys:
        age = now - one.since
        if age > OLD:
            found.append(Finding(FindingCode.STATION_KEY_OLD, one.station, Severity.LOW, {"days": age.days}))
    known = {one.station for one in seen.keys}
    for (case, station), count in seen.tried.items():
        if station not in known:
            continue
        if case == Case.TWIN.value:
            found.append(Finding(FindingCode.STATION_KEY_SHARED, station, Severity.HIGH, {"count": count}))
        elif count >= MANY_WRONG:
            found.append(Finding(FindingCode.STATION_GUESSED, station, Severity.MEDIUM, {"count": count}))
    return found


async def check(store: Store, now: datetime) -> Outcome:
    """Read the stations and what was tried at them, judge."""
    async with store.read() as connection:
        keys = await ground.station_keys(connection)
        tried = await event.counts(connection, now - LATELY, CASES)
    seen = Seen(keys, {(case, subject): count for case, subject, count in tried})
    return Outcome(len(keys), tuple(judge(seen, now)))
