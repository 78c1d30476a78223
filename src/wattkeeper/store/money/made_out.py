"""To whom a bill was made out as an invoice: a keyed tag of the buyer, who is named nowhere but in the file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select

from wattkeeper.store.tables import made_out
from wattkeeper.store.unit import Unit

M = made_out.c


async def to_another(unit: Unit, number: str, buyer: Sequence[str], by: str) -> datetime | None:
    """When this bill was made out to another buyer; None: it was not, and is made out to this one now.

    ``buyer`` are their tags: the one that is kept from now on, then those under keys before it.
    """
    row = (await unit.connection.execute(select(M.buyer, M.at).where(M.number == number))).first()
    if row is None:
        await unit.connection.execute(insert(made_out).values(number=number, buyer=buyer[0], at=unit.now, by=by))
        return None
    at: datetime = row.at
    return None if row.buyer in buyer else at
