"""The books: entries that add up to nothing, numbers without gaps, and sums that can be made again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.money.bill import price
from wattkeeper.charging.money.ledger import AccountKind, EntryKind, Posting, Unbalanced, account, moved, owed
from wattkeeper.charging.money.numbered import DocumentKind, Draft, Explanation, taxes_of, to_reach
from wattkeeper.charging.money.tariffs.assignment import Rank
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.money.usage import planned
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.operations.money.audit import audit_ledger, sum_up
from wattkeeper.operations.retention import forget_old
from wattkeeper.store.engines import Store
from wattkeeper.store.money import bill as bills
from wattkeeper.store.money import ledger, revenue
from wattkeeper.store.money.ledger import Entry
from wattkeeper.store.money.revenue import Facet
from wattkeeper.store.tables import bill, ledger_balance, ledger_entry, ledger_line
from wattkeeper.store.tables import revenue as revenues

VIEWER = Viewer("test", Role.OWNER, EVERYTHING)
VIENNA = ZoneInfo("Europe/Vienna")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TWENTY = Decimal(20)


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """A database whose clock stands."""
    made = Store(database, lambda: NOON)
    yield made
    await made.close()


STANDARD = Tariff("EUR", (Element((Component(Dimension.ENERGY, Decimal("0.20"), TWENTY),)),))


def draft(session: str, wh: int = 5000, station: str = "CP1", **more: object) -> Draft:
    """A bill of a session; 5 kWh cost 1.00 without tax."""
    usage = planned(NOON, Decimal(wh), Decimal(3600))
    bill = price(usage, STANDARD)
    why = Explanation(
        session=session,
        station=station,
        evse=1,
        started_at=NOON,
        ended_at=NOON,
        grade=Grade.MEASURED,
        reasons=(),
        tariff_id="standard",
        version=1,
        rank=Rank.STANDARD,
        subject="",
        tariff=STANDARD,
        usage=usage,
        bill=bill,
        told_minor=bill.gross_minor,
        told_wh=usage.energy_wh,
    )
    told: dict[str, object] = {
        **{"kind": DocumentKind.BILL, "why": why, "site": "Yard", "group": "staff", "person": "person:1f", "by": "test"}
    }
    return Draft(**(told | more))  # type: ignore[arg-type]


def back(session: str, corrects: str, gross_minor: int, wh: int = 5000) -> Draft:
    """A credit note that brings a session to less."""
    told = draft(session, wh)
    billed = taxes_of(told.why.bill)
    why = replace(told.why, before=billed, before_wh=told.why.usage.energy_wh, reason="Too much.")
    why = replace(why, extra=to_reach(billed, gross_minor, TWENTY))
    return replace(told, kind=DocumentKind.CREDIT_NOTE, why=why, corrects=corrects)


async def issue(store: Store, *drafts: Draft) -> list[str]:
    """Issue them together."""
    async with store.unit() as unit:
        return await bills.issue(unit, drafts, VIENNA)


async def test_bills_are_numbered_and_the_books_say_who_owes_what(store: Store) -> None:
    assert await issue(store, draft("A"), draft("B", 2500)) == ["2026-000001", "2026-000002"]
    assert await issue(store, back("A", "2026-000001", 60)) == ["2026-000003"]
    async with store.unit() as unit:
        payment = moved(owed("person:1f"), account(AccountKind.BANK, "till"), "EUR", 40)
        assert await ledger.post(unit, [Entry(EntryKind.PAYMENT, "p1", "test", payment)]) == [4]
        assert await ledger.is_posted(unit, EntryKind.PAYMENT, "p1")
    async with store.read() as connection:
        assert await ledger.balances(connection, VIEWER) == [
            *(Posting("bank:till", "EUR", 40), Posting("owed:person:1f", "EUR", 80)),
            *(Posting("sales:Yard", "EUR", -100), Posting("vat:20", "EUR", -20)),
        ]
        assert await ledger.balances(connection, VIEWER, AccountKind.OWED) == [Posting("owed:person:1f", "EUR", 80)]
        newest = await ledger.entries(connection, VIEWER, 2)
        paid = await ledger.entries(connection, VIEWER, 9, before=5, account="bank:till")
        found = await bills.find(connection, VIEWER, bills.Sought(session="A"), 10)
    assert [(one.n, one.kind, one.ref) for one in newest] == [(4, "payment", "p1"), (3, "credit", "2026-000003")]
    assert paid == newest[:1]
    assert [(one.number, one.gross_minor, one.corrects) for one in found] == [
        ("2026-000003", -60, "2026-000001"),
        ("2026-000001", 120, None),
    ]
    stray = "Entry 4 of the ledger is for payment p1, which does not exist."
    assert (await audit_ledger(store, VIENNA)).faults == [stray], "money moves by payments alone"


async def test_a_year_begins_by_the_clock_of_the_place_and_counts_anew(store: Store) -> None:
    store.clock = lambda: datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC)
    assert await issue(store, draft("A")) == ["2026-000001"]
    store.clock = lambda: datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert await issue(store, draft("B"), draft("C")) == ["2027-000001", "2027-000002"]
    async with store.read() as connection:
        told = await revenue.report(connection, VIEWER, date(2026, 1, 1), date(2028, 1, 1), [Facet.MONTH])
    assert [(one.of, one.sessions, one.gross_minor) for one in told] == [
        (("2026-12",), 1, 120),
        (("2027-01",), 2, 240),
    ]
    assert (await audit_ledger(store, VIENNA)).faults == []


async def test_what_fails_leaves_no_number_behind(store: Store) -> None:
    await issue(store, draft("A"))
    with pytest.raises(DBAPIError):
        await issue(store, draft("B"), draft("A"))
    assert await issue(store, draft("C")) == ["2026-000002"]
    assert (await audit_ledger(store, VIENNA)).faults == []


async def test_revenue_is_told_apart_and_sums_can_be_made_again(store: Store) -> None:
    await issue(store, draft("A"), draft("B", station="CP2", group=""), draft("C", station="CP3", site="North"))
    store.clock = lambda: NOON + timedelta(days=1)
    await issue(store, back("A", "2026-000001", 0))
    async with store.read() as connection:
        both = await revenue.report(connection, VIEWER, date(2026, 3, 1), date(2026, 3, 3), [Facet.SITE, Facet.GROUP])
        first = await revenue.report(connection, VIEWER, date(2026, 3, 1), date(2026, 3, 2))
        before = [tuple(row) for table in (revenues, ledger_balance) for row in await connection.execute(select(table))]
    assert [(one.of, one.sessions, one.corrections, one.net_minor) for one in both] == [
        *((("North", "staff"), 1, 0, 100), (("Yard", ""), 1, 0, 100), (("Yard", "staff"), 1, 1, 0)),
    ]
    assert [(one.sessions, one.energy_wh, one.vat_minor) for one in first] == [(3, Decimal(15000), 60)]
    async with store.unit() as unit:
        for table in (revenues, ledger_balance):
            await unit.connection.execute(update(table).values(**{[*table.c][-1].name: 7}))
    assert len((await audit_ledger(store, VIENNA)).faults) == len(before)
    await sum_up(store, VIENNA)
    async with store.read() as connection:
        after = [tuple(row) for table in (revenues, ledger_balance) for row in await connection.execute(select(table))]
    assert sorted(map(str, after)) == sorted(map(str, before))


async def test_lines_that_do_not_add_up_are_never_written(store: Store) -> None:
    lopsided = [Posting("owed:x", "EUR", 100), Posting("sales:y", "USD", -100)]
    with pytest.raises(Unbalanced):
        async with store.unit() as unit:
            await ledger.post(unit, [Entry(EntryKind.CHARGE, "r", "test", lopsided)])
    async with store.unit() as unit:
        nothing = Entry(EntryKind.CHARGE, "r", "test", [Posting("owed:x", "EUR", 0)])
        assert await ledger.post(unit, [nothing]) == [0]
    async with store.read() as connection:
        assert not (await connection.execute(select(ledger_entry))).all()


# --- what the database itself refuses -----------------------------------------------------------------------

KEPT_OUT = {
    "a bill changed": "UPDATE bill SET gross_minor = 1",
    "a bill deleted": "DELETE FROM bill",
    "an entry changed": "UPDATE ledger_entry SET ref = 'x'",
    "an entry deleted": "DELETE FROM ledger_entry",
    "a line changed": "UPDATE ledger_line SET amount_minor = 0",
    "a line deleted": "DELETE FROM ledger_line WHERE entry = 1",
    "a number left out": "INSERT INTO bill SELECT '2026-000009', series, 9, 'correction', {rest} FROM bill",
    "a line added": "INSERT INTO ledger_line VALUES (1, 9, 'owed:x', 'EUR', 5)",
    "an entry left out": "INSERT INTO ledger_entry VALUES (3, 0, 'charge', 'x', 'x')",
    "an entry without lines": "INSERT INTO ledger_entry VALUES (2, 0, 'charge', 'x', 'x')",
}


@pytest.mark.parametrize("deed", KEPT_OUT)
async def test_the_database_refuses(store: Store, deed: str) -> None:
    await issue(store, draft("A"))
    rest = ", ".join(column.name for column in [*bill.columns][4:])
    with pytest.raises(DBAPIError):
        async with store.unit() as unit:
            await unit.connection.execute(text(KEPT_OUT[deed].format(rest=rest)))
    assert (await audit_ledger(store, VIENNA)).faults == []


async def test_the_database_refuses_an_entry_that_does_not_add_up(store: Store) -> None:
    async with store.unit() as unit:
        lines = [(1, 0, "owed:x", "EUR", 100), (1, 1, "sales:y", "EUR", -99)]
        await unit.connection.execute(insert(ledger_line).values(lines))
    with pytest.raises(DBAPIError):
        async with store.unit() as unit:
            await unit.connection.execute(text("INSERT INTO ledger_entry VALUES (1, 0, 'charge', 'x', 'x')"))
    assert (await audit_ledger(store, VIENNA)).faults == [
        "The lines of entry 1 add up to 1 EUR (minor units), not to nothing.",
        "There are lines of entry 1, which does not exist.",
        "The balance of owed:x is kept as 0 EUR, its lines add up to 100 (minor units).",
        "The balance of sales:y is kept as 0 EUR, its lines add up to -99 (minor units).",
    ]


async def test_a_bill_may_go_ten_years_after_its_year(store: Store) -> None:
    now = datetime.now(UTC)
    for years in (11, 10):
        store.clock = lambda years=years: now.replace(year=now.year - years, month=6)  # type: ignore[misc]
        await issue(store, draft(f"A{years}"))
    store.clock = lambda: now
    assert await forget_old(store) == {"bill": 1}
    async with store.read() as connection:
        assert (await connection.execute(select(bill.c.session_id))).scalars().all() == ["A10"]
    await sum_up(store, VIENNA)
    assert (await audit_ledger(store, VIENNA)).faults == []
    async with store.read() as connection:
        told = await revenue.report(connection, VIEWER, date(2000, 1, 1), now.date(), [Facet.MONTH])
    assert [one.sessions for one in told] == [1, 1], "what was earned stays known"
    with pytest.raises(DBAPIError):
        async with store.unit() as unit:
            await unit.connection.execute(delete(bill))


# --- what the audit finds -----------------------------------------------------------------------------------

TAMPERED = {
    "UPDATE bill SET gross_minor = 1 WHERE place = 1": "Bill 2026-000001",
    "UPDATE bill SET content = '{}' WHERE place = 1": "its content was changed",
    "DELETE FROM bill WHERE place = 1": "what was between is missing",
    "DELETE FROM ledger_entry WHERE n = 1": "what was between is missing",
    "DELETE FROM ledger_line WHERE entry = 2": "Entry 2 has no lines",
    "UPDATE ledger_line SET amount_minor = amount_minor + 1 WHERE entry = 2 AND place = 0": "add up to 1 EUR",
    "UPDATE ledger_line SET account = 'owed:other' WHERE account LIKE 'owed:%'": "The balance of owed:other",
    "UPDATE bill SET site = 'Elsewhere' WHERE place = 2": "The revenue of 2026-03-01",
}


@pytest.mark.parametrize("deed", TAMPERED)
async def test_the_audit_finds_what_was_done_by_hand(store: Store, deed: str) -> None:
    await issue(store, draft("A"), draft("B"))
    async with store.unit() as unit:
        if unit.is_sqlite:
            triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for name in (await unit.connection.execute(text(triggers))).scalars().all():
                await unit.connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            await unit.connection.execute(text("SET LOCAL session_replication_role = replica"))
        await unit.connection.execute(text(deed))
    faults = (await audit_ledger(store, VIENNA)).faults
    assert any(TAMPERED[deed] in fault for fault in faults), faults
