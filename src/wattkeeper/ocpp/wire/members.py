"""Single members of a payload, as the facts want them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from wattkeeper.charging.deviation import Deviation
from wattkeeper.charging.phrase import phrase
from wattkeeper.ocpp.dialect import ErrorCode, Unreadable
from wattkeeper.ocpp.wire.amount import whole
from wattkeeper.ocpp.wire.moment import moment
from wattkeeper.ocpp.wire.notes import Members, Notes
from wattkeeper.ocpp.wire.text import MASK

LONGEST_SUMMARY = 200


def said(members: Members, name: str) -> str | None:
    """A text as the station said it; None where it said none, an empty one, or one that must not be read."""
    value = members.get(name)
    return value if isinstance(value, str) and value and value != MASK else None


def when(members: Members, notes: Notes, name: str = "timestamp") -> datetime | None:
    """A time; None where there is none or it cannot be read."""
    return moment(members.get(name), notes)


def number(members: Members, name: str, notes: Notes) -> int | None:
    """An id or count, zero or more."""
    return whole(members.get(name), notes)


def necessary(members: Members, name: str, notes: Notes) -> int:
    """An id without which the message says nothing; raises `Unreadable` where it is out of range."""
    found = number(members, name, notes)
    if found is None:
        raise Unreadable(ErrorCode.PROPERTY, phrase("The member {member} is out of range.", member=name))
    return found


def reservation(members: Members, notes: Notes) -> int | None:
    """A reservation's number; zero or less stands for none with some stations."""
    found = whole(members.get("reservationId"), notes, least=-(2**31))
    if found is not None and found <= 0:
        notes.add(Deviation.RESERVATION_ZERO)
        return None
    return found


def inner(members: Members, name: str) -> Members:
    """An object within; empty where there is none."""
    value = members.get(name)
    return value if isinstance(value, Mapping) else {}


def entries(members: Members, name: str) -> list[Any]:
    """A list within; empty where there is none."""
    value = members.get(name)
    return value if isinstance(value, list) else []


def summed_up(*parts: object) -> str:
    """The parts that are there, in one line of at most 200 characters."""
    return " ".join(str(part) for part in parts if part is not None and part != "")[:LONGEST_SUMMARY]
