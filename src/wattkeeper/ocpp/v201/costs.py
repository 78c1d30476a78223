"""Prices and costs on a station's display in the words of OCPP 2.0.1 (I02, I03, O01; TariffCostCtrlr)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wattkeeper.charging.orders import AskDisplay, ShowCost, ShowPrice, ShowTotal

Payload = dict[str, object]
Command = tuple[str, Mapping[str, object]]

TARIFF_COST: Final = "TariffCostCtrlr"
COST: Final = (TARIFF_COST, "Available", "Cost")
COST_ENABLED: Final = (TARIFF_COST, "Enabled", "Cost")
CURRENCY: Final = (TARIFF_COST, "Currency", "")
MESSAGES: Final = ("DisplayMessageCtrlr", "Available", "")
ASKED: Final = (COST, COST_ENABLED, CURRENCY, MESSAGES)
LONGEST_TEXT: Final = 512
"""Characters of a message's content (MessageContentType)."""


def ask_display(order: AskDisplay) -> Command:
    """GetVariables of whether there is a display for costs and for messages, and in which currency."""
    return "GetVariables", {"getVariableData": [_variable(*one) for one in ASKED]}


def _variable(component: str, name: str, instance: str) -> Payload:
    variable: Payload = {"name": name}
    if instance:
        variable["instance"] = instance
    return {"component": {"name": component}, "variable": variable}


def show_price(order: ShowPrice) -> Command:
    """SetDisplayMessage for as long as the transaction runs: 2.0.1 tells prices in words alone."""
    return shown(order.message_id, order.ref, order.text[:LONGEST_TEXT])


def shown(message_id: int, ref: str, text: str) -> Command:
    """A text on the display while a transaction runs."""
    message: Payload = {
        "id": message_id,
        "priority": "InFront",
        "transactionId": ref,
        "message": {"format": "ASCII" if text.isascii() else "UTF8", "content": text},
    }
    return "SetDisplayMessage", {"message": message}


def show_cost(order: ShowCost | ShowTotal) -> Command:
    """CostUpdated (I02): with tax, in the currency that the station is set to."""
    return "CostUpdated", {"totalCost": order.cost, "transactionId": order.ref}


def figures(order: AskDisplay, payload: Mapping[str, Any]) -> dict[str, int]:
    """What an answer tells of the display; what is available and not switched off is shown."""
    results = payload.get("getVariableResult")
    told = dict(map(_told, (one for one in results if isinstance(one, Mapping)))) if isinstance(results, list) else {}
    on = told.get(COST_ENABLED, told.get(COST, "")) == "true" and told.get(COST, "true") == "true"
    currency = told.get(CURRENCY, "")
    return {
        "shows_cost": int(on),
        "shows_price": int(told.get(MESSAGES, "") == "true"),
        "other_currency": int(currency not in ("", order.currency.lower())),
    }


def _told(result: Mapping[str, Any]) -> tuple[tuple[str, str, str], str]:
    """A variable and its value, where the station gives one."""
    component, variable = (
        part if isinstance(part, Mapping) else {} for part in (result.get("component"), result.get("variable"))
    )
    name = str(component.get("name")), str(variable.get("name")), str(variable.get("instance") or "")
    return name, str(result.get("attributeValue") or "").strip().lower()
