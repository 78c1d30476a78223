"""What all tables share: one metadata, and short names for why a column is kept, how long, and who gets it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData

from wattkeeper.store.columns import Area, Basis, Recipient, Retention

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

C, G, L, N = Basis.CONTRACT, Basis.LEGAL, Basis.LEGITIMATE, Basis.NONE
STATION, SESSION, ACCOUNT = Retention.STATION, Retention.SESSION, Retention.ACCOUNT
DAYS_30, DAYS_90 = Retention.DAYS_30, Retention.DAYS_90
TAX, BOOKS, LOG = Retention.TAX, Retention.BOOKS, Retention.LOG
NOBODY = Recipient.NOBODY
HOUSE = "house"
"""Whose key seals what is secret and nobody's in particular."""


def about(area: Area, *to: Recipient) -> dict[str, Any]:
    """What a table belongs to, and who outside gets its rows: ``info=about(Area.CARDS, Recipient.STATIONS)``."""
    return {"area": area, "to": to}
