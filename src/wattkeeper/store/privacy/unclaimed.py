"""What names somebody's address before anybody is known by it: letters asked for, links of such letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, delete, select

from wattkeeper.store.tables import mail, secret_link
from wattkeeper.store.unit import Unit

TABLES: Mapping[str, Table] = {"mail": mail, "secret_link": secret_link}


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """A row that the installation sealed, for nobody is known yet."""

    table: str
    key: str | bytes
    sealed: bytes


async def everything(unit: Unit) -> list[Unclaimed]:
    """All such rows."""
    letters = select(mail.c.id, mail.c.sealed).where(mail.c.person_id == "", mail.c.sealed != b"")
    links = select(secret_link.c.code_hash, secret_link.c.sealed)
    links = links.where(secret_link.c.account_id.is_(None), secret_link.c.sealed.is_not(None))
    found = []
    for name, wanted in (("mail", letters), ("secret_link", links)):
        rows = await unit.connection.execute(wanted)
        found += [Unclaimed(name, key, bytes(sealed)) for key, sealed in rows]
    return found


async def drop(unit: Unit, one: Unclaimed) -> None:
    """Delete one of them."""
    table = TABLES[one.table]
    await unit.connection.execute(delete(table).where(next(iter(table.primary_key)) == one.key))


async def refs(unit: Unit, accounts: Sequence[str]) -> set[str]:
    """The pseudonyms of the addresses that these accounts sign in with."""
    rows = await unit.select_in("SELECT name_ref FROM account WHERE id IN {values}", accounts) if accounts else []
    return {row[0] for row in rows}
