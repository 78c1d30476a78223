"""OCPP 2.0.1 messages that carry sessions and energy: TransactionEvent, MeterValues, Authorize."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wattkeeper.charging.cards.token import Presented, TokenKind
from wattkeeper.charging.deviation import Deviation
from wattkeeper.charging.facts import (
    ChargingState,
    MetersRead,
    SessionEnded,
    SessionFact,
    SessionOpened,
    SessionUpdated,
    TokenPresented,
)
from wattkeeper.charging.phrase import phrase
from wattkeeper.ocpp.dialect import ErrorCode, Unreadable
from wattkeeper.ocpp.sampled import last_instant, readings
from wattkeeper.ocpp.wire.members import entries, inner, number, reservation, said, when
from wattkeeper.ocpp.wire.notes import Members, Notes

_TELLING = ("transactionInfo", "meterValue", "eventType", "idToken")
_CHARGING: Mapping[str, ChargingState] = {
    "Charging": ChargingState.CHARGING,
    "EVConnected": ChargingState.EV_CONNECTED,
    "SuspendedEV": ChargingState.SUSPENDED_EV,
    "SuspendedEVSE": ChargingState.SUSPENDED_EVSE,
    "Idle": ChargingState.IDLE,
}
_KINDS: Mapping[str, TokenKind] = {
    "ISO14443": TokenKind.RFID,
    "ISO15693": TokenKind.RFID,
    "eMAID": TokenKind.EMAID,
    "Central": TokenKind.CENTRAL,
    "KeyCode": TokenKind.KEYCODE,
    "Local": TokenKind.LOCAL,
    "MacAddress": TokenKind.MAC_ADDRESS,
    "NoAuthorization": TokenKind.NONE,
}


def authorize(members: Members, notes: Notes) -> TokenPresented:
    """Authorize; the token itself goes beside the fact."""
    return TokenPresented()


def happened(members: Members, notes: Notes) -> SessionFact:
    """TransactionEvent: Started, Updated or Ended."""
    if members.keys().isdisjoint(_TELLING):
        raise Unreadable(ErrorCode.OCCURRENCE, phrase("There is none of {members}.", members=", ".join(_TELLING)))
    transaction = inner(members, "transactionInfo")
    at = when(members, notes)
    step: dict[str, Any] = {
        "at": at,
        "ref": _transaction(transaction),
        "seq": number(members, "seqNo", notes),
        "offline": members.get("offline") is True,
        "trigger": said(members, "triggerReason"),
        "charging": _CHARGING.get(said(transaction, "chargingState") or ""),
        "readings": readings(entries(members, "meterValue"), notes, at),
    }
    evse = members.get("evse")
    if isinstance(evse, Mapping):
        step["evse"] = number(evse, "id", notes)
        step["connector"] = number(evse, "connectorId", notes)
    return _BUILDERS[_event(members, transaction, notes)](step, members, transaction, notes)


def metered(members: Members, notes: Notes) -> MetersRead:
    """MeterValues; EVSE 0 is the main meter."""
    if "meterValue" not in members:
        raise Unreadable(ErrorCode.OCCURRENCE, phrase("The member {member} is missing.", member="meterValue"))
    found = readings(entries(members, "meterValue"), notes)
    return MetersRead(at=last_instant(found), evse=number(members, "evseId", notes), readings=found)


def presented(members: Members, notes: Notes) -> Presented | None:
    """The token of a message with the kind it says; one that says none is taken for a card."""
    token = members.get("idToken")
    if not isinstance(token, Mapping):
        return None
    uid = token.get("idToken")
    kind = _KINDS.get(said(token, "type") or "", TokenKind.RFID)
    if kind is TokenKind.NONE:
        return Presented(uid if isinstance(uid, str) else "", kind)
    if not isinstance(uid, str) or uid == "":
        notes.add(Deviation.EMPTY_CARD)
        return None
    return Presented(uid, kind)


def _transaction(transaction: Members) -> str | None:
    value = transaction.get("transactionId")
    return value if isinstance(value, str) and value else None


def _event(members: Members, transaction: Members, notes: Notes) -> str:
    """The kind of event; where it is not said, a stop reason tells an end and the first number a start."""
    event = said(members, "eventType")
    if event is not None and event in _BUILDERS:
        return event
    notes.add(Deviation.GUESSED_EVENT)
    if "stoppedReason" in transaction:
        return "Ended"
    return "Started" if members.get("seqNo") == 0 else "Updated"


def _opened(step: dict[str, Any], members: Members, transaction: Members, notes: Notes) -> SessionOpened:
    return SessionOpened(
        **step,
        reservation=reservation(members, notes),
        remote_start=number(transaction, "remoteStartId", notes),
    )


def _updated(step: dict[str, Any], members: Members, transaction: Members, notes: Notes) -> SessionUpdated:
    return SessionUpdated(**step)


def _ended(step: dict[str, Any], members: Members, transaction: Members, notes: Notes) -> SessionEnded:
    """Without a stop reason it was Local (2.0.1 E06 remark on stoppedReason)."""
    return SessionEnded(**step, reason=said(transaction, "stoppedReason") or "Local")


_BUILDERS: Mapping[str, Callable[[dict[str, Any], Members, Members, Notes], SessionFact]] = {
    "Started": _opened,
    "Updated": _updated,
    "Ended": _ended,
}
