"""Prices and costs on a 1.6 station's display, by the extension that California asks for.

OCPP 1.6 has no words of its own for money: the Open Charge Alliance's note "OCPP & California Pricing Requirements" has
them in DataTransfer, whose ``data`` is JSON within a text. A station that knows them says so by a configuration key.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import orjson

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.standing import UnitPrices
from wattkeeper.charging.orders import AskDisplay, ShowCost, ShowPrice, ShowTotal
from wattkeeper.charging.phrase import phrase
from wattkeeper.ocpp.frame import number
from wattkeeper.ocpp.wire.moment import written

Payload = dict[str, object]
Command = tuple[str, Mapping[str, object]]

VENDOR: Final = "org.openchargealliance.costmsg"
ENABLED: Final = "CustomDisplayCostAndPrice"


def ask_display(order: AskDisplay) -> Command:
    """GetConfiguration of the key by which a station says that it shows prices and costs."""
    return "GetConfiguration", {"key": [ENABLED]}


def show_price(order: ShowPrice) -> Command:
    """SetUserPrice: the price in words for whoever presented this token."""
    if not order.uid:
        raise Refusal(
            Code.INVALID, phrase("OCPP 1.6 tells a price to a card, and its number is not known."), member="uid"
        )
    return _transfer("SetUserPrice", {"idToken": order.uid, "priceText": order.text})


def show_cost(order: ShowCost) -> Command:
    """RunningCost: the cost up to a reading, and by what the station counts on until the next."""
    here = order.standing
    data: Payload = {
        "transactionId": _transaction(order.ref),
        "timestamp": written(order.at),
        "meterValue": int(order.register_wh),
        "cost": order.cost,
        "state": "Idle" if order.is_idle else "Charging",
        **_prices(here.prices),
    }
    if here.changes_at is not None and here.then is not None:
        data["nextPeriod"] = {"atTime": written(here.changes_at), **_prices(here.then)}
    triggers: Payload = {}
    if here.changes_at is not None:
        triggers["atTime"] = written(here.changes_at)
    if here.changes_at_wh is not None:
        triggers["atEnergykWh"] = here.changes_at_wh.scaleb(-3)
    if here.prices.idle_hour is not None:
        triggers["atCPStatus"] = ["Charging", "SuspendedEV", "SuspendedEVSE"]
    if triggers:
        data["triggerMeterValue"] = triggers
    return _transfer("RunningCost", data)


def show_total(order: ShowTotal) -> Command:
    """FinalCost: what the session cost, and where its receipt is."""
    data: Payload = {"transactionId": _transaction(order.ref), "cost": order.cost, "priceText": order.text}
    return _transfer("FinalCost", data | ({"qrCodeText": order.link} if order.link else {}))


def _prices(told: UnitPrices) -> Payload:
    """ChargingPrice, and IdlePrice where idle time costs something."""
    charging = {"kWhPrice": told.kwh or Decimal(0)} | _only(hourPrice=told.hour, flatFee=told.flat)
    if told.idle_hour is None:
        return {"chargingPrice": charging}
    grace = {} if told.idle_grace_min is None else {"graceMinutes": told.idle_grace_min}
    return {"chargingPrice": charging, "idlePrice": {**grace, "hourPrice": told.idle_hour}}


def _only(**told: Decimal | None) -> dict[str, Decimal]:
    """The members that say something."""
    return {name: value for name, value in told.items() if value is not None}


def _transaction(ref: str) -> int:
    if not ref.removeprefix("-").isdecimal() or not ref.isascii():
        raise Refusal(Code.INVALID, phrase("A transaction of OCPP 1.6 is named by a whole number."), member="ref")
    return int(ref)


def _transfer(message: str, data: Payload) -> Command:
    """A DataTransfer of the extension."""
    text = orjson.dumps(data, default=number).decode()
    return "DataTransfer", {"vendorId": VENDOR, "messageId": message, "data": text}


def figures(action: str, payload: Mapping[str, Any]) -> dict[str, int]:
    """What an answer tells of the display: both or neither."""
    entries = payload.get("configurationKey") if action == "GetConfiguration" else None
    told = [one for one in entries if isinstance(one, Mapping)] if isinstance(entries, list) else []
    values = [str(one.get("value", "")).strip().lower() for one in told if one.get("key") == ENABLED]
    return {name: int(values[0] in ("true", "1")) for name in ("shows_cost", "shows_price") if values}
