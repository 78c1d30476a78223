"""Dependencies with known holes: what is installed here, held against the advisories that one may have."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from wattkeeper.charging.phrase import Phrase, joined, phrase
from wattkeeper.operations.security.finding import Finding, FindingCode, Outcome
from wattkeeper.operations.security.packages import advisories
from wattkeeper.operations.security.packages.advisories import Hole
from wattkeeper.operations.security.packages.materials import Material, installed, pages
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.security import finding as findings

STALE = timedelta(days=30)
NONE_GIVEN = phrase(
    "No dependency was held against known holes: set advisories to a file of OSV, or advisories_online to yes."
)
NEVER = phrase("That was never done here.")
SINCE = phrase("That was last done on {day}.")
UNREACHABLE = phrase("OSV could not be asked.")
UNREADABLE = phrase("The file of advisories could not be read.")
OLD = phrase("The file of advisories is {days} days old.")
BLIND = frozenset({FindingCode.PACKAGE_VULNERABLE})
MOST_RUNS = 400


def judge(holes: Sequence[Hole]) -> list[Finding]:
    """What is wrong with the packages."""
    return [_finding(one) for one in sorted(holes, key=lambda one: one.package.name)]


def _finding(one: Hole) -> Finding:
    """A package with holes as a finding."""
    figures = {"version": one.package.version, "advisories": ", ".join(one.ids[:5]), "fixed": one.fixed or "?"}
    return Finding(FindingCode.PACKAGE_VULNERABLE, one.package.name, one.severity, figures)


def materials() -> list[Material]:
    """Everything that is held against advisories: all Python packages here, and those of the pages."""
    return [*installed(), *pages()]


async def check(store: Store, settings: Settings, now: datetime) -> Outcome:
    """Read what is installed and the advisories, judge; where there are none, say since when it was not done."""
    made = await asyncio.to_thread(materials)
    if not settings.advisories and not settings.advisories_online:
        return Outcome(0, (), joined((NONE_GIVEN, await _last(store))), BLIND)
    try:
        holes = await found(settings, made)
    except (OSError, ValueError):
        return Outcome(0, (), joined((UNREADABLE, await _last(store))), BLIND)
    except httpx.HTTPError:
        return Outcome(0, (), joined((UNREACHABLE, await _last(store))), BLIND)
    return Outcome(len(made), tuple(judge(holes)), _old(settings, now))


async def found(settings: Settings, made: Sequence[Material]) -> list[Hole]:
    """The holes that the file knows of, and OSV where it may be asked; raises OSError, ValueError, httpx.HTTPError."""
    known: list[Hole] = []
    if settings.advisories:
        path = Path(settings.advisories)
        known += await asyncio.to_thread(lambda: advisories.holes(made, advisories.records_of(path)))
    if settings.advisories_online:
        there = {one.package for one in known}
        records = await advisories.asked(settings.advisories_address, made)
        known += [one for one in advisories.holes(made, records) if one.package not in there]
    return known


async def _last(store: Store) -> Phrase:
    """Since when it was not done."""
    async with store.read() as connection:
        for run in await findings.runs(connection, MOST_RUNS):
            if any(one["name"] == "packages" and one["looked"] for one in run.checks):
                return SINCE.filled(day=f"{run.at:%Y-%m-%d}")
    return NEVER


def _old(settings: Settings, now: datetime) -> str:
    """A word where the file is so old that it may miss much."""
    if not settings.advisories or settings.advisories_online:
        return ""
    age = now - advisories.dated(Path(settings.advisories))
    return OLD.filled(days=age.days) if age > STALE else ""
