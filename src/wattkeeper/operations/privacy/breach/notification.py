"""What the authority is told of a breach (GDPR Art. 33(3)), as plain text in English."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from wattkeeper.charging.privacy.rights import REPORT_WITHIN

if TYPE_CHECKING:
    from wattkeeper.operations.privacy.breach.breach import Breach


def notification(told: Breach, controller: str) -> str:
    """The report of one breach; ``controller`` is who runs the installation, empty where nobody said."""
    row = told.row
    span = " to ".join(_at(at) for at in (row.since, row.until) if at) or "not known"
    lines = [
        "Notification of a personal data breach (GDPR Art. 33)",
        f"Reference: {row.id}",
        f"Controller: {controller or 'to be named'}",
        f"Known since: {_at(row.known_at)}; to be reported until {_at(row.known_at + REPORT_WITHIN)}",
        f"Reported: {_at(row.reported_at) if row.reported_at else 'not yet'}",
        f"When it happened: {span}",
        f"Nature of the breach: {told.what}",
        f"Categories of data: {', '.join(row.tables) or 'charging sessions'}",
        f"Stations concerned: {', '.join(row.stations) or 'all, or none in particular'}",
        f"Persons concerned: about {told.affected}",
        f"High risk for them: {'yes' if row.is_risk else 'no'}; told so far: {told.told}",
        *_otherwise(told.unreached),
        f"Measures taken: {told.done or 'under way'}",
        "Names, addresses and card numbers are kept sealed under a key for each person; whoever has the database"
        " without the root key reads none of them.",
    ]
    return "\n".join(lines) + "\n"


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _otherwise(unreached: int) -> list[str]:
    """What the report says of those whom no letter reaches; nothing where there are none."""
    why = "they have no account here, and are to be told publicly (Art. 34(3)(c))"
    return [f"Of them cannot be written to: {unreached}; {why}"] if unreached else []
