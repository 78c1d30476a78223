"""Everything that is one person's, table by table, as the register says: what `leaving` deletes, told before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.privacy.leaving import GOING, Leaving, Whose, personal
from wattkeeper.store.tables import bill as bills
from wattkeeper.store.tables import consent, decision, holding, metadata, payment, privacy_request, settlement
from wattkeeper.store.tables import monthly_invoice as months

Open = Callable[[str, str, bytes], Any]
"""Opens a sealed value of a table and column; None where it does not open."""
NOT_TOLD = frozenset({"subject_key"})
"""Keys say nothing about anybody."""
LINKED = frozenset({"person_id", "account_id", "grant_id", "ref", "token", "subject_ref", "name_ref", "replaced_by"})
"""Columns that lead from one row to another; a card's own name stays, for it tells one card from another."""
BY = ("by",)
STATED: Mapping[str, tuple[Table, str, tuple[str, ...]]] = {
    "bills": (
        bills,
        "person_id",
        (
            *(
                "number",
                "kind",
                "session_id",
                "station_id",
                "site",
                "tariff_id",
                "tariff_version",
                "currency",
                "digits",
            ),
            *("net_minor", "vat_minor", "gross_minor", "energy_wh", "started_at", "ended_at", "issued_at", "corrects"),
            *("content", "digest"),
        ),
    ),
    "monthly_invoices": (
        months,
        "person_id",
        (
            *("number", "month", "currency", "digits", "net_minor", "vat_minor", "gross_minor", "issued_at", "due_on"),
            "digest",
        ),
    ),
    "payments": (
        payment,
        "person_id",
        (
            *("id", "kind", "provider", "session_id", "number", "currency", "digits", "asked_minor", "captured_minor"),
            *("refunded_minor", "state", "created_at", "changed_at"),
        ),
    ),
    "how_bills_are_paid": (settlement, "person_id", ("number", "way", "currency", "gross_minor", "invoice")),
    "consents": (consent, "person_id", ("purpose", "is_given", "version", "hash", "at", "door")),
    "requests": (
        privacy_request,
        "person_id",
        ("right", "door", "received_at", "due_at", "extended_why", "state", "answer", "answered_at"),
    ),
}
"""What outlives the person and is theirs to know all the same; words of the staff are left out."""


async def rows(
    connection: AsyncConnection, leaving: Leaving, since: Mapping[str, datetime], opened: Open, own: frozenset[str]
) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """What goes with a person, table by table; of a card only what is of when they held it (``since``)."""
    for one in GOING:
        ids = leaving.ids(one.whose)
        if one.table in NOT_TOLD or not ids:
            continue
        table = metadata.tables[one.table]
        wanted = select(table).where(table.c[one.column].in_(ids))
        found = await connection.execute(wanted.where(text("kind = 'driver'")) if one.only else wanted)
        told = [
            _told(table, dict(row._mapping.items()), opened, own)
            for row in found
            if one.whose is not Whose.CARD or _within(row, since.get(row._mapping[one.column]))
        ]
        if told:
            yield one.table, told


def _within(row: Any, since: datetime | None) -> bool:
    at = getattr(row, "at", None) or getattr(row, "created_at", None)
    return since is not None and (at is None or at >= since)


def _told(table: Table, row: Mapping[Any, Any], opened: Open, own: frozenset[str]) -> dict[str, Any]:
    """A row as its person reads it: seals opened, hashes left out, staff without a name."""
    found = {}
    for name in personal(table):
        value = row[name]
        column: Column[Any] = table.c[name]
        if value is None or name in LINKED - {"ref", "token", "replaced_by"}:
            continue
        if isinstance(column.type, LargeBinary):
            value = opened(table.name, name, bytes(value))
            if value is None:
                continue
        if name in BY or name.endswith("_by"):
            value = "you" if value in own else "the staff or a program" if value else ""
        found[str(name)] = value
    return found


async def stated(connection: AsyncConnection, person: str) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """What stays when a person is forgotten, and is about them."""
    for name, (table, column, columns) in STATED.items():
        wanted = select(*(table.c[one] for one in columns)).where(table.c[column] == person)
        found = [dict(row._mapping) for row in await connection.execute(wanted)]
        if found:
            yield name, [{str(key): value for key, value in row.items() if value is not None} for row in found]


async def held_since(connection: AsyncConnection, person: str) -> dict[str, datetime]:
    """Since when a person holds each card that is theirs now."""
    wanted = select(holding.c.ref, holding.c.since).where(holding.c.person_id == person, holding.c.until.is_(None))
    return {row.ref: row.since for row in await connection.execute(wanted)}


async def decided(connection: AsyncConnection, person: str) -> AsyncIterator[dict[str, Any]]:
    """What stations were told about a person's cards while they held them, the oldest first."""
    d, h = decision.c, holding.c
    spans = (h.ref == d.token) & (d.at >= h.since) & (h.until.is_(None) | (d.at < h.until))
    wanted = select(d.token, d.station_id, d.evse, d.at, d.status, d.reason, d.session_id).join(holding, spans)
    for row in await connection.execute(wanted.where(h.person_id == person).order_by(d.n)):
        yield {str(key): value for key, value in row._mapping.items() if value is not None}
