"""Orders in the words of OCPP 2.0.1."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from wattkeeper.charging.orders import (
    AnyCommand,
    AskDisplay,
    ChangeAvailability,
    ClearCache,
    ForgetCustomer,
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
from wattkeeper.ocpp.v201 import costs, local_list

Payload = dict[str, object]
Command = tuple[str, Mapping[str, object]]

_CARD = re.compile(r"(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{14}|[0-9A-Fa-f]{20})")
"""What the chip of a card answers with: 4, 7 or 10 bytes (ISO 14443-3)."""


def _token(uid: str) -> Payload:
    """The token's type is told from its form: the number of a card's chip, or one that the centre made."""
    return {"idToken": uid, "type": "ISO14443" if _CARD.fullmatch(uid) else "Central"}


def _forget(order: ForgetCustomer) -> Command:
    """One identifier only, and no report: what the station knows is not wanted (N10.FR.01, N10.FR.03)."""
    payload: Payload = {"requestId": order.request_id, "report": False, "clear": True}
    return "CustomerInformation", payload | {"idToken": _token(order.uid)}


def _start(order: StartCharging) -> Command:
    payload: Payload = {"idToken": _token(order.uid), "remoteStartId": order.remote_start}
    if order.evse:
        payload["evseId"] = order.evse
    return "RequestStartTransaction", payload


def _stop(order: StopCharging) -> Command:
    return "RequestStopTransaction", {"transactionId": order.ref}


def _reset(order: Reset) -> Command:
    payload: Payload = {"type": "Immediate" if order.kind is ResetKind.HARD else "OnIdle"}
    if order.evse is not None:
        payload["evseId"] = order.evse
    return "Reset", payload


def _trigger(order: Trigger) -> Command:
    """A status is asked of a connector (F06.FR.12), so that the EVSE's first one is named."""
    payload: Payload = {"requestedMessage": order.message}
    if order.evse is not None:
        evse: Payload = {"id": order.evse}
        if order.message == "StatusNotification":
            evse["connectorId"] = 1
        payload["evse"] = evse
    return "TriggerMessage", payload


def _unlock(order: Unlock) -> Command:
    return "UnlockConnector", {"evseId": order.evse, "connectorId": order.connector}


def _change_availability(order: ChangeAvailability) -> Command:
    payload: Payload = {"operationalStatus": "Operative" if order.operative else "Inoperative"}
    if order.evse:
        evse: Payload = {"id": order.evse}
        if order.connector is not None:
            evse["connectorId"] = order.connector
        payload["evse"] = evse
    return "ChangeAvailability", payload


def _show(order: ShowMessage) -> Command:
    return costs.shown(order.message_id, order.ref, order.text)


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
    ForgetCustomer: _forget,
    AskDisplay: costs.ask_display,
    ShowPrice: costs.show_price,
    ShowCost: costs.show_cost,
    ShowTotal: costs.show_cost,
    AnyCommand: _any,
}
