"""Insight › Carbon: what the energy came to in carbon dioxide, by hour of the day, and by day or month."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from fastapi import APIRouter

from wattkeeper.charging.phrase import Figure, Phrase, Said, joined, phrase
from wattkeeper.charging.statistics.carbon import Emitted
from wattkeeper.operations.money.papers.sheet import Cell
from wattkeeper.operations.statistics.carbon import Carbons
from wattkeeper.web.operator.insight.carbon import each, kilograms
from wattkeeper.web.operator.insight.desks import CARBON
from wattkeeper.web.operator.insight.pictures.columns import Column, Drawn, Words, by_hour, by_span
from wattkeeper.web.operator.insight.pictures.drawing import Drawing
from wattkeeper.web.operator.insight.pictures.lacking import lacking
from wattkeeper.web.operator.insight.pictures.pictured import Desk, Picture, Scene, Sheet
from wattkeeper.web.operator.insight.pictures.spans import is_by_month, said_span
from wattkeeper.web.operator.insight.pictures.week import clock, rounded
from wattkeeper.web.operator.paper import Paper
from wattkeeper.web.operator.said import kwh

ZERO = Decimal(0)


class Show(StrEnum):
    """What is drawn of each hour."""

    CARBON = "carbon"
    GRID = "grid"
    ENERGY = "energy"


NAMES = {Show.CARBON: phrase("Carbon dioxide"), Show.GRID: phrase("For a kWh"), Show.ENERGY: phrase("Energy")}
DRAWN: dict[Show, Drawn[Emitted]] = {
    Show.CARBON: Drawn("kg", lambda one: one.grams.scaleb(-3), kilograms),
    Show.GRID: Drawn("g", lambda one: one.g_per_kwh or ZERO, each),
    Show.ENERGY: Drawn(
        "kWh",
        lambda one: one.energy_wh.scaleb(-3),
        lambda one: phrase("{value} kWh", value=kwh(one.energy_wh)),
        flows=True,
    ),
}
NOTES = {
    Show.CARBON: phrase("Carbon dioxide of the energy by hour of the day, kg, all days together."),
    Show.GRID: phrase("Carbon dioxide for a kWh by hour of the day, g, on the mean of the energy."),
    Show.ENERGY: phrase("Energy delivered by hour of the day, kWh, all days together."),
}
TITLES = {
    Show.CARBON: phrase("Most carbon between {since} and {until}: {value}"),
    Show.GRID: phrase("The grid carries most from {since} to {until}: {value} for a kWh"),
    Show.ENERGY: phrase("Most energy flows from {since} to {until}: {value}"),
}


def _exact(value: Decimal | None) -> Cell:
    return "" if value is None else rounded(value)


COLUMNS: Sequence[Column[Emitted]] = (
    Column(phrase("CO₂"), "carbon_kg", kilograms, lambda one: _exact(one.grams.scaleb(-3))),
    Column("kWh", "energy_kwh", lambda one: kwh(one.energy_wh), lambda one: one.energy_wh.scaleb(-3)),
    Column(phrase("CO₂ for a kWh"), "g_per_kwh", each, lambda one: _exact(one.g_per_kwh)),
    Column(
        phrase("kWh not told"), "unknown_kwh", lambda one: kwh(one.unknown_wh), lambda one: one.unknown_wh.scaleb(-3)
    ),
)


async def drawn(scene: Scene) -> list[Picture]:
    """The hours, and the days."""
    span = scene.asked.span
    found = await scene.rooms.statistics.carbon.of(
        scene.viewer, span, scene.sites, by_month=is_by_month(span), told_alone=False
    )
    if found.weighed.whole.known_wh <= 0:
        return [_nothing(scene, found)]
    return [_hours(scene, found), _spans(scene, found)]


def _nothing(scene: Scene, found: Carbons) -> Picture:
    """Where nothing is known."""
    title = phrase("Nobody told how much carbon the grid carries")
    if found.weighed.whole.energy_wh <= 0:
        title = phrase("No energy was delivered")
    note = phrase("It takes one figure, one for each hour of the day, or a file by the hour.")
    empty = Drawing.empty()
    lacks = lacking(scene, LACKS, found.untold)
    return Picture("hours", title, note, empty, empty, (), (), lambda: Sheet(_heads("hour"), ()), lacks=lacks)


LACKS = phrase("At {site} nobody told the carbon of the grid.")


def _heads(first: str) -> tuple[str, ...]:
    return (first, *(column.name for column in COLUMNS))


def _hours(scene: Scene, found: Carbons) -> Picture:
    """The hours of the day."""
    asked = dict(scene.asked.rest).get("show", "")
    show = Show(asked) if asked in set(Show) else Show.CARBON
    hours, whole = found.weighed.hours, found.weighed.whole
    drawing = DRAWN[show]
    top = max(range(24), key=lambda hour: drawing.value(hours[hour]))
    value = drawing.told(hours[top])
    title = TITLES[show].filled(since=clock(top), until=clock(top + 1), value=value)
    pick = [(name, scene.asked.address(CARBON, show=one.value), one is show) for one, name in NAMES.items()]
    note = joined((NOTES[show], _known(whole)))
    words = Words("hours", title, note, pick, lacking(scene, LACKS, found.untold))
    return by_hour(scene, hours, drawing, COLUMNS, words, _is_some)


def _known(whole: Emitted) -> Said:
    """What all of it came to, and of how much energy it is not known."""
    told = phrase("In all {mass} of CO₂, {each} for a kWh.", mass=kilograms(whole), each=each(whole))
    return told if whole.is_whole else joined((told, _unknown(whole)))


def _unknown(whole: Emitted) -> Phrase:
    part = Figure(whole.unknown_wh.scaleb(-3), 2, "kWh")
    return phrase(
        "Of {part} out of {whole} the grid’s carbon is not told; they are in none of it.",
        part=part,
        whole=Figure(whole.energy_wh.scaleb(-3), 2, "kWh"),
    )


def _spans(scene: Scene, found: Carbons) -> Picture:
    """The days, or the months."""
    spans = found.weighed.spans
    top, most = max(spans, key=lambda one: one[1].grams)
    title = phrase("Most carbon: {value}, {when}", value=kilograms(most), when=said_span(top))
    is_months = is_by_month(scene.asked.span)
    note = (
        phrase("Carbon dioxide of the energy by month, kg.")
        if is_months
        else phrase("Carbon dioxide of the energy by day, kg.")
    )
    words = Words("days", title, note)
    return by_span(scene, spans, DRAWN[Show.CARBON], COLUMNS, words, _is_some)


def _is_some(one: Emitted) -> bool:
    """Whether any energy flowed, so that there are sessions."""
    return one.energy_wh > 0


def router(paper: Paper) -> APIRouter:
    """``/insight/carbon`` and its files."""
    return Desk(paper, CARBON, {"show": Show.CARBON.value}, drawn).router()
