"""Pictures of reliability: uptime over time and by port beside the 97 % that NEVI asks for, and when ports were out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from wattkeeper.charging.phrase import Figure, Phrase, Said, counted, joined, phrase
from wattkeeper.charging.statistics.span import Span, midnight
from wattkeeper.charging.statistics.uptime import Cause, Uptime
from wattkeeper.language import tell
from wattkeeper.operations.money.papers.sheet import Cell as Value
from wattkeeper.operations.statistics.reliability import Out, PortReport, Report
from wattkeeper.operations.statistics.sheets import OUTAGES, outage_cells
from wattkeeper.store.statistics.reliability import OutageRow, Spot
from wattkeeper.web.operator.insight import outages
from wattkeeper.web.operator.insight.asked import WITHOUT
from wattkeeper.web.operator.insight.pictures.drawing import (
    NARROW_PX,
    WIDE_PX,
    Block,
    Drawing,
    Lane,
    Mark,
    Missing,
    hanging,
    lanes,
)
from wattkeeper.web.operator.insight.pictures.pictured import Picture, Scene, Sheet, Shown
from wattkeeper.web.operator.insight.pictures.spans import MONTH_SHORT
from wattkeeper.web.operator.money.months import MONTH
from wattkeeper.web.operator.said import DAY, DAY_AND_YEAR, NOTHING, dated, duration, percent_up
from wattkeeper.web.operator.sessions.sessions import NO_SITE

LEAST = 97
"""Percent; more is asked for (23 CFR 680.116(b))."""
MOST_DAYS = 31
"""Up to how many days each is drawn; else months."""
MOST_PORTS, MOST_LANES, MOST_DRAWN = 24, 16, 5_000
"""How many ports are drawn by uptime and over time, and how many outages of these."""
DEPTHS: Mapping[Cause, int] = {Cause.FAULTED: 3, Cause.UNAVAILABLE: 2, Cause.OFFLINE: 1}
"""How much of its lane an outage fills: whoever sees no colour sees which it is."""
NOTE = phrase(
    "From 100 % down: how much of the time ports were out, by NEVI’s equation; framed: what does not count. "
    "The line is 97 %."
)


async def drawn(scene: Scene, report: Report) -> list[Picture]:
    """Uptime over time and by port, and when each port was out; none where no port is known."""
    if not report.ports:
        return []
    reliability, asked = scene.rooms.statistics.reliability, scene.asked
    spans = asked.span.each if asked.span.days <= MOST_DAYS else asked.span.months
    over = await reliability.over(scene.viewer, spans, asked.part)
    known = [(span, up) for span, up in zip(spans, over, strict=True) if up.known_s > 0]
    ordered = sorted(report.ports, key=lambda one: (-one.uptime.out_s, one.port.station, one.port.evse))
    were_out = [one for one in ordered if one.uptime.out_s > 0]
    shown = [one.port.spot for one in were_out[:MOST_LANES]]
    out = await reliability.out(scene.viewer, asked.span, shown, MOST_DRAWN)
    names = _names(scene, report)
    return [_over(scene, known), _ports(scene, report, names), _lanes(scene, were_out, names, out)]


# --- uptime -------------------------------------------------------------------------------------------------------


def _over(scene: Scene, known: Sequence[tuple[Span, Uptime]]) -> Picture:
    """Uptime by day or by month."""
    by_month = scene.asked.span.days > MOST_DAYS
    names = [dated(span.first, MONTH if by_month else DAY_AND_YEAR) for span, _ in known]
    hrefs = [_to(scene, span) for span, _ in known]
    values = [_missing(name, up, href) for name, (_, up), href in zip(names, known, hrefs, strict=True)]
    low = min(known, key=lambda one: _shares(one[1]), default=None)
    title: Said = phrase("Nothing is known of ports")
    if low is not None:
        when = dated(low[0].first, MONTH if by_month else DAY_AND_YEAR)
        title = phrase("Least up: {share}, {when}", share=percent_up(low[1].nevi), when=when)
        if low[1].found == 1:
            title = phrase("All ports were up all of the time")
        elif low[1].nevi == 1:
            title = phrase("Apart from what does not count, all ports were up all of the time")
    pattern, heads = (MONTH_SHORT, phrase("Month")) if by_month else (DAY, phrase("Day"))
    wide, narrow = (
        _hanging(values, [dated(span.first, pattern) for span, _ in known], width) for width in (WIDE_PX, NARROW_PX)
    )
    rows = [[Shown(name), *_cells(up, href)] for name, (_, up), href in zip(names, known, hrefs, strict=True)]
    sheet = [(span.first.isoformat(), *_figures(up)) for span, up in known]
    made = Sheet(("month" if by_month else "day", *HEADS), sheet)
    href = "" if low is None else _to(scene, low[0])
    return Picture("over", title, NOTE, wide, narrow, (heads, *COLUMNS), rows, lambda: made, href=href)


def _ports(scene: Scene, report: Report, names: Mapping[Spot, Said | str]) -> Picture:
    """Uptime by port, the least up first."""
    ordered = sorted(report.ports, key=lambda one: (*_shares(one.uptime), one.port.station, one.port.evse))
    shown = ordered[:MOST_PORTS]
    named = [(one, names[one.port.spot], _port(scene, one)) for one in ordered]
    stood = Counter(one.port.spot[1:] for one in ordered)
    values = [_missing(name, one.uptime, href) for one, name, href in named[:MOST_PORTS]]
    title = counted(
        "{some} of 1 port was up for more than 97 % of the time",
        "{some} of {count} ports were up for more than 97 % of the time",
        len(ordered),
        some=report.enough,
    )
    note: Said = NOTE
    if len(shown) < len(ordered):
        note = phrase("{note} The {count} that were up least; the table has all.", note=NOTE, count=len(shown))
    wide, narrow = (
        _hanging(values, [_short(one, moved=stood[one.port.spot[1:]] > 1) for one in shown], width)
        for width in (WIDE_PX, NARROW_PX)
    )
    rows = [[Shown(name), *_cells(one.uptime, href)] for one, name, href in named]
    made = Sheet(("site", "station", "port", *HEADS), [(*one.port.spot, *_figures(one.uptime)) for one in ordered])
    href = outages.to_outages(scene.asked) if scene.linked else ""
    return Picture("least-up", title, note, wide, narrow, (phrase("Port"), *COLUMNS), rows, lambda: made, href=href)


COLUMNS = (phrase("Up (NEVI)"), phrase("Nothing excluded"), phrase("Out"))
HEADS = ("uptime_nevi", "uptime_nothing_excluded", "outage_s", "excluded_s", "known_s")


def _hanging(values: Sequence[Missing], names: Sequence[str], width: int) -> Drawing:
    """The bars in a width, with as many names as there is room for."""
    room = 7 * max([len(str(tell(name))) for name in names], default=0) + 8
    each = max(1, -(-len(names) * room // width))
    return hanging(values, [name if place % each == 0 else "" for place, name in enumerate(names)], LEAST, width)


def _shares(up: Uptime) -> tuple[Decimal, Decimal]:
    """How much of the time ports were up, by NEVI's equation and with nothing excluded; all of it where none is known.

    By these they are in order: of those that were up as much, whatever was excluded comes first.
    """
    nevi, found = (Decimal(1) if share is None else share for share in (up.nevi, up.found))
    return nevi, found


def _missing(name: Said | str, up: Uptime, href: str) -> Missing:
    """How much of the time ports were up."""
    nevi, found = up.nevi or Decimal(0), up.found or Decimal(0)
    text = percent_up(up.nevi, 1)
    told = phrase(
        "{name}: {share} up, {found} with nothing excluded",
        name=name,
        share=percent_up(up.nevi),
        found=percent_up(up.found),
    )
    return Missing(Mark(nevi * 100, text, told, href), found * 100)


def _cells(up: Uptime, href: str) -> Iterator[Shown]:
    """The figures of a line, which lead to the outages behind them."""
    out = duration(timedelta(seconds=int(up.out_s))) if up.out_s > 0 else NOTHING
    for text in (percent_up(up.nevi), percent_up(up.found), out):
        yield Shown(text, "" if text == NOTHING else href)


def _figures(up: Uptime) -> tuple[Value, ...]:
    """The same exactly."""
    shares = ("" if share is None else share.quantize(Decimal("0.000001")) for share in (up.nevi, up.found))
    return (*shares, up.out_s, up.excluded_s, up.known_s)


def _to(scene: Scene, span: Span) -> str:
    """Where the outages of a span are listed."""
    if not scene.linked:
        return ""
    return outages.to_outages(replace(scene.asked, span=span, usual=None))


def _port(scene: Scene, one: PortReport) -> str:
    """Where the outages of a port at its site are listed."""
    port = one.port
    return (
        outages.to_outages(scene.asked.at(port.site or NO_SITE, port.station), port=port.evse) if scene.linked else ""
    )


def _names(scene: Scene, report: Report) -> dict[Spot, Said | str]:
    """What ports are called, with their sites where there are several."""
    spots = [one.port.spot for one in report.ports]
    names = {spot: outages.port_name(*spot[1:], scene.known.stations) for spot in spots}
    if len({site for site, *_ in spots}) < 2:
        return names
    return {spot: joined((name, spot[0] or WITHOUT), ", ") for spot, name in names.items()}


def _short(one: PortReport, *, moved: bool) -> str:
    """A port as there is room for it; with its site where it stood at several."""
    name = f"{one.port.label or one.port.station} {one.port.evse}"
    return f"{name} {one.port.site or tell(WITHOUT)}" if moved else name


# --- outages over time --------------------------------------------------------------------------------------------


def _lanes(scene: Scene, were_out: Sequence[PortReport], names: Mapping[Spot, Said | str], out: Out) -> Picture:
    """When ports were out and why, those that were out longest first; each where it stood."""
    since, until = scene.asked.span.bounds(scene.zone)
    until = min(until, scene.rooms.store.clock())
    shown = were_out[:MOST_LANES]
    by_spot: dict[Spot, list[OutageRow]] = {}
    for row in sorted(out.longest, key=lambda row: row.since):
        by_spot.setdefault((row.site, row.station, row.evse), []).append(row)
    made = [_lane(scene, one, names[one.port.spot], by_spot.get(one.port.spot, []), (since, until)) for one in shown]
    title: Said = phrase("No port was out")
    if shown:
        lasted = duration(timedelta(seconds=int(shown[0].uptime.out_s)))
        title = phrase("Longest out: {name}, {out}", name=names[shown[0].port.spot], out=lasted)
    wide, narrow = (
        lanes(made, [*_ticks(scene, since, until, most)], width) for width, most in ((WIDE_PX, 8), (NARROW_PX, 3))
    )
    heads = (phrase("Port"), phrase("Out"), *(outages.CAUSES[cause].word for cause in DEPTHS))
    table = [_causes(names[one.port.spot], _port(scene, one), out.causes.get(one.port.spot, {})) for one in shown]
    note, href = _lanes_note(len(shown), len(were_out), out), _port(scene, shown[0]) if shown else ""
    return Picture(
        "when", title, note, wide, narrow, heads, table, lambda: _when(scene, len(shown), len(were_out), out), href=href
    )


def _lanes_note(count: int, were_out: int, out: Out) -> Said:
    """What is drawn."""
    note: Said = phrase("When ports were out: full height: broken; two thirds: out of service; a third: not connected.")
    if count < were_out:
        note = phrase("{note} The {count} that were out longest, of {all}.", note=note, count=count, all=were_out)
    if out.is_all:
        return note
    most = Figure(Decimal(len(out.longest)), 0)
    return joined((note, phrase("Drawn are the {count} outages that lasted longest.", count=most)))


def _when(scene: Scene, count: int, were_out: int, out: Out) -> Sheet:
    """The outages that are drawn, the newest first; the name of the file says what it has not."""
    ending = f"-{count}-of-{were_out}-ports" if count < were_out else ""
    ending += "" if out.is_all else f"-longest-{len(out.longest)}"
    rows = sorted(out.longest, key=lambda row: row.since, reverse=True)
    return Sheet(OUTAGES, [outage_cells(row, scene.zone) for row in rows], ending)


def _lane(
    scene: Scene, one: PortReport, name: Said | str, rows: Sequence[OutageRow], bounds: tuple[datetime, datetime]
) -> Lane:
    """A port with its outages, in the order of time."""
    since, until = bounds
    href, whole = _port(scene, one), until - since

    def place(at: datetime) -> int:
        return int((min(max(at, since), until) - since) * 1000 / whole)

    blocks = [
        Block(place(row.since), place(row.until or until), DEPTHS[row.cause], _told(scene, row, until), href)
        for row in rows
    ]
    return Lane(name, duration(timedelta(seconds=int(one.uptime.out_s))), blocks)


def _told(scene: Scene, row: OutageRow, until: datetime) -> Phrase:
    """An outage in words."""
    there = row.since.astimezone(scene.zone)
    clock = f"{there:%H:%M}"
    when = phrase("{day} {clock}", day=dated(there.date(), DAY_AND_YEAR), clock=clock)
    lasted = duration((row.until or until) - row.since)
    return phrase("{when}: {why}, {lasted}", when=when, why=outages.CAUSES[row.cause].word, lasted=lasted)


def _causes(name: Said | str, href: str, spent: Mapping[Cause, timedelta]) -> list[Shown]:
    """How long a port was out in the span, and for which cause; by all of its outages."""
    each = [spent.get(cause, timedelta(0)) for cause in DEPTHS]
    told = [duration(span) if span else NOTHING for span in (sum(each, timedelta(0)), *each)]
    return [Shown(name), *(Shown(text, "" if text == NOTHING else href) for text in told)]


def _ticks(scene: Scene, since: datetime, until: datetime, most: int) -> Iterator[tuple[int, str]]:
    """What stands above the lanes: hours where there are few days, months where there are many."""
    span = scene.asked.span
    if span.days <= 2:
        each = timedelta(hours=24 * span.days // most)
        for at in (since + number * each for number in range(most)):
            if at < until:
                yield int((at - since) * 1000 / (until - since)), f"{at.astimezone(scene.zone):%H:%M}"
        return
    parts = span.each if span.days <= MOST_DAYS * 2 else span.months
    there = [one for one in parts if midnight(one.first, scene.zone) < until]
    pattern = DAY if span.days <= MOST_DAYS * 2 else MONTH_SHORT
    for one in there[:: max(1, -(-len(there) // most))]:
        yield int((midnight(one.first, scene.zone) - since) * 1000 / (until - since)), dated(one.first, pattern)
