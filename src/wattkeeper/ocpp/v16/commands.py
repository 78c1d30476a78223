"""Orders in the words of OCPP 1.6 (chapters 5 and 6; security whitepaper edition 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.orders import (
    AnyCommand,
    AskDisplay,
    ChangeAvailability,
    ClearCache,
    GetListBounds,
    GetLocalListVersion,
    Order,
    Reset,
    ResetKind,
    SendLocalList,
    ShowCost,
    ShowMessage,
    ShowPrice,
    ShowTotal,
    StartCharging,
    StopCharging,
    Trigger,
    Unlock,
)
from wattkeeper.charging.phrase import phrase
from wattkeeper.ocpp.v16 import costs, local_list

Payload = dict[str, object]
Command = tuple[str, Mapping[str, object]]

_EXTENDED: Final = frozenset({"LogStatusNotification", "SignChargePointCertificate"})
"""What only ExtendedTriggerMessage can ask for."""


def _start(order: StartCharging) -> Command:
    """The connector is always named when known: some stations reject the command without it."""
    payload: Payload = {"idTag": order.uid}
    if order.evse:
        payload["connectorId"] = order.evse
    return "RemoteStartTransaction", payload


def _stop(order: StopCharging) -> Command:
    if not order.ref.removeprefix("-").isdecimal() or not order.ref.isascii():
        raise Refusal(Code.INVALID, phrase("A transaction of OCPP 1.6 is named by a whole number."), member="ref")
    return "RemoteStopTransaction", {"transactionId": int(order.ref)}


def _reset(order: Reset) -> Command:
    if order.evse is not None:
        raise Refusal(Code.INVALID, phrase("OCPP 1.6 resets the whole station, never one EVSE."), member="evse")
    return "Reset", {"type": "Hard" if order.kind is ResetKind.HARD else "Soft"}


def _trigger(order: Trigger) -> Command:
    payload: Payload = {"requestedMessage": order.message}
    if order.evse is not None:
        payload["connectorId"] = order.evse
    return "ExtendedTriggerMessage" if order.message in _EXTENDED else "TriggerMessage", payload


def _unlock(order: Unlock) -> Command:
    return "UnlockConnector", {"connectorId": order.evse}


def _change_availability(order: ChangeAvailability) -> Command:
    return "ChangeAvailability", {
        "connectorId": order.evse or 0,
        "type": "Operative" if order.operative else "Inoperative",
    }


def _show(order: ShowMessage) -> Command:
    raise Refusal(Code.INVALID, phrase("OCPP 1.6 has no command to show a message."), member="order")


def _any(order: AnyCommand) -> Command:
    return order.action, order.payload


COMMANDS: Mapping[type[Order], Callable[[Any], Command]] = {
    StartCharging: _start,
    StopCharging: _stop,
    Reset: _reset,
    Trigger: _trigger,
    Unlock: _unlock,
    ChangeAvailability: _change_availability,
    ShowMessage: _show,
    SendLocalList: local_list.send,
    GetLocalListVersion: local_list.ask_version,
    GetListBounds: local_list.ask_bounds,
    ClearCache: local_list.clear_cache,
    AskDisplay: costs.ask_display,
    ShowPrice: costs.show_price,
    ShowCost: costs.show_cost,
    ShowTotal: costs.show_total,
    AnyCommand: _any,
}
