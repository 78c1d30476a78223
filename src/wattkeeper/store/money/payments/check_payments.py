"""What must hold between payments, monthly invoices and the books: each question gives what is wrong, in words."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.columns import to_micros

TAKEN = (
    "SELECT p.id, p.captured_minor, COALESCE(SUM(l.amount_minor), 0) FROM payment p "
    "LEFT JOIN ledger_entry e ON e.ref = p.id AND e.kind IN ('payment', 'top_up') "
    "LEFT JOIN ledger_line l ON l.entry = e.n AND l.account LIKE 'bank:%' "
    "GROUP BY p.id, p.captured_minor HAVING p.captured_minor <> COALESCE(SUM(l.amount_minor), 0) ORDER BY p.id"
)
GIVEN = (
    "SELECT p.id, p.refunded_minor, COALESCE(SUM(-l.amount_minor), 0) FROM payment p LEFT JOIN ("
    "SELECT payment_id, id AS ref FROM payment_step WHERE verb = 'refund' UNION ALL "
    "SELECT payment_id, id FROM money_deed WHERE deed = 'refund') AS back ON back.payment_id = p.id "
    "LEFT JOIN ledger_entry e ON e.ref = back.ref AND e.kind = 'refund' "
    "LEFT JOIN ledger_line l ON l.entry = e.n AND l.account LIKE 'bank:%' "
    "GROUP BY p.id, p.refunded_minor HAVING p.refunded_minor <> COALESCE(SUM(-l.amount_minor), 0) ORDER BY p.id"
)
UNKNOWN = (
    "SELECT e.n, e.ref FROM ledger_entry e WHERE e.at >= :since AND EXISTS ("
    "SELECT 1 FROM ledger_line l WHERE l.entry = e.n AND l.account LIKE 'bank:%') "
    "AND NOT EXISTS (SELECT 1 FROM payment WHERE id = e.ref) "
    "AND NOT EXISTS (SELECT 1 FROM payment_step WHERE id = e.ref) "
    "AND NOT EXISTS (SELECT 1 FROM money_deed WHERE id = e.ref) ORDER BY e.n"
)
MISSING = (
    "SELECT series, place, before FROM (SELECT series, place, LAG(place, 1, 0) OVER (PARTITION BY series "
    "ORDER BY place) AS before FROM monthly_invoice WHERE series >= :year) AS told "
    "WHERE place <> before + 1 ORDER BY series, place"
)


async def unlike_their_payments(connection: AsyncConnection, most: int, since: datetime) -> list[str]:
    """Payments whose amounts the books do not have, and money that moved in the books since an instant for none."""
    found = []
    for query, words in (
        (TAKEN, "Payment {0} took {1}, the ledger entered {2} (minor units)."),
        (GIVEN, "Payment {0} gave back {1}, the ledger entered {2} (minor units)."),
    ):
        rows = await connection.execute(text(f"{query} LIMIT {most}"))
        found += [words.format(*row) for row in rows]
    rows = await connection.execute(text(f"{UNKNOWN} LIMIT {most}"), {"since": to_micros(since)})
    return found + ["Entry {} of the ledger is for payment {}, which does not exist.".format(*row) for row in rows]


async def wrong_invoices(connection: AsyncConnection, most: int, since: datetime) -> list[str]:
    """Gaps in the numbers of monthly invoices of the years since an instant, and invoices that were changed."""
    rows = await connection.execute(text(f"{MISSING} LIMIT {most}"), {"year": f"{since:%Y}"})
    words = "In the series M{0} of monthly invoices, number {1} follows {2}: what was between is missing."
    found = [words.format(*row) for row in rows]
    for number, content, digest in await connection.execute(
        text("SELECT number, content, digest FROM monthly_invoice")
    ):
        if sha256(content.encode()).hexdigest() != digest:
            found.append(f"Monthly invoice {number}: its content was changed.")
    return found[:most]
