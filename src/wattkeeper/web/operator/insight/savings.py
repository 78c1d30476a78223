"""Findings as pages tell them: the sentence, how it was computed, and the sessions behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, tzinfo
from urllib.parse import urlencode

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Phrase, Said, phrase
from wattkeeper.charging.statistics.savings import QUARTER, Finding, name_of
from wattkeeper.web.operator.insight.place import named, sessions_at
from wattkeeper.web.rooms import Rooms


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in words."""

    title: Phrase
    how: Said
    at: str | Phrase
    """At which site; empty where there is one alone, or the finding is of all."""
    hrefs: list[tuple[Phrase, str]]
    """The sessions behind it: what they are called, and where they are listed."""
    is_money: bool


async def found(rooms: Rooms, viewer: Viewer, site: str | None = None) -> list[Told]:
    """What the last whole month suggests at a site, or at all (scope sessions:read)."""
    some = await rooms.statistics.findings.of(viewer, site)
    is_many = len({one.site for one in some}) > 1
    zone = rooms.settings.zone
    return [_told(one, is_many and site is None, zone) for one in some]


def _told(one: Finding, is_named: bool, zone: tzinfo) -> Told:
    at = named(one.site) if is_named and one.site is not None else ""
    return Told(one.title, one.how, at, _behind(one, zone), one.saved_minor is not None)


ALL, BEFORE = phrase("The sessions behind it"), phrase("Sessions of {name}")
OF_PEAK = phrase("The sessions of the highest quarter hour")


def _behind(one: Finding, zone: tzinfo) -> list[tuple[Phrase, str]]:
    """Where the sessions are that a finding is told from."""
    first, last = (at.astimezone(zone).date().isoformat() for at in (one.since, one.until - timedelta(microseconds=1)))
    behind = one.behind
    if behind.outlets:
        return [(BEFORE.filled(name=name_of(each)), _of_outlet(each)) for each in behind.outlets]
    if behind.peak is not None:
        ends = (at.astimezone(zone).isoformat() for at in (behind.peak, behind.peak + QUARTER))
        return [(OF_PEAK, sessions_at(one.site, *ends))]
    also = {"hour": behind.clock} if behind.clock else {}
    return [(ALL, sessions_at(one.site, first, last, **also))]


def _of_outlet(outlet: tuple[str, int, int]) -> str:
    """Where all sessions of a connector are listed."""
    names = ("station", "evse", "connector")
    return "/sessions?" + urlencode(dict(zip(names, map(str, outlet), strict=True)))
