"""What all tables share: one metadata, and short names for why a column is kept and how long."""

from __future__ import annotations

from sqlalchemy import MetaData

from wattkeeper.store.columns import Basis, Retention

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
