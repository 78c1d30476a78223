"""The token of a start from a phone: it begins one session, while its driver may be thought to stand there.

Stations and their lines see such tokens, and a driver who left looks at nothing: so this is judged when a session
begins, and not when somebody looks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from wattkeeper.charging.cards.token import Card
from wattkeeper.charging.orders import Outcome
from wattkeeper.charging.phrase import phrase
from wattkeeper.store.sessions import start as starts

if TYPE_CHECKING:
    from wattkeeper.operations.desk import Desk

CABLE_WITHIN = timedelta(minutes=3)
"""How long after the station accepted the cable may be plugged in; stations give up at their own connection timeout."""
LOCKING = timedelta(seconds=30)
"""How long a station may take from the plug to the session."""
DECLINED = frozenset({Outcome.REJECTED, Outcome.ERROR})
BEGAN = phrase("This was made for one start from a phone, and a session began on it already.")
REFUSED = phrase("This was made for a start from a phone that the station declined.")
TOO_LATE = phrase("This was made for a start from a phone, and the time to plug in was over.")


async def spent(desk: Desk, card: Card, at: datetime, asking: str | None) -> str:
    """Why no session may begin at an instant on a token made for one start; empty where it may.

    ``at`` is the station's time where that has passed: what began in time and is told late is the driver's own.
    """
    if card.only_at is None:
        return ""
    station, evse = card.only_at
    if await desk.has_ended_one(card.ref, station, evse, asking):
        return BEGAN
    asked = await starts.asked_with(desk.unit, card.ref)
    if asked is None:
        return ""
    if asked.outcome in DECLINED:
        return REFUSED
    return TOO_LATE if at > asked.since + CABLE_WITHIN + LOCKING else ""
