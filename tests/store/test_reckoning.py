"""What was used and what it came to stand on their own: whoever has them as text can price them again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given

from tests.laws.test_money import ANY, NOON, USAGES, D
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.bill import Bill, price
from wattkeeper.charging.money.tariffs.tariff import Tariff, check
from wattkeeper.charging.money.usage import Usage, planned
from wattkeeper.store.money.tariffs.ocpi import of_ocpi, to_ocpi
from wattkeeper.store.money.tariffs.reckoning import bare, bill_of, bill_told, usage_of, usage_told

PRICES = {
    "currency": "EUR",
    "x_time_zone": "Europe/Berlin",
    "x_tax_rates": [{"name": "DE", "percent": "19", "since": "2021-01-01"}],
    "elements": [
        {"price_components": [{"type": "ENERGY", "price": "0.5", "x_tax_rate": "DE"}], "restrictions": {"max_kwh": 2}},
        {"price_components": [{"type": "ENERGY", "price": "0.6", "vat": "7"}, {"type": "FLAT", "price": "0.1"}]},
    ],
}


WRONG = (ValueError, KeyError, TypeError, AttributeError, Refusal)


def written(one: Usage, tariff: Tariff) -> str:
    """A usage, a tariff and what they come to, as text."""
    values = {"usage": usage_told(one), "tariff": to_ocpi(tariff), "bill": bill_told(price(one, tariff))}
    return orjson.dumps(bare(values), option=orjson.OPT_SORT_KEYS).decode()


def read(values: Any) -> tuple[Usage, Tariff, Bill]:
    """The same again."""
    return usage_of(values["usage"]), check(of_ocpi(values["tariff"])), bill_of(values["bill"])


def holds(values: Any) -> bool:
    """Whether it comes out the same to whoever prices it again."""
    one, tariff, bill = read(values)
    return price(one, tariff) == bill


def told() -> Any:
    """A usage, a tariff and what they come to, as plain values."""
    return orjson.loads(written(planned(NOON, D(5000), D(3600), D(60)), check(of_ocpi(PRICES))))


@given(USAGES, ANY)
def test_what_is_written_is_read_the_same_and_has_but_one_text(one: Usage, tariff: Tariff) -> None:
    try:
        check(tariff)
    except Refusal:
        return
    text = written(one, tariff)
    again = read(orjson.loads(text))
    assert again == (one, tariff, price(one, tariff))
    assert written(*again[:2]) == text


def test_it_is_for_other_programs_too() -> None:
    values = told()
    first, *_ = values["usage"]["intervals"]
    assert (first["energy_wh"], first["since"], first["since_known"]) == ("5000", "2028-02-28T17:00:00Z", "estimated")
    assert sum(line["gross"] for line in values["bill"]["lines"]) == 322
    assert not any(isinstance(value, float) for value in everything(values)), "numbers are text or whole"


def everything(value: Any) -> list[Any]:
    """Every single value in it."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [each for one in inner for each in everything(one)]
    return [value]


CHANGES: dict[str, Callable[[Any], object]] = {
    "a price": lambda one: one["tariff"]["elements"][0]["price_components"][0].update(price="0.51"),
    "energy": lambda one: one["usage"]["intervals"][0].update(energy_wh="5001"),
    "a time": lambda one: one["usage"]["intervals"][0].update(until="2028-02-28T19:00:00Z"),
    "a line": lambda one: one["bill"]["lines"][0].update(exact_net="1.1"),
    "a cent": lambda one: one["bill"]["lines"][1].update(net=101, gross=120),
    "a rate": lambda one: one["tariff"]["x_tax_rates"][0].update(percent="16"),
    "a missing line": lambda one: one["bill"].update(lines=[]),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_changed_no_longer_holds(what: str) -> None:
    values = told()
    assert holds(values)
    CHANGES[what](values)
    assert not holds(values)


NONSENSE: dict[str, Callable[[Any], object]] = {
    "no usage": lambda one: one.pop("usage"),
    "a fraction of a cent": lambda one: one["bill"]["lines"][0].update(net=1.5),
    "a number as a number": lambda one: one["usage"]["intervals"][0].update(energy_wh=5000.5),
    "an endless number": lambda one: one["usage"]["intervals"][0].update(energy_wh="1e999999"),
    "an endlessly fine number": lambda one: one["usage"]["intervals"][0].update(energy_wh="1e-999999"),
    "no number": lambda one: one["usage"]["intervals"][0].update(energy_wh="NaN"),
    "not a number": lambda one: one["usage"]["intervals"][0].update(energy_wh="many"),
    "an end before its start": lambda one: one["usage"]["intervals"][0].update(until="2020-01-01T00:00:00Z"),
    "a time without a zone": lambda one: one["usage"]["intervals"][0].update(since="2020-01-01T00:00:00"),
    "a kind that does not exist": lambda one: one["usage"]["intervals"][0].update(kind="sleeping"),
    "a tariff that makes no sense": lambda one: one["tariff"].update(currency="euro"),
    "a zone that does not exist": lambda one: one["tariff"].update(x_time_zone="Mars/Olympus"),
    "a list": lambda one: one["usage"].update(intervals=7),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_what_makes_no_sense_is_refused(what: str) -> None:
    values = told()
    NONSENSE[what](values)
    with pytest.raises(WRONG):
        read(values)
