"""Insight › Load: the power of a site over time, its highest quarter hour, and that of each site and day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from fastapi import APIRouter

from wattkeeper.charging.money.exact import divided
from wattkeeper.charging.phrase import Figure, Phrase, Said, joined, phrase
from wattkeeper.charging.statistics.load import Peak, Stretched, by_day, power, stretched
from wattkeeper.charging.statistics.share import QUARTER
from wattkeeper.charging.statistics.span import DAY, midnight
from wattkeeper.operations.statistics.when import Load
from wattkeeper.web.operator.insight.asked import WITHOUT
from wattkeeper.web.operator.insight.desks import LOAD
from wattkeeper.web.operator.insight.pictures.drawing import NARROW_PX, WIDE_PX, Drawing, Stretch, curve
from wattkeeper.web.operator.insight.pictures.pictured import Desk, Picture, Scene, Sheet, Shown, at_place
from wattkeeper.web.operator.paper import Paper
from wattkeeper.web.operator.said import DAY as DAY_PATTERN
from wattkeeper.web.operator.said import DAY_AND_YEAR, dated, kw, kwh
from wattkeeper.web.operator.sessions.sessions import NO_SITE
from wattkeeper.web.operator.within import RAN

FINEST, MOST_STRETCHES, MOST_NARROW = 700, 240, 120
"""Up to how many quarter hours each is drawn; else in how many stretches, and on a narrow screen."""
HOUR = timedelta(hours=1)
PEAK_DAY = phrase("EEEE d MMM")
"""How the day of a peak is written (Unicode TR 35)."""


@dataclass(frozen=True, slots=True)
class Loads:
    """The load of the site that is looked at, or of all together, and then the peaks of all."""

    load: Load
    peaks: dict[str, Peak]


async def loads(scene: Scene) -> Loads:
    """The load of the site that is asked for; else of all together, and the peak of each."""
    when, site = scene.rooms.statistics.when, scene.asked.part.site
    peaks = {} if site is not None else await when.peaks(scene.viewer, scene.asked.span)
    return Loads(await when.load(scene.viewer, scene.asked.span, site), peaks)


async def drawn(scene: Scene) -> list[Picture]:
    """The curve, and the sites where none is chosen."""
    found = await loads(scene)
    peak = found.load.peak
    if peak is None:
        empty = Drawing.empty()
        title, note = phrase("No energy was delivered"), phrase("Mean power by quarter hour, kW.")
        return [Picture("load", title, note, empty, empty, (), (), lambda: Sheet(HEADS, ()))]
    made = [_curve(scene, found, peak)]
    return [*made, _sites(scene, found.peaks)] if len(found.peaks) > 1 else made


# --- the curve ----------------------------------------------------------------------------------------------------

HEADS = ("quarter_hour", "energy_kwh", "mean_kw", "spread_kwh")
PEAK, SPREAD_PEAK = (
    phrase("{place}: peak {power} kW, {when}"),
    phrase("{place}: peak {power} kW, {when}, had energy come evenly"),
)
SPREAD = phrase(
    "{part} of the peak’s energy came between readings more than half an hour apart and is taken to have come evenly: "
    "what the peak was, nobody knows."
)


def _curve(scene: Scene, found: Loads, peak: Peak) -> Picture:
    """The load over the span."""
    load = found.load
    given = [_drawing(scene, load, peak, width) for width in (WIDE_PX, NARROW_PX)]
    words = SPREAD_PEAK if peak.is_spread else PEAK
    title = words.filled(place=said_place(scene, load), power=kw(peak.power_w), when=said_at(scene, peak))
    notes = [joined((_note(load, peak, width), _highest(scene, found.peaks))) for width in (WIDE_PX, NARROW_PX)]
    heads = (phrase("Day"), phrase("Highest, kW"), phrase("at"), phrase("Spread evenly"), "kWh")
    return Picture(
        "load",
        title,
        notes[0],
        given[0],
        given[1],
        heads,
        list(_days(scene, load)),
        lambda: _sheet(scene, load),
        href=behind(scene, peak),
        narrow_note=None if notes[1] == notes[0] else notes[1],
    )


def _highest(scene: Scene, peaks: dict[str, Peak]) -> Said:
    """Which site has the highest peak, where there are several."""
    if len(peaks) < 2:
        return joined(())
    site = max(sorted(peaks), key=lambda one: peaks[one].power_w)
    peak, told = peaks[site], phrase("The highest of one site: {site}, {power} kW, {when}.")
    return told.filled(site=site or WITHOUT, power=kw(peak.power_w), when=said_at(scene, peak))


def said_place(scene: Scene, load: Load) -> Phrase | str:
    """Whose load it is: a site's by its name, or that of all there are."""
    if load.site is not None:
        return load.site or phrase("Stations without a site")
    alone = scene.known.sites[0] if len(scene.known.sites) == 1 else ""
    return alone or phrase("All sites together")


def spread(peak: Peak) -> str:
    """How much of a peak came between readings far apart; empty where none did."""
    return Figure(divided(peak.spread_w * 100, peak.power_w), 0, "%") if peak.spread_w else ""


def said_at(scene: Scene, peak: Peak) -> Phrase:
    """When a peak was: its day and its quarter hour."""
    there = peak.at.astimezone(scene.zone)
    clock = f"{there:%H:%M}"
    return phrase("{day} {clock}", day=dated(there.date(), PEAK_DAY), clock=clock)


def _note(load: Load, peak: Peak, width: int) -> Said:
    """What is drawn in a width, and how much of the peak is used on average."""
    quarters = max(1, (load.until - load.since) // QUARTER)
    mean = divided(power(load.energy_wh), quarters)
    part = Figure(divided(mean * 100, peak.power_w), 0, "%")
    told = phrase("On average {mean} kW, {part} of the peak.", mean=kw(mean), part=part)
    drawn = stretched({}, load.since, load.until, _stretches(load, width)).length
    each = phrase("Mean power by quarter hour, kW.") if drawn == QUARTER else MANY.filled(hours=hours_of(drawn))
    return joined((told, each, SPREAD.filled(part=spread(peak)) if peak.spread_w else ""))


MANY = phrase("Behind: the highest quarter hour of each {hours} h, kW; in front: their mean power.")


def hours_of(length: timedelta) -> str:
    """How many hours a stretch has."""
    quarters = length // QUARTER
    return f"{quarters // 4}" if quarters % 4 == 0 else f"{quarters // 4}.5"


def _stretches(load: Load, width: int) -> int:
    """In how many stretches a load is drawn in a width."""
    if width != WIDE_PX:
        return MOST_NARROW
    return FINEST if (load.until - load.since) // QUARTER <= FINEST else MOST_STRETCHES


def _drawing(scene: Scene, load: Load, peak: Peak, width: int) -> Drawing:
    """The curve in a width."""
    made = stretched(load.quarters, load.since, load.until, _stretches(load, width))
    values = [Stretch(*(one.scaleb(-3) for one in pair)) for pair in zip(made.most, made.mean, strict=True)]
    names = list(_names(scene, load, made, 10 if width == WIDE_PX else 4))
    text = phrase("{power} kW", power=kw(peak.power_w))
    return curve(values, names, "kW", width, ((peak.at - load.since) // made.length, text))


def _names(scene: Scene, load: Load, made: Stretched, most: int) -> Iterator[tuple[int, str]]:
    """What stands below the curve: days, or hours where there are few days."""
    span = scene.asked.span
    if span.days <= 2:
        each = 3 if most > 4 else 12
        for hour in range(0, span.days * 24, each):
            at = midnight(span.first, scene.zone) + hour * HOUR
            if at < load.until:
                yield (at - load.since) // made.length, f"{at.astimezone(scene.zone):%H:%M}"
        return
    days = max(1, (load.until - load.since) // DAY)
    for number in range(0, days, -(-days // most)):
        day = span.first + number * DAY
        yield (midnight(day, scene.zone) - load.since) // made.length, dated(day, DAY_PATTERN)


def _days(scene: Scene, load: Load) -> Iterator[list[Shown]]:
    """Each day with its highest quarter hour, which leads to the sessions that ran in it."""
    for one in by_day(load.quarters, load.spread, scene.zone):
        there = one.peak.at.astimezone(scene.zone)
        day = {"since": one.day.isoformat(), "until": one.day.isoformat(), "within": RAN}
        yield [
            Shown(said_day(one.day)),
            Shown(kw(one.peak.power_w), behind(scene, one.peak)),
            Shown(f"{there:%H:%M}", behind(scene, one.peak)),
            Shown(spread(one.peak), behind(scene, one.peak) if one.peak.spread_w else ""),
            Shown(kwh(one.energy_wh), scene.sessions(**day)),
        ]


def said_day(day: date) -> str:
    """A day with its year."""
    return dated(day, DAY_AND_YEAR)


def behind(scene: Scene, peak: Peak) -> str:
    """Where the sessions are that ran in a quarter hour."""
    bounds = (one.astimezone(scene.zone).isoformat() for one in (peak.at, peak.at + QUARTER))
    return scene.sessions(**dict(zip(("since", "until"), bounds, strict=True)), within=RAN)


def _sheet(scene: Scene, load: Load) -> Sheet:
    """Every quarter hour, those without energy too, and the one that goes on."""
    rows = []
    for number in range(-(-(load.until - load.since) // QUARTER)):
        at = load.since + number * QUARTER
        energy_wh = load.quarters.get(at, Decimal(0))
        told = energy_wh.scaleb(-3), power(energy_wh).scaleb(-3), load.spread.get(at, Decimal(0)).scaleb(-3)
        rows.append((at_place(at, scene.zone), *told))
    return Sheet(HEADS, rows)


# --- the sites ----------------------------------------------------------------------------------------------------


def _sites(scene: Scene, peaks: dict[str, Peak]) -> Picture:
    """The highest quarter hour of each site, as a table alone."""
    ordered: Sequence[tuple[str, Peak]] = sorted(peaks.items(), key=lambda one: (-one[1].power_w, one[0]))
    rows = []
    for site, peak in ordered:
        at = replace(scene, asked=scene.asked.at(site or NO_SITE))
        rows.append(
            [
                Shown(site or WITHOUT, at.asked.address(LOAD)),
                Shown(kw(peak.power_w), behind(at, peak)),
                Shown(said_at(scene, peak), behind(at, peak)),
                Shown(spread(peak), behind(at, peak) if peak.spread_w else ""),
            ]
        )
    heads = (phrase("Site"), phrase("Highest, kW"), phrase("at"), phrase("Spread evenly"))
    sheet = Sheet(
        ("site", "mean_kw", "quarter_hour", "spread_kw"),
        [
            (site, peak.power_w.scaleb(-3), at_place(peak.at, scene.zone), peak.spread_w.scaleb(-3))
            for site, peak in ordered
        ],
    )
    empty = Drawing.empty()
    title, note = phrase("The highest quarter hour of each site"), phrase("Mean power of a quarter hour, kW.")
    return Picture("sites", title, note, empty, empty, heads, rows, lambda: sheet)


def router(paper: Paper) -> APIRouter:
    """``/insight/load`` and its files."""
    return Desk(paper, LOAD, {}, drawn).router()
