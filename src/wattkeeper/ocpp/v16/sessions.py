"""OCPP 1.6 messages that carry sessions and energy: StartTransaction, StopTransaction, MeterValues, Authorize."""

from __future__ import annotations

from decimal import Decimal

from wattkeeper.charging.cards.token import Presented
from wattkeeper.charging.deviation import Deviation
from wattkeeper.charging.facts import MetersRead, SessionEnded, SessionOpened, TokenPresented
from wattkeeper.charging.phrase import phrase
from wattkeeper.ocpp.dialect import ErrorCode, Unreadable
from wattkeeper.ocpp.sampled import last_instant, readings
from wattkeeper.ocpp.wire.amount import amount, whole
from wattkeeper.ocpp.wire.members import entries, number, reservation, said, when
from wattkeeper.ocpp.wire.notes import Members, Notes

LARGEST_TRANSACTION = 10**36


def authorize(members: Members, notes: Notes) -> TokenPresented:
    """Authorize (1.6 4.1); the token itself goes beside the fact."""
    return TokenPresented()


def started(members: Members, notes: Notes) -> SessionOpened:
    """StartTransaction (1.6 4.8); connector n is EVSE n with its only connector."""
    _need_one(members, "idTag", "meterStart", "timestamp", "connectorId")
    evse, connector = place(members, notes)
    return SessionOpened(
        at=when(members, notes),
        evse=evse,
        connector=connector,
        register_wh=_register(members, "meterStart", notes),
        reservation=reservation(members, notes),
    )


def stopped(members: Members, notes: Notes) -> SessionEnded:
    """StopTransaction (1.6 4.10); without a reason it was Local."""
    _need_one(members, "transactionId", "meterStop", "timestamp", "transactionData")
    at = when(members, notes)
    return SessionEnded(
        at=at,
        ref=transaction(members, notes),
        register_wh=_register(members, "meterStop", notes),
        reason=said(members, "reason") or "Local",
        readings=readings(entries(members, "transactionData"), notes, at),
    )


def metered(members: Members, notes: Notes) -> MetersRead:
    """MeterValues (1.6 4.7); connector 0 is the main meter."""
    _need_one(members, "meterValue")
    found = readings(entries(members, "meterValue"), notes)
    evse, connector = place(members, notes)
    return MetersRead(
        at=last_instant(found), ref=transaction(members, notes), evse=evse, connector=connector, readings=found
    )


def presented(members: Members, notes: Notes) -> Presented | None:
    """The card number of a message; None (and noted) where it was there but empty."""
    uid = members.get("idTag")
    if uid == "":
        notes.add(Deviation.EMPTY_CARD)
    return Presented(uid) if isinstance(uid, str) and uid else None


def place(members: Members, notes: Notes) -> tuple[int | None, int | None]:
    """EVSE and connector that a connectorId means."""
    evse = number(members, "connectorId", notes)
    return evse, 1 if evse else None


def transaction(members: Members, notes: Notes) -> str | None:
    """The transaction id as the station said it, in decimal."""
    value = members.get("transactionId")
    if type(value) is int and abs(value) < LARGEST_TRANSACTION:
        return str(value)
    if isinstance(value, str):
        return value or None
    if value is not None:
        whole(value, notes)
    return None


def _register(members: Members, name: str, notes: Notes) -> Decimal | None:
    value = members.get(name)
    return None if value is None else amount(value, notes)


def _need_one(members: Members, *names: str) -> None:
    """Refuse a message in which nothing at all is there."""
    if not any(name in members for name in names):
        raise Unreadable(ErrorCode.OCCURRENCE, phrase("There is none of {members}.", members=", ".join(names)))
