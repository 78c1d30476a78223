"""Which days, site and station a page under Insight is about: its address says it, so that every view has a link."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from starlette.requests import Request

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import Phrase, Said, joined, phrase
from wattkeeper.charging.statistics.span import Span, Usual, named, span_of, usual
from wattkeeper.operations.statistics.use import Known
from wattkeeper.store.statistics.total import Part
from wattkeeper.web.operator.money.months import MONTH
from wattkeeper.web.operator.said import DAY, DAY_AND_YEAR, dated
from wattkeeper.web.operator.sessions.sessions import NO_SITE

WITHOUT = phrase("without a site")
NAMES: Mapping[Usual, Phrase] = {
    Usual.WEEKS: phrase("last 28 days"),
    Usual.MONTH: phrase("{month} so far"),
    Usual.YEAR: phrase("last 12 months"),
}


ODD, LONGEST = re.compile(r"[^A-Za-z0-9]+"), 40
"""What no file's name needs, and how much of a place's name it takes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    span: Span
    usual: Usual | None
    """The span's name, where it has one: the address then stays true tomorrow."""
    site: str = ""
    """As the address has it; empty: all."""
    station: str = ""
    rest: tuple[tuple[str, str], ...] = ()
    """What else it says, such as how a table is sorted."""
    usually: Usual = Usual.WEEKS
    """Of which days the page is where the address is silent."""

    @property
    def part(self) -> Part:
        """As the store is asked."""
        site = None if not self.site else "" if self.site == NO_SITE else self.site
        return Part(site, self.station or None)

    @property
    def days(self) -> dict[str, str]:
        """The days as an address has them; nothing for those that every page opens with."""
        if self.usual is self.usually:
            return {}
        if self.usual is not None:
            return {"span": self.usual.value}
        return {"from": self.span.first.isoformat(), "to": self.span.last.isoformat()}

    @property
    def stem(self) -> str:
        """What files about it are called after what they show: where, and which days."""
        return stem_of((self.site, self.station), (self.span.first, self.span.last))

    @property
    def view(self) -> dict[str, str]:
        """What every page under Insight can be about: the days, the site, the station."""
        return {**self.days, "site": self.site, "station": self.station}

    def address(self, path: str, **changes: str) -> str:
        """The address of a page about the same; ``changes`` of what else it says, an empty one leaves it out."""
        said = {**self.view, **dict(self.rest), **changes}
        given = {name: value for name, value in said.items() if value}
        return path + (f"?{urlencode(given)}" if given else "")

    def over(self, which: Usual, today: date) -> Asked:
        """The same over a span by its name."""
        return replace(self, span=usual(which, today), usual=which)

    def at(self, site: str = "", station: str = "") -> Asked:
        """The same about a site or a station, as an address has them."""
        return replace(self, site=site, station=station)

    def sessions(self, **also: str) -> str:
        """Where the sessions behind it are listed."""
        about = {"since": self.span.first.isoformat(), "until": self.span.last.isoformat()}
        given = about | {"site": self.site, "station": self.station} | also
        return "/sessions?" + urlencode({name: value for name, value in given.items() if value})


def asked_of(
    request: Request, today: date, also: Mapping[str, str], usually: Usual = Usual.WEEKS
) -> tuple[Asked, Refusal | None]:
    """What an address asks for, and why not where it makes no sense: then of the days that the page opens with.

    ``also``: what else this page understands, by name, with what holds where the address is silent.
    """
    names = ("span", "from", "to", *LISTED, *also)
    given = {name: request.query_params.get(name, "").replace("\0", "").strip()[:200] for name in names}
    rest = tuple((name, given[name]) for name, holds in also.items() if given[name] not in ("", holds))
    about = {"site": given["site"], "station": given["station"], "rest": rest, "usually": usually}
    name = Usual(given["span"]) if given["span"] in set(Usual) else usually
    try:
        span = _typed(given["from"], given["to"]) or _named(given["span"], name, today)
    except Refusal as refusal:
        return Asked(usual(name, today), name, **about), refusal  # type: ignore[arg-type]
    return Asked(span, name if span == usual(name, today) else named(span, today), **about), None  # type: ignore[arg-type]


def stem_of(places: Sequence[str], days: Sequence[date]) -> str:
    """What files are called after what they show: where, as addresses have it, and which days."""
    where = ("no-site" if one == NO_SITE else one for one in places)
    told = (ODD.sub("-", one).strip("-")[:LONGEST] for one in where)
    return "-".join([*filter(None, told), *(one.isoformat() for one in days)])


LISTED = ("site", "station")


def _typed(first: str, last: str) -> Span | None:
    """The days that were typed; None where none were. Refusal INVALID."""
    if not first and not last:
        return None
    try:
        return span_of(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:
        raise Refusal(Code.INVALID, phrase("Give two days, such as 2026-03-01 and 2026-03-28.")) from None


def _named(said: str, name: Usual, today: date) -> Span:
    """The days that go by a name; Refusal INVALID where there is no such name."""
    if said and said not in set(Usual):
        raise Refusal(Code.INVALID, phrase("A span is one of {names}.", names=", ".join(Usual)))
    return usual(name, today)


def span_name(which: Usual, today: date) -> str:
    """What a usual span is called, as it is today; a whole month goes by its name."""
    month = dated(usual(which, today).first, MONTH)
    return NAMES[which].filled(month=month) if which in NAMES else month


def said_days(span: Span) -> str:
    """From which day to which; the year once where it is the same."""
    if span.days == 1:
        return dated(span.first, DAY_AND_YEAR)
    pattern = DAY if span.first.year == span.last.year else DAY_AND_YEAR
    return phrase("{first} – {last}", first=dated(span.first, pattern), last=dated(span.last, DAY_AND_YEAR))


def said_part(asked: Asked, known: Known) -> Said:
    """What it is about: a site, a station, or all."""
    if asked.station:
        return phrase("station {name}", name=known.stations[asked.station].name)
    if asked.site == NO_SITE:
        return phrase("stations without a site")
    return phrase("site {name}", name=asked.site) if asked.site else phrase("all sites")


def said_asked(asked: Asked, known: Known) -> Said:
    """What a page is about, in words: days and place."""
    return joined((said_days(asked.span), said_part(asked, known)), ", ")
