"""Outages and attempts in words: which port, how long, why, what does not count; what became of starts, and where.

A figure of reliability opens to the outages or the attempts that it is made of, and those to their sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wattkeeper.charging.phrase import Phrase, Said, joined, phrase
from wattkeeper.charging.statistics.attempt import (
    ATTEMPTS,
    PLUG_INS,
    STARTED_ALL,
    WENT_WELL,
    WORDS,
    Counts,
    Kind,
    Some,
)
from wattkeeper.charging.statistics.uptime import Cause, Exclusion
from wattkeeper.store.statistics.exclusion import ExclusionRow
from wattkeeper.store.statistics.reliability import AttemptRow, OutageRow, Which
from wattkeeper.store.statistics.total import Placed
from wattkeeper.web.operator.insight.asked import Asked
from wattkeeper.web.operator.insight.desks import UPTIME
from wattkeeper.web.operator.paper import Look
from wattkeeper.web.operator.people.names import path_of
from wattkeeper.web.words import REASONS

CAUSES: Mapping[Cause, Look] = {
    Cause.FAULTED: Look(phrase("Broken"), "harm", "harm"),
    Cause.UNAVAILABLE: Look(phrase("Out of service"), "half"),
    Cause.OFFLINE: Look(phrase("Not connected"), "none"),
}
WHICH: Mapping[Which, Phrase] = {
    Which.ALL: phrase("Outages"),
    Which.BEGAN: phrase("Outages that began in these days"),
    Which.MENDED: phrase("Faults that ended in these days"),
    Which.EXCLUDED: phrase("Outages that do not count"),
}
EXCLUSIONS: Mapping[Exclusion, Phrase] = {
    Exclusion.MAINTENANCE: phrase("Scheduled maintenance"),
    Exclusion.UTILITY: phrase("Grid outage"),
    Exclusion.VANDALISM: phrase("Vandalism"),
    Exclusion.DISASTER: phrase("Natural disaster"),
    Exclusion.VEHICLE: phrase("Fault of the vehicle"),
    Exclusion.HOURS: phrase("Outside opening hours"),
}
"""Why an outage does not count, in words, the most usual first."""


@dataclass(frozen=True, slots=True)
class Told:
    """An outage as it is told."""

    row: OutageRow
    name: Said | str
    """Which port."""
    site: str
    href: str
    look: Look
    lasted: timedelta
    """How long it went on, or has until now."""
    why: Phrase | None
    """Why it does not count."""
    by: str
    note: str

    @property
    def key(self) -> str:
        """What names it in a form."""
        return f"{self.row.station}/{self.row.evse}/{self.row.since.isoformat()}"

    @property
    def since(self) -> str:
        """Its beginning as a form sends it."""
        return self.row.since.isoformat()


@dataclass(frozen=True, slots=True)
class Failure:
    """How many attempts became what was not wanted."""

    words: Said
    count: int
    percent: int
    """Of the most frequent."""
    href: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Behind:
    """An attempt behind a figure."""

    row: AttemptRow
    name: Said | str
    became: Said
    href: str
    """Its session, else its station."""


def port_name(station: str, evse: int, stations: Mapping[str, Placed]) -> Said | str:
    """A port by its station and number; a station that is gone by its id."""
    name = stations[station].name if station in stations else station
    return phrase("{station}, port {number}", station=name, number=evse) if evse else name


def told(
    rows: Iterable[OutageRow],
    stations: Mapping[str, Placed],
    notes: Mapping[str, tuple[ExclusionRow, str]],
    names: Mapping[str, str],
    now: datetime,
) -> list[Told]:
    """Outages in words; ``notes`` and ``names``: what shows that they do not count, and what accounts are called."""
    made = []
    for row in rows:
        excluded = notes.get(row.exclusion)
        by = names.get(excluded[0].created_by, excluded[0].created_by) if excluded else ""
        made.append(
            Told(
                row=row,
                name=port_name(row.station, row.evse, stations),
                site=row.site,
                href=path_of(row.station),
                look=CAUSES[row.cause],
                lasted=(row.until or now) - row.since,
                why=EXCLUSIONS[row.excluded] if row.excluded else None,
                by=by,
                note=excluded[1] if excluded else "",
            )
        )
    return made


# --- what became of starts ----------------------------------------------------------------------------------------


def reason_words(kind: Kind, reason: str) -> Said:
    """What became of an attempt, in words; the standards' word where there is no better one."""
    known = WORDS.get((kind, reason))
    if known is not None:
        return known
    what, _, why = reason.partition(":")
    return joined((WORDS.get((kind, what), what), REASONS.get(why, why)), ": ")


SETS: Mapping[str, tuple[Phrase, Sequence[Some]]] = {
    "plug-ins": (phrase("Plug-ins, and what became of each"), PLUG_INS),
    "attempts": (phrase("Attempts, and what became of each"), ATTEMPTS),
    "started": (phrase("Attempts in which energy came, and how each ended"), STARTED_ALL),
}
"""What is behind shares of attempts, by the name that an address has for it."""


def reason_of(text: str) -> tuple[Said, Sequence[Some]] | None:
    """What an address asks for, such as ``tap:blocked`` or ``plug-ins``, in words; None where that makes no sense."""
    if text in SETS:
        return SETS[text]
    kind, _, reason = text.partition(":")
    if kind not in set(Kind) or not reason:
        return None
    return reason_words(Kind(kind), reason), (Some(Kind(kind), frozenset({reason}), but=False),)


def to_attempts(asked: Asked, reason: str, port: int = 0) -> str:
    """Where the attempts behind a figure are listed; ``port``: at this one alone."""
    return asked.address(UPTIME, reason=reason, port=str(port or ""), page="", older="", outages="") + "#behind"


def to_outages(asked: Asked, which: Which = Which.ALL, port: int = 0) -> str:
    """Where the outages behind a figure are listed; ``port``: those of this one alone."""
    given = {"outages": which.value, "port": str(port or ""), "older": "", "page": "", "reason": ""}
    return asked.address(UPTIME, **given) + "#outages"


def failures(counts: Counts, asked: Asked) -> list[Failure]:
    """What was not wanted, the most frequent first."""
    bad = [(one, count) for one, count in counts.items() if one[1] not in WENT_WELL[one[0]]]
    bad.sort(key=lambda one: (-one[1], one[0]))
    most = max((count for _, count in bad), default=1)
    chosen = dict(asked.rest).get("reason", "")
    made = []
    for (kind, reason), count in bad:
        name = f"{kind.value}:{reason}"
        words, href = reason_words(kind, reason), to_attempts(asked, name)
        made.append(Failure(words, count, 100 * count // most, href, name == chosen))
    return made


def behind(rows: Iterable[AttemptRow], stations: Mapping[str, Placed]) -> list[Behind]:
    """The attempts behind a figure, each with a way to what is known of it."""
    return [
        Behind(
            row,
            port_name(row.station, row.evse, stations),
            reason_words(row.kind, row.reason),
            f"/sessions/{row.session}" if row.session else path_of(row.station),
        )
        for row in rows
    ]
