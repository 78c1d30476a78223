"""What people may ask about their data (GDPR Art. 12 to 22), until when it is answered, and how a breach is counted."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from wattkeeper.charging.phrase import phrase

REPORT_WITHIN = timedelta(hours=72)
"""How long after it became known a breach is reported to the authority (Art. 33(1))."""


class Right(StrEnum):
    """What somebody asks."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"


RIGHTS: Mapping[Right, str] = {
    Right.ACCESS: phrase("A copy of the data (Art. 15, 20)"),
    Right.RECTIFICATION: phrase("A correction (Art. 16)"),
    Right.ERASURE: phrase("To be forgotten (Art. 17)"),
    Right.RESTRICTION: phrase("That data are kept and not used (Art. 18)"),
    Right.OBJECTION: phrase("An objection to a use (Art. 21)"),
}
"""Each in words for people."""


class Use(StrEnum):
    """What data are used for beyond what a person is served by."""

    ALL = "all"
    INSIGHT = "insight"
    """Anonymous totals."""
    MARKETING = "marketing"
    """Letters about what is new."""
    PROFILING = "profiling"
    """Whether a session is unlike the others of its card."""


USES: Mapping[Use, str] = {
    Use.ALL: phrase("every use but keeping them, charging, billing and what the law asks"),
    Use.INSIGHT: phrase("anonymous statistics"),
    Use.MARKETING: phrase("letters about what is new"),
    Use.PROFILING: phrase("comparing sessions with earlier ones, to notice copied cards"),
}
"""Each in words for people."""


class Proof(StrEnum):
    """How somebody who asks has proved who they are."""

    ACCOUNT = "account"
    """They are signed in, freshly."""
    DOCUMENT = "document"
    """They showed a document in person; no copy is kept."""
    KNOWN = "known"
    """They answered from the proved address of their account."""
    NOTHING = "nothing"
    """Not yet: nothing is handed out or changed."""


def month_after(at: datetime, months: int = 1) -> datetime:
    """The same day so many months later, or the last of that month (Art. 12(3))."""
    year, month = divmod(at.month - 1 + months, 12)
    year, month = at.year + year, month + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))
