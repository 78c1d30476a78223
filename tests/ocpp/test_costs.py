"""Prices and costs in each version's words, number by number, and what stations say that they can show."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from wattkeeper.charging.answer import Answer
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.standing import Standing, UnitPrices
from wattkeeper.charging.orders import AskDisplay, Order, Outcome, ShowCost, ShowPrice, ShowTotal
from wattkeeper.charging.station import Version
from wattkeeper.ocpp.dialects import DIALECTS
from wattkeeper.ocpp.frame import call_frame, result_frame

V16, V201 = Version.V16, Version.V201
CARD = "04A1B2C3D4E5F6"
NOON, ONE = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC)
PRICES = UnitPrices(kwh=Decimal("0.6"), hour=Decimal("1.2"), flat=Decimal("0.5"))
COST = ShowCost(
    ref="4711",
    cost=Decimal("1234567890.10"),
    at=NOON,
    register_wh=Decimal("1000500.75"),
    is_idle=False,
    standing=Standing(
        prices=PRICES, changes_at=ONE, then=UnitPrices(kwh=Decimal("0.3")), changes_at_wh=Decimal(20_000)
    ),
)
ASK = AskDisplay(currency="EUR")


def framed(version: Version, order: Order) -> str:
    """The order as it goes over the wire."""
    action, payload = DIALECTS[version].write(order)
    return call_frame("m1", action, payload)


def said(order: Order) -> dict[str, Any]:
    """What a DataTransfer of 1.6 holds."""
    action, payload = DIALECTS[V16].write(order)
    assert (action, payload["vendorId"]) == ("DataTransfer", "org.openchargealliance.costmsg")
    assert isinstance(payload["data"], str)
    return {"messageId": payload["messageId"], **json.loads(payload["data"], parse_float=Decimal)}


def test_a_running_cost_in_1_6() -> None:
    assert said(COST) == {
        "messageId": "RunningCost",
        "transactionId": 4711,
        "timestamp": "2026-03-01T12:00:00.000Z",
        "meterValue": 1000500,
        "cost": Decimal("1234567890.10"),
        "state": "Charging",
        "chargingPrice": {"kWhPrice": Decimal("0.6"), "hourPrice": Decimal("1.2"), "flatFee": Decimal("0.5")},
        "nextPeriod": {"atTime": "2026-03-01T13:00:00.000Z", "chargingPrice": {"kWhPrice": Decimal("0.3")}},
        "triggerMeterValue": {"atTime": "2026-03-01T13:00:00.000Z", "atEnergykWh": Decimal("20.000")},
    }


def test_a_price_and_a_total_in_1_6() -> None:
    price = ShowPrice(text="0,60 € je kWh", ref="4711", uid=CARD, message_id=1)
    assert said(price) == {"messageId": "SetUserPrice", "idToken": CARD, "priceText": "0,60 € je kWh"}
    total = ShowTotal(ref="4711", cost=Decimal("3.30"), text="5 kWh: 3.30", link="https://a.example/app/sessions/K")
    assert said(total) == {
        "messageId": "FinalCost",
        "transactionId": 4711,
        "cost": Decimal("3.30"),
        "priceText": "5 kWh: 3.30",
        "qrCodeText": "https://a.example/app/sessions/K",
    }


def test_in_2_0_1_a_cost_is_one_number_digit_by_digit() -> None:
    assert framed(V201, COST) == '[2,"m1","CostUpdated",{"totalCost":1234567890.10,"transactionId":"4711"}]'
    total = ShowTotal(ref="t-1", cost=Decimal("0.00"), text="")
    assert framed(V201, total) == '[2,"m1","CostUpdated",{"totalCost":0.00,"transactionId":"t-1"}]'
    answer = Answer(now=NOON, total=Decimal("0.30"))
    assert result_frame("m1", DIALECTS[V201].reply("TransactionEvent", answer)) == '[3,"m1",{"totalCost":0.30}]'
    assert DIALECTS[V16].reply("StopTransaction", answer) == {}


def test_a_price_in_2_0_1_is_a_text_of_bounded_length() -> None:
    _, payload = DIALECTS[V201].write(ShowPrice(text="ä" * 600, ref="t-1", uid=CARD, message_id=5))
    message: Any = payload["message"]
    assert message["transactionId"] == "t-1"
    assert message["message"] == {"format": "UTF8", "content": "ä" * 512}
    assert CARD not in str(payload)


@pytest.mark.parametrize(
    "order", [ShowPrice(text="x", ref="1", uid="", message_id=1), ShowTotal(ref="t", cost=Decimal(1), text="")]
)
def test_what_1_6_cannot_say_is_refused(order: Order) -> None:
    with pytest.raises(Refusal) as caught:
        DIALECTS[V16].write(order)
    assert caught.value.code is Code.INVALID


@pytest.mark.parametrize(
    ("version", "order"), [(V16, COST), (V201, COST), (V16, ShowPrice(text="x", ref="1", uid=CARD, message_id=1))]
)
def test_what_is_kept_of_it_can_be_written_as_json(version: Version, order: Order) -> None:
    kept = DIALECTS[version].redact(*DIALECTS[version].write(order))
    assert CARD not in json.dumps(kept)


def key(value: Any) -> dict[str, Any]:
    """A 1.6 answer about the key."""
    return {"configurationKey": [{"key": "CustomDisplayCostAndPrice", "readonly": True, "value": value}]}


def variable(component: str, name: str, value: str | None, instance: str = "") -> dict[str, Any]:
    """A result of GetVariables."""
    told: dict[str, Any] = {"component": {"name": component}, "variable": {"name": name}}
    if instance:
        told["variable"]["instance"] = instance
    status = "UnknownVariable" if value is None else "Accepted"
    return told | {"attributeStatus": status} | ({} if value is None else {"attributeValue": value})


def told(**variables: str | None) -> dict[str, Any]:
    """A 2.0.1 answer about costs; ``messages`` is the display's own."""
    instances = {"Available": "Cost", "Enabled": "Cost"}
    found = [
        variable("DisplayMessageCtrlr", "Available", value)
        if name == "messages"
        else variable("TariffCostCtrlr", name, value, instances.get(name, ""))
        for name, value in variables.items()
    ]
    return {"getVariableResult": found}


ANSWERS: list[tuple[Version, Any, tuple[int, int, int]]] = [
    (V16, key("true"), (1, 1, 0)),
    (V16, key("TRUE"), (1, 1, 0)),
    (V16, key("false"), (0, 0, 0)),
    (V16, {"unknownKey": ["CustomDisplayCostAndPrice"]}, (0, 0, 0)),
    (V16, {"configurationKey": "nonsense"}, (0, 0, 0)),
    (V16, {"configurationKey": [None, {"key": 1}, {"value": "true"}]}, (0, 0, 0)),
    (V201, told(Available="true"), (1, 0, 0)),
    (V201, told(Available="true", Enabled="false"), (0, 0, 0)),
    (V201, told(Available=None, messages="true"), (0, 1, 0)),
    (V201, told(Available="true", Currency="usd"), (1, 0, 1)),
    (V201, told(Available="true", Currency="eur"), (1, 0, 0)),
    (V201, {"getVariableResult": [variable("TariffCostCtrlr", "Available", "true")]}, (0, 0, 0)),
    (V201, {"getVariableResult": [None, {"component": 1, "variable": []}]}, (0, 0, 0)),
    (V201, {}, (0, 0, 0)),
]


@pytest.mark.parametrize(("version", "answer", "found"), ANSWERS)
def test_what_a_station_says_that_it_can_show(version: Version, answer: Any, found: tuple[int, int, int]) -> None:
    dialect = DIALECTS[version]
    action, _ = dialect.write(ASK)
    figures = dialect.settle(ASK, action, answer).figures
    assert tuple(figures.get(name, 0) for name in ("shows_cost", "shows_price", "other_currency")) == found


def test_an_echo_of_the_cards_number_is_masked() -> None:
    order = ShowPrice(text="x", ref="1", uid=CARD, message_id=1)
    settled = DIALECTS[V16].settle(order, "DataTransfer", {"status": "Rejected", "data": f"no {CARD}"})
    assert settled.outcome is Outcome.REJECTED
    assert CARD not in str(settled.words)
