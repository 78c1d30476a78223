"""What must hold of bills and books, asked of everything that is kept: each question gives what is wrong, in words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.coherence import faults
from wattkeeper.charging.money.numbered import DocumentKind, number_of
from wattkeeper.store.columns import from_micros, to_micros
from wattkeeper.store.money.bill import digest
from wattkeeper.store.money.content import decode

BATCH = 2_000
ODD = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What reading a content raises that is none."""


async def counts(connection: AsyncConnection) -> tuple[int, int, int]:
    """How many bills, entries and lines there are."""
    query = (
        "SELECT (SELECT COUNT(*) FROM bill), (SELECT COUNT(*) FROM ledger_entry), (SELECT COUNT(*) FROM ledger_line)"
    )
    bills, entries, lines = (await connection.execute(text(query))).one()
    return bills, entries, lines


async def _found(connection: AsyncConnection, query: str, most: int, words: str, **given: object) -> list[str]:
    """The first rows of a query, each in words."""
    rows = await connection.execute(text(f"{query} LIMIT {most}"), given)
    return [words.format(*row) for row in rows]


async def gaps(connection: AsyncConnection, most: int) -> list[str]:
    """Numbers of entries that are missing."""
    query = (
        "SELECT n, before FROM (SELECT n, LAG(n, 1, 0) OVER (ORDER BY n) AS before FROM ledger_entry) AS told "
        "WHERE n <> before + 1 ORDER BY n"
    )
    return await _found(connection, query, most, "Entry {0} of the ledger follows {1}: what was between is missing.")


async def unbalanced(connection: AsyncConnection, most: int) -> list[str]:
    """Entries whose lines do not add up to nothing."""
    query = (
        "SELECT entry, currency, SUM(amount_minor) FROM ledger_line "
        "GROUP BY entry, currency HAVING SUM(amount_minor) <> 0 ORDER BY entry"
    )
    return await _found(
        connection, query, most, "The lines of entry {0} add up to {2} {1} (minor units), not to nothing."
    )


async def stray_lines(connection: AsyncConnection, most: int) -> list[str]:
    """Lines without an entry, and entries without lines."""
    stray = (
        "SELECT DISTINCT entry FROM ledger_line "
        "WHERE NOT EXISTS (SELECT 1 FROM ledger_entry WHERE n = entry) ORDER BY entry"
    )
    empty = "SELECT n FROM ledger_entry WHERE NOT EXISTS (SELECT 1 FROM ledger_line WHERE entry = n) ORDER BY n"
    found = await _found(connection, stray, most, "There are lines of entry {0}, which does not exist.")
    return found + await _found(connection, empty, most, "Entry {0} has no lines.")


async def wrong_balances(connection: AsyncConnection, most: int) -> list[str]:
    """Accounts whose balance is not the sum of their lines."""
    query = (
        "SELECT account, currency, SUM(kept), SUM(summed) FROM ("
        "SELECT account, currency, amount_minor AS kept, 0 AS summed FROM ledger_balance UNION ALL "
        "SELECT account, currency, 0, SUM(amount_minor) FROM ledger_line GROUP BY account, currency"
        ") AS both_sums GROUP BY account, currency HAVING SUM(kept) <> SUM(summed) ORDER BY account"
    )
    words = "The balance of {0} is kept as {2} {1}, its lines add up to {3} (minor units)."
    return await _found(connection, query, most, words)


async def missing_numbers(connection: AsyncConnection, most: int, since: datetime) -> list[str]:
    """Gaps in the numbers of bills of the years that begin at this instant; older ones may be gone."""
    query = (
        "SELECT series, place, before FROM (SELECT series, place, "
        "LAG(place, 1, 0) OVER (PARTITION BY series ORDER BY place) AS before FROM bill WHERE series >= :year) AS told "
        "WHERE place <> before + 1 ORDER BY series, place"
    )
    words = "In the series {0}, number {1} follows {2}: what was between is missing."
    return await _found(connection, query, most, words, year=f"{since:%Y}")


async def out_of_order(connection: AsyncConnection, most: int) -> list[str]:
    """Bills that say they were issued before the one whose number goes before."""
    query = (
        "SELECT number, earlier FROM (SELECT number, issued_at, series, place, LAG(number) OVER numbers AS earlier, "
        "LAG(issued_at) OVER numbers AS at FROM bill WINDOW numbers AS (PARTITION BY series ORDER BY place)) AS told "
        "WHERE issued_at < at ORDER BY series, place"
    )
    return await _found(connection, query, most, "Bill {0} says that it was issued before {1}.")


async def unlike_their_entries(connection: AsyncConnection, most: int, since: datetime) -> list[str]:
    """Bills that the ledger does not know, or for another amount; entries since an instant for bills that are none."""
    charged = (
        "SELECT e.ref AS ref, SUM(l.amount_minor) AS amount FROM ledger_entry e "
        "JOIN ledger_line l ON l.entry = e.n AND l.account LIKE 'owed:%' "
        "WHERE e.kind IN ('charge', 'credit') GROUP BY e.ref"
    )
    differing = (
        f"SELECT number, gross_minor, COALESCE(amount, 0) FROM bill LEFT JOIN ({charged}) AS charged ON ref = number "
        "WHERE gross_minor <> COALESCE(amount, 0) ORDER BY number"
    )
    unknown = (
        "SELECT ref, n FROM ledger_entry WHERE kind IN ('charge', 'credit') "
        "AND at >= :since AND NOT EXISTS (SELECT 1 FROM bill WHERE number = ref) ORDER BY n"
    )
    found = await _found(connection, differing, most, "Bill {0} is for {1}, the ledger charged {2} (minor units).")
    elsewhere = (
        "SELECT number, person_id, account FROM bill JOIN ledger_entry e ON e.ref = number AND e.kind IN "
        "('charge', 'credit') JOIN ledger_line l ON l.entry = e.n AND l.account LIKE 'owed:%' "
        "WHERE l.account <> 'owed:' || CASE person_id WHEN '' THEN 'nobody' ELSE person_id END ORDER BY number"
    )
    found += await _found(connection, elsewhere, most, "Bill {0} is of {1}, the ledger charged {2}.")
    words = "Entry {1} of the ledger is for bill {0}, which does not exist."
    return found + await _found(connection, unknown, most, words, since=to_micros(since))


class Sums:
    """What the bills add up to by day and place, to be compared with the revenue that is kept."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._sums: dict[tuple[Any, ...], list[int]] = {}

    def add(self, row: Any) -> None:
        """Add a bill."""
        day = f"{from_micros(row.issued_at).astimezone(self._zone):%Y-%m-%d}"
        key = (day, row.site, row.station_id, row.tariff_id, row.grouping, row.currency)
        is_bill = row.kind == DocumentKind.BILL
        adds = (int(is_bill), int(not is_bill), row.energy_wh, row.net_minor, row.vat_minor, row.gross_minor)
        known = self._sums.setdefault(key, [0] * 6)
        for place, amount in enumerate(adds):
            known[place] += amount

    async def wrong(self, connection: AsyncConnection, most: int, since: datetime) -> list[str]:
        """Where the revenue that is kept of the days from an instant on says something else."""
        query = (
            "SELECT day, site, station_id, tariff_id, grouping, currency, sessions, corrections, energy_wh, "
            "net_minor, vat_minor, gross_minor FROM revenue"
        )
        kept = {tuple(row[:6]): [int(value) for value in row[6:]] for row in await connection.execute(text(query))}
        days = {key for key in kept.keys() | self._sums.keys() if key[0] >= f"{since:%Y-%m-%d}"}
        unlike = sorted(key for key in days if kept.get(key) != self._sums.get(key))
        words = "The revenue of {} at {} is kept as {}, the bills add up to {}."
        return [words.format(key[0], key[2], kept.get(key), self._sums.get(key)) for key in unlike[:most]]


async def wrong_bills(
    connection: AsyncConnection, sums: Sums, progress: Callable[[int], None] = lambda done: None
) -> AsyncIterator[str]:
    """Bills that are not as they were issued, or contradict themselves; each is added to the sums."""
    query = text(f"SELECT * FROM bill WHERE (series, place) > (:series, :place) ORDER BY series, place LIMIT {BATCH}")
    series, place, done = "", 0, 0
    while rows := (await connection.execute(query, {"series": series, "place": place})).all():
        for row in rows:
            sums.add(row)
            for why in _wrong(row):
                yield f"Bill {row.number}: {why}."
        series, place, done = rows[-1].series, rows[-1].place, done + len(rows)
        progress(done)


def _wrong(row: Any) -> Iterator[str]:
    """What is wrong with one bill."""
    if row.number != number_of(row.series, row.place):
        yield "it is not numbered as its place says"
    if row.net_minor + row.vat_minor != row.gross_minor:
        yield "its amounts do not add up"
    if (row.kind == DocumentKind.BILL) != (row.corrects is None):
        yield "it corrects nothing"
    if digest(row.content) != row.digest:
        yield "its content was changed since it was issued"
        return
    try:
        why = decode(row.content)
        against = [*faults(why)]
    except (*ODD, Refusal):
        yield "its content cannot be read"
        return
    adds = sum(tax.net_minor for tax in why.adds), sum(tax.vat_minor for tax in why.adds)
    if (why.session, *adds) != (row.session_id, row.net_minor, row.vat_minor):
        yield "its content says something else"
    yield from (str(fault).removesuffix(".") for fault in against)
