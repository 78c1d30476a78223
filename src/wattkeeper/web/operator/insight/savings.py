"""Findings as pages tell them: the sentence, how it was computed, and the sessions behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Phrase
from wattkeeper.charging.statistics.savings import Finding
from wattkeeper.web.operator.insight.place import named, sessions_at
from wattkeeper.web.rooms import Rooms


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in words."""

    title: Phrase
    how: Phrase
    at: str | Phrase
    """At which site; empty where there is one alone, or the finding is of all."""
    href: str
    """The sessions behind it."""
    is_money: bool


async def found(rooms: Rooms, viewer: Viewer, site: str | None = None) -> list[Told]:
    """What the last whole month suggests at a site, or at all (scope sessions:read)."""
    some = await rooms.statistics.findings.of(viewer, site)
    is_many = len({one.site for one in some}) > 1
    zone = rooms.settings.zone
    return [_told(one, is_many and site is None, zone) for one in some]


def _told(one: Finding, is_named: bool, zone: object) -> Told:
    first, last = (at.astimezone(zone).date().isoformat() for at in (one.since, one.until - timedelta(microseconds=1)))  # type: ignore[arg-type]
    at = named(one.site) if is_named and one.site is not None else ""
    return Told(one.title, one.how, at, sessions_at(one.site, first, last), one.saved_minor is not None)
