"""Prices in words: each with its money as the reader's language writes it, and when it holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from wattkeeper.charging.money.tariffs.offered import Offered, offered
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Tariff, with_tax
from wattkeeper.charging.phrase import Money, joined, phrase
from wattkeeper.operations.money.tariffs.conditions import conditions

FREE = phrase("Charging is free here.")
NOW, OTHERWISE = phrase("now"), phrase("otherwise")
"""Behind a price that holds where none of the others for the same does, just now or at other times."""
EACH = {
    Dimension.FLAT: phrase("{price} once for each session"),
    Dimension.ENERGY: phrase("{price} for each kWh"),
    Dimension.TIME: phrase("{price} for each hour of charging"),
    Dimension.PARKING_TIME: phrase("{price} for each hour plugged in without charging"),
}
EACH_RESERVED = {
    Dimension.FLAT: phrase("{price} once for each reservation"),
    Dimension.TIME: phrase("{price} for each hour reserved"),
}


def said(tariff: Tariff, at: datetime) -> tuple[str, ...]:
    """A tariff in words, in its own order, with the tax of the day of an instant."""
    tariff = tariff.on(at)
    return _told(tariff, [Offered(*offer) for offer in tariff.offers if offer[0].price or offer[1].is_bound])


def said_at(tariff: Tariff, at: datetime) -> tuple[str, ...]:
    """A tariff in words, as a driver pays it who begins at an instant: what holds then stands first."""
    tariff = tariff.on(at)
    return _told(tariff, offered(tariff, at))


def _told(tariff: Tariff, offers: Sequence[Offered]) -> tuple[str, ...]:
    """Prices in words, with the least and the most that a session costs."""
    if tariff.is_free:
        return (FREE,)
    bounds = (
        (phrase("at least {price} for each session"), tariff.least),
        (phrase("at most {price} for each session"), tariff.most),
    )
    told = [words.filled(price=_amount(bound.gross or bound.net, tariff)) for words, bound in bounds if bound]
    return (*(_said(one, tariff) for one in offers), *told)


def _said(one: Offered, tariff: Tariff) -> str:
    """One price, its step, and when it holds."""
    each = (EACH_RESERVED if one.when.reservation else EACH)[one.component.dimension]
    words = each.filled(price=_amount(with_tax(one.component, tariff), tariff))
    return joined((words, step_of(one.component), *holding(one)), ", ")


def holding(one: Offered) -> tuple[str, ...]:
    """When a price holds, in words; none: always."""
    if one.is_rest:
        return (NOW if one.is_now else OTHERWISE,)
    return conditions(one.when)


def step_of(one: Component) -> str:
    """What is rounded up to, in words; empty: nothing that anyone would notice."""
    if one.step_size <= 1 or one.dimension is Dimension.FLAT:
        return ""
    return phrase("in steps of {step}", step=step_size(one))


def step_size(one: Component) -> str:
    """A step with its unit."""
    return f"{one.step_size} Wh" if one.dimension is Dimension.ENERGY else _minutes(one.step_size)


def _minutes(seconds: int) -> str:
    """A step of time."""
    return f"{seconds} s" if seconds % 60 else f"{seconds // 60} min"


def _amount(amount: Decimal, tariff: Tariff) -> Money:
    """A price with its currency: every digit it has, and no fewer than the currency's."""
    shown = amount.quantize(Decimal(1).scaleb(-max(4, tariff.digits))).normalize()
    return Money(shown, tariff.currency, max(tariff.digits, -int(shown.as_tuple().exponent)))
