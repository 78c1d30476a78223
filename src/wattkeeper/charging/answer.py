"""What we answer when a fact was recorded; each dialect puts it into its own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from wattkeeper.charging.cards.token import Verdict


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of `record`: everything any reply could need."""

    now: datetime
    """Our time when the fact was committed."""
    admitted: bool = True
    """For a boot: whether the station may work (else it stays Pending)."""
    interval_s: int = 300
    """For a boot: the heartbeat interval, seconds."""
    verdict: Verdict | None = None
    """For a token: whether it may charge. None where no token was presented."""
    session: str | None = None
    """The public id of the session concerned, formatted for reading aloud."""
    number: int | None = None
    """The transaction id that a 1.6 station is given."""
    total: Decimal | None = None
    """What a session that has ended cost, with tax, in the major unit; None: not known yet, or no price was set."""
