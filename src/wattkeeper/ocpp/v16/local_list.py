"""A station's own list of cards in the words of OCPP 1.6 (3.5.2, 5.4, 5.10, 5.15; keys of 9.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wattkeeper.charging.orders import ClearCache, GetListBounds, GetLocalListVersion, ListEntry, Listing, SendLocalList
from wattkeeper.ocpp.wire.moment import written

Payload = dict[str, object]
Command = tuple[str, Mapping[str, object]]

LONGEST_TAG: Final = 20
"""Characters of an idTag (CiString20): longer numbers cannot be on a list."""
BOUNDS: Final[Mapping[str, str]] = {
    "LocalAuthListMaxLength": "most_entries",
    "SendLocalListMaxLength": "most_at_once",
}
CACHE: Final = "AuthorizationCacheEnabled"
_STATUSES: Final[Mapping[Listing, str]] = {Listing.ACCEPTED: "Accepted", Listing.BLOCKED: "Blocked"}


def send(order: SendLocalList) -> Command:
    """SendLocalList; an entry without idTagInfo leaves the list (7.1 AuthorizationData)."""
    entries = [_entry(entry) for entry in order.entries if len(entry.uid) <= LONGEST_TAG]
    payload: Payload = {"listVersion": order.version, "updateType": "Full" if order.full else "Differential"}
    if entries:
        payload["localAuthorizationList"] = entries
    return "SendLocalList", payload


def _entry(entry: ListEntry) -> Payload:
    if entry.listing is Listing.REMOVED:
        return {"idTag": entry.uid}
    info: Payload = {"status": _STATUSES[entry.listing]}
    if entry.expires_at is not None:
        info["expiryDate"] = written(entry.expires_at)
    return {"idTag": entry.uid, "idTagInfo": info}


def ask_version(order: GetLocalListVersion) -> Command:
    """GetLocalListVersion."""
    return "GetLocalListVersion", {}


def ask_bounds(order: GetListBounds) -> Command:
    """GetConfiguration of the keys that bound the list, and of whether there is a cache."""
    return "GetConfiguration", {"key": [*BOUNDS, CACHE]}


def clear_cache(order: ClearCache) -> Command:
    """ClearCache."""
    return "ClearCache", {}


def figures(action: str, payload: Mapping[str, Any]) -> dict[str, int]:
    """The numbers that an answer tells of the list."""
    if action == "GetLocalListVersion":
        version = payload.get("listVersion")
        return {"list_version": version} if isinstance(version, int) else {}
    if action != "GetConfiguration" or not isinstance(payload.get("configurationKey"), list):
        return {}
    entries = [entry for entry in payload["configurationKey"] if isinstance(entry, Mapping)]
    told = {str(entry.get("key")): str(entry.get("value", "")) for entry in entries}
    counts = {ours: int(told[key]) for key, ours in BOUNDS.items() if is_count(told.get(key, ""))}
    return counts | ({"cache": int(told[CACHE].lower() == "true")} if CACHE in told else {})


def is_count(text: str) -> bool:
    """Whether a text is a whole number of at most nine digits."""
    return text.isascii() and text.isdecimal() and len(text) <= 9
