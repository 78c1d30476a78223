"""A station's own list of cards in the words of OCPP 2.0.1 (D01, D02, C11; LocalAuthListCtrlr)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wattkeeper.charging.orders import ClearCache, GetListBounds, GetLocalListVersion, ListEntry, Listing, SendLocalList
from wattkeeper.ocpp.v16.local_list import is_count
from wattkeeper.ocpp.wire.moment import written

Payload = dict[str, object]
Command = tuple[str, Mapping[str, object]]

ITEMS: Final = ("LocalAuthListCtrlr", "ItemsPerMessage")
BYTES: Final = ("LocalAuthListCtrlr", "BytesPerMessage")
CACHE: Final = ("AuthCacheCtrlr", "Enabled")
ENTRY_BYTES: Final = 200
"""The most that one entry takes in a message, with room to spare."""
_STATUSES: Final[Mapping[Listing, str]] = {Listing.ACCEPTED: "Accepted", Listing.BLOCKED: "Blocked"}


def send(order: SendLocalList) -> Command:
    """SendLocalList; an entry without idTokenInfo leaves the list (D01.FR.16)."""
    entries = [_entry(entry) for entry in order.entries]
    payload: Payload = {"versionNumber": order.version, "updateType": "Full" if order.full else "Differential"}
    if entries:
        payload["localAuthorizationList"] = entries
    return "SendLocalList", payload


def _entry(entry: ListEntry) -> Payload:
    token: Payload = {"idToken": entry.uid, "type": card_kind(entry.uid)}
    if entry.listing is Listing.REMOVED:
        return {"idToken": token}
    info: Payload = {"status": _STATUSES[entry.listing]}
    if entry.expires_at is not None:
        info["cacheExpiryDateTime"] = written(entry.expires_at)
    return {"idToken": token, "idTokenInfo": info}


def card_kind(uid: str) -> str:
    """How a reader at the station names this card's kind: ISO 15693 numbers are eight bytes that begin with E0."""
    return "ISO15693" if len(uid) == 16 and uid[:2].upper() == "E0" else "ISO14443"


def ask_version(order: GetLocalListVersion) -> Command:
    """GetLocalListVersion."""
    return "GetLocalListVersion", {}


def ask_bounds(order: GetListBounds) -> Command:
    """GetVariables of what bounds one message, and of the cache; how many entries fit is told only by reports."""
    asked = (ITEMS, BYTES, CACHE)
    data = [{"component": {"name": component}, "variable": {"name": name}} for component, name in asked]
    return "GetVariables", {"getVariableData": data}


def clear_cache(order: ClearCache) -> Command:
    """ClearCache."""
    return "ClearCache", {}


def figures(action: str, payload: Mapping[str, Any]) -> dict[str, int]:
    """The numbers that an answer tells of the list."""
    if action == "GetLocalListVersion":
        version = payload.get("versionNumber")
        return {"list_version": version} if isinstance(version, int) else {}
    if action != "GetVariables" or not isinstance(payload.get("getVariableResult"), list):
        return {}
    results = [result for result in payload["getVariableResult"] if isinstance(result, Mapping)]
    told = {_named(result): str(result.get("attributeValue", "")) for result in results if "attributeValue" in result}
    at_once = [int(told[ITEMS])] if is_count(told.get(ITEMS, "")) else []
    at_once += [int(told[BYTES]) // ENTRY_BYTES] if is_count(told.get(BYTES, "")) else []
    bound = {"most_at_once": max(1, min(at_once))} if at_once else {}
    return bound | ({"cache": int(told[CACHE].lower() == "true")} if CACHE in told else {})


def _named(result: Mapping[str, Any]) -> tuple[str, str]:
    """The component and variable that a result is about."""
    parts = (result.get("component"), result.get("variable"))
    component, variable = (str(part.get("name")) if isinstance(part, Mapping) else "" for part in parts)
    return component, variable
