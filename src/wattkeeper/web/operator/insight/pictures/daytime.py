"""Insight › Time of day: energy by hour of the day, what it cost by the terms of its sites, what was billed for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from fastapi import APIRouter

from wattkeeper.charging.money.exact import MICRO, divided, shown
from wattkeeper.charging.phrase import Figure, Money, Phrase, Said, joined, phrase
from wattkeeper.operations.money.papers.sheet import Cell
from wattkeeper.operations.statistics.daytime import Day, Hour
from wattkeeper.web.operator.insight.desks import HOURS
from wattkeeper.web.operator.insight.pictures.columns import Column, Drawn, Words, by_hour
from wattkeeper.web.operator.insight.pictures.lacking import lacking
from wattkeeper.web.operator.insight.pictures.pictured import Desk, Picture, Scene
from wattkeeper.web.operator.insight.pictures.week import clock, rounded
from wattkeeper.web.operator.insight.unknown import said_other_money
from wattkeeper.web.operator.paper import Paper
from wattkeeper.web.operator.said import NOTHING, kwh, money


class Show(StrEnum):
    """What is drawn of each hour."""

    ENERGY = "energy"
    BOUGHT = "bought"
    BILLED = "billed"


NAMES = {Show.ENERGY: phrase("Energy"), Show.BOUGHT: phrase("Bought"), Show.BILLED: phrase("Billed")}
NOTES = {
    Show.ENERGY: phrase("Energy delivered by hour of the day, kWh, all days together."),
    Show.BOUGHT: phrase(
        "What the energy cost by hour of the day, by the terms of its sites, without their peak charge."
    ),
    Show.BILLED: phrase("Billed with tax by the hour of the day in which the energy flowed, all days together."),
}
TITLES = {
    Show.BOUGHT: phrase("{amount} paid for energy from {since} to {until}"),
    Show.BILLED: phrase("{amount} billed for {since} to {until}"),
}
EMPTY = {
    Show.ENERGY: phrase("No energy was delivered"),
    Show.BOUGHT: phrase("Nobody told what energy costs"),
    Show.BILLED: phrase("Nothing was billed"),
}
ELSEWHERE = phrase("Nothing was billed in the currency of this installation")
LACKS = phrase("At {site} nobody told what energy costs.")


class Amounts:
    """Puts hours into figures, in the installation's money."""

    def __init__(self, currency: str, digits: int, whole: Hour) -> None:
        self._currency, self._digits = currency, digits
        self._has_bills = whole.total.gross_minor != 0
        self._is_told = whole.bought.known_wh > 0
        self._is_partial = self._is_told and not whole.bought.is_whole

    def bought(self, hour: Hour) -> Money | str:
        """What the energy cost, as far as it is told."""
        return self._money(hour.bought.amount) if hour.bought.known_wh > 0 else NOTHING

    def billed(self, hour: Hour) -> Money:
        """What was billed, with tax."""
        return money(hour.total.gross_minor, self._currency, self._digits)

    def margin(self, hour: Hour) -> Fraction | None:
        """Billed less bought, for a kWh; None where it is not known, or nothing was billed at all."""
        return hour.margin_per_kwh if self._has_bills else None

    def each(self, minor: Fraction | None) -> Money | str:
        """An amount for a kWh, to a tenth of the smallest coin."""
        if minor is None:
            return NOTHING
        return Money(self.major(minor), self._currency, self._digits + 1)

    def _money(self, minor: Decimal) -> Money:
        return Money(minor.scaleb(-self._digits), self._currency, self._digits)

    def major(self, minor: Fraction | Decimal) -> Decimal:
        """Minor units as the major one, to a millionth."""
        return shown(divided(Fraction(minor), 10**self._digits), MICRO)

    def drawn(self, show: Show) -> Drawn[Hour]:
        """What is drawn of it."""
        if show is Show.BOUGHT:
            return Drawn(self._currency, lambda one: self.major(one.bought.amount), self.bought)
        if show is Show.BILLED:
            return Drawn(self._currency, lambda one: self.major(Decimal(one.total.gross_minor)), self.billed)
        return ENERGY

    def columns(self) -> Sequence[Column[Hour]]:
        """What is told of money."""

        def maybe(of: Callable[[Hour], Fraction | None]) -> Callable[[Hour], Cell]:
            def cell(hour: Hour) -> Cell:
                found = of(hour)
                return "" if found is None else rounded(self.major(found))

            return cell

        def bought_each(hour: Hour) -> Fraction | None:
            each = hour.bought.per_kwh
            return None if each is None else Fraction(each)

        return (
            Column(
                phrase("Bought") if self._is_told else "",
                "bought",
                self.bought,
                lambda one: self.major(one.bought.amount),
            ),
            Column(phrase("Billed"), "billed", self.billed, lambda one: self.major(Decimal(one.total.gross_minor))),
            Column(
                phrase("Margin, a kWh") if self._is_told else "",
                "margin_per_kwh",
                lambda one: self.each(self.margin(one)),
                maybe(self.margin),
            ),
            Column("", "bought_per_kwh", lambda one: self.each(bought_each(one)), maybe(bought_each)),
            Column(
                "", "billed_per_kwh", lambda one: self.each(one.billed_per_kwh), maybe(lambda one: one.billed_per_kwh)
            ),
            Column(
                phrase("kWh not told") if self._is_partial else "",
                "unpriced_kwh",
                lambda one: kwh(one.bought.unknown_wh),
                lambda one: one.bought.unknown_wh.scaleb(-3),
            ),
        )


ENERGY: Drawn[Hour] = Drawn(
    "kWh",
    lambda one: one.total.energy_wh.scaleb(-3),
    lambda one: phrase("{value} kWh", value=kwh(one.total.energy_wh)),
    flows=True,
)
OF_ENERGY: Column[Hour] = Column(
    "kWh", "energy_kwh", lambda one: kwh(one.total.energy_wh), lambda one: one.total.energy_wh.scaleb(-3)
)


async def drawn(scene: Scene) -> list[Picture]:
    """The hours of the day."""
    site = scene.asked.part.site
    day = await scene.rooms.statistics.daytime.of(scene.viewer, scene.asked.span, site, scene.sites)
    amounts = Amounts(*scene.currency, day.whole)
    show = _shown(scene, day)
    drawing = amounts.drawn(show)
    columns = (OF_ENERGY, *amounts.columns()) if day.knows_money else (OF_ENERGY,)
    pick = [(name, scene.asked.address(HOURS, show=one.value), one is show) for one, name in NAMES.items()]
    title = _title(show, drawing, day)
    note = joined((NOTES[show], _said(amounts, day))) if day.knows_money else NOTES[show]
    lacks = lacking(scene, LACKS, day.untold)
    words = Words("hours", title, note, pick if day.knows_money else (), lacks)
    return [by_hour(scene, day.hours, drawing, columns, words, lambda one: one.total.energy_wh > 0)]


def _shown(scene: Scene, day: Day) -> Show:
    """What is asked for; energy for whoever may not know amounts."""
    asked = dict(scene.asked.rest).get("show", "")
    return Show(asked) if asked in set(Show) and day.knows_money else Show.ENERGY


def _title(show: Show, drawing: Drawn[Hour], day: Day) -> Said:
    """The answer."""
    top = max(range(24), key=lambda hour: drawing.value(day.hours[hour]))
    if drawing.value(day.hours[top]) <= 0:
        return ELSEWHERE if show is Show.BILLED and day.other_money else EMPTY[show]
    times = {"since": clock(top), "until": clock(top + 1)}
    if show is not Show.ENERGY:
        return TITLES[show].filled(amount=drawing.told(day.hours[top]), **times)
    part = divided(100 * day.hours[top].total.energy_wh, day.whole.total.energy_wh)
    return phrase("{part} of the energy flows from {since} to {until}", part=Figure(part, 0, "%"), **times)


def _said(amounts: Amounts, day: Day) -> Said:
    """What all of it came to, and what of it is not known."""
    whole = day.whole
    told: list[Said] = []
    if whole.bought.known_wh > 0:
        told.append(phrase("Bought for {bought}, billed {billed} with tax.", **_both(amounts, whole)))
    margin = amounts.margin(whole)
    if margin is not None:
        told.append(MARGIN.filled(margin=amounts.each(margin)))
    if not whole.bought.is_whole:
        told.append(_unknown(whole))
    told.append(said_other_money(day.other_money))
    return joined(told)


MARGIN = phrase(
    "A kWh leaves {margin}: billed with tax less bought, over all energy, also what was billed to nobody; "
    "tax and peak charge are still to be paid of it."
)


def _both(amounts: Amounts, whole: Hour) -> dict[str, Money | str]:
    return {"bought": amounts.bought(whole), "billed": amounts.billed(whole)}


def _unknown(whole: Hour) -> Phrase:
    part = Figure(whole.bought.unknown_wh.scaleb(-3), 2, "kWh")
    energy = Figure(whole.bought.energy_wh.scaleb(-3), 2, "kWh")
    return phrase(
        "Of {part} out of {whole} the price is not told; where some is missing no margin is.", part=part, whole=energy
    )


def router(paper: Paper) -> APIRouter:
    """``/insight/hours`` and its files."""
    return Desk(paper, HOURS, {"show": Show.ENERGY.value}, drawn).router()
