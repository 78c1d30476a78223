"""Messages of OCPP 1.6 on a link that agreed on 2.0.1: some stations send them."""

from __future__ import annotations

from collections.abc import Mapping

from wattkeeper.charging.phrase import phrase
from wattkeeper.ocpp.dialect import ErrorCode, Unreadable

_TELLTALES: Mapping[str, tuple[frozenset[str], str]] = {
    "Authorize": (frozenset({"idTag"}), "idToken"),
    "BootNotification": (frozenset({"chargePointVendor", "chargePointModel"}), "chargingStation"),
    "MeterValues": (frozenset({"connectorId", "transactionId"}), "evseId"),
    "StatusNotification": (frozenset({"errorCode", "status"}), "connectorStatus"),
}
"""For the actions that both versions have: the members only 1.6 has, and the one that 2.0.1 cannot do without."""


def refuse_mismatch(action: str, payload: object) -> None:
    """Raise `Unreadable` (protocol) for a payload in the shape of 1.6."""
    telltale = _TELLTALES.get(action)
    if telltale is None or not isinstance(payload, Mapping):
        return
    members, needed = telltale
    if needed not in payload and not members.isdisjoint(payload):
        raise Unreadable(
            ErrorCode.PROTOCOL,
            phrase("Protocol mismatch: this {action} is OCPP 1.6, this link speaks OCPP 2.0.1.", action=action),
        )
