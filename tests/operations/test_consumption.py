"""What drivers are told they used and paid: as worked out by hand, equal to their bills, and nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update

from tests.operations.driven import FLAT, OWNER, VIENNA, Roads, local, roads
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.numbered import number_of
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.privacy.rights import Use as Purpose
from wattkeeper.charging.statistics.terms import Terms
from wattkeeper.charging.statistics.used import Currency, Paid, Place, change, same_days
from wattkeeper.store.engines import Store
from wattkeeper.store.money.proposal import Deed, Wish
from wattkeeper.store.stations import placement
from wattkeeper.store.tables import bill, holding, session

EUR = Currency("EUR", 2)
UID, OTHERS = "04AABBCCDDEE01", "04AABBCCDDEE02"


def paid(gross: int, wh: int) -> Paid:
    """What was billed with 20 % tax in it."""
    net = round(Decimal(gross) / Decimal("1.2"))
    return Paid(int(net), gross - int(net), Decimal(wh))


async def independent(made: Roads, who: Viewer, first: str, last: str) -> tuple[int, Decimal]:
    """The same sums by other means: every bill of the person, by the month in which its session began in Vienna."""
    async with made.rooms.store.read() as connection:
        rows = await connection.execute(
            select(bill.c.gross_minor, bill.c.energy_wh, bill.c.started_at).where(bill.c.person_id == who.person)
        )
        found = [(gross, wh) for gross, wh, at in rows if first <= f"{at.astimezone(VIENNA):%Y-%m}" <= last]
    return sum(gross for gross, _ in found), sum((wh for _, wh in found), Decimal(0))


async def test_months_are_those_worked_out_by_hand(database: str, tmp_path: Path) -> None:
    async with roads(database, tmp_path, local(2025, 10, 1)) as made:
        anna, bert = await made.driver("anna"), await made.driver("bert")
        card, other = await made.card(anna, UID), await made.card(bert, OTHERS)
        await made.charged(card, local(2025, 10, 5, 8), 10_000)  # 5.00
        await made.charged(other, local(2025, 10, 6, 8), 77_000)
        await made.charged(
            card, local(2026, 9, 30, 23, 50), 4_000, where="CP2"
        )  # 2.00, of September though it ends in October
        await made.charged(card, local(2026, 10, 3, 13), 8_000)  # 4.00
        await made.charged(card, local(2026, 10, 18, 19), 20_000)  # 10.00
        await made.charged(card, local(2026, 10, 31, 22), 2_000)  # 1.00, after the day that it is in November
        await made.charged(card, local(2026, 11, 2, 7), 6_000)  # 3.00
        await made.charged(card, local(2026, 11, 20, 20), 15_000, where="CP2")  # 7.50
        one = await made.rooms.statistics.consumption.of(anna)
        assert (one.month, one.is_running) == (date(2026, 11, 1), True)
        assert (one.sum.sessions, int(one.sum.energy_wh), one.sum.paid) == (2, 21_000, {EUR: paid(1050, 21_000)})
        assert one.sum.paid[EUR].price(2) == Decimal("0.5")
        october, november = one.past
        assert (october.month, int(october.sum.energy_wh), october.sum.paid[EUR].gross_minor) == (
            date(2026, 10, 1),
            28_000,
            1400,
        )
        assert (november.month, november.sum.is_empty) == (date(2025, 11, 1), True)
        assert change(one.sum.energy_wh, october.sum.energy_wh).percent == -25  # type: ignore[union-attr]
        energy = {f"{month:%Y-%m}": int(total.energy_wh) for month, total in one.months.items() if total.sessions}
        assert energy == {"2026-09": 4_000, "2026-10": 30_000, "2026-11": 21_000}
        assert next(iter(one.months)) == date(2025, 11, 1)
        assert {place: int(total.energy_wh) for place, total in one.places.items()} == {
            Place("Hauptplatz", "Hauptplatz 1, Linz"): 36_000,
            Place("Volksgarten", "Volksgarten 1, Linz"): 19_000,
        }
        assert {part: int(total.energy_wh) for part, total in one.parts.items()} == {
            0: 0,
            6: 6_000,
            12: 8_000,
            18: 41_000,
        }
        assert (one.first, [*one.years]) == (date(2025, 10, 1), [2026, 2025])
        for first, last in (("2025-10", "2026-10"), ("2025-11", "2026-11")):
            whole = await made.rooms.statistics.consumption.of(anna, last)
            gross, wh = await independent(made, anna, first, last)
            assert sum(total.paid[EUR].gross_minor for total in whole.months.values() if total.paid) == gross
            assert sum(total.energy_wh for total in whole.months.values()) == wh
        theirs = await made.rooms.statistics.consumption.of(bert)
        assert (theirs.sum.is_empty, theirs.first) == (True, date(2025, 10, 1))


async def test_what_is_not_billed_yet_and_what_is_free_is_told_apart(database: str, tmp_path: Path) -> None:
    async with roads(database, tmp_path, local(2026, 3, 1)) as made:
        anna = await made.driver("anna")
        card = await made.card(anna, UID)
        await made.charged(card, local(2026, 3, 2, 8), 10_000)
        corrected = await made.charged(card, local(2026, 3, 3, 8), 10_000)
        waived = await made.charged(card, local(2026, 3, 4, 8), 3_000, doubtful=True)
        await made.charged(card, local(2026, 3, 5, 8), 5_000, doubtful=True)
        bills = made.rooms.bills
        await bills.do(OWNER, corrected, Wish(deed=Deed.CORRECT, said="Misread.", energy_wh=Decimal(4_000)))
        await bills.do(OWNER, waived, Wish(deed=Deed.WAIVE, said="Our fault."))
        await made.charged(card, local(2026, 3, 6, 8), 7_000, bills=False)
        await made.begun(card, local(2026, 3, 6, 12), "CP2")
        one = (await made.rooms.statistics.consumption.of(anna)).sum
        assert (one.sessions, int(one.energy_wh), int(one.free_wh)) == (3, 17_100, 3_100), (
            "its register had been higher in between"
        )
        assert one.paid[EUR].gross_minor == 700
        assert one.paid[EUR].energy_wh == 14_000
        assert (one.waiting, int(one.waiting_wh), one.running) == (2, 12_100, 1)
        await made.bill()
        one = (await made.rooms.statistics.consumption.of(anna)).sum
        assert (one.sessions, one.waiting, one.paid[EUR].gross_minor) == (4, 1, 1050)


async def test_currencies_stand_apart(database: str, tmp_path: Path) -> None:
    async with roads(database, tmp_path, local(2026, 3, 1)) as made:
        anna = await made.driver("anna")
        card = await made.card(anna, UID)
        await made.charged(card, local(2026, 3, 2, 8), 10_000)
        yen = FLAT.__class__("JPY", FLAT.elements, tax_included=True)
        await made.price(yen)
        await made.charged(card, local(2026, 3, 3, 8), 10_000)
        one = (await made.rooms.statistics.consumption.of(anna)).sum
        assert {each.code: total.gross_minor for each, total in one.paid.items()} == {"EUR": 500, "JPY": 5}
        assert one.energy_wh == 20_000
        assert [total.energy_wh for total in one.paid.values()] == [10_000, 10_000]


async def test_a_month_is_that_of_the_calendar_of_the_place(database: str, tmp_path: Path) -> None:
    """The edges of year and month, the leap day, and both nights on which the clock is set."""
    async with roads(database, tmp_path, local(2023, 12, 1)) as made:
        anna = await made.driver("anna")
        card = await made.card(anna, UID)
        for at, wh in (
            (local(2023, 12, 31, 23, 59), 100),  # 22:59 UTC
            (local(2024, 1, 1, 0, 1), 200),  # 23:01 UTC of the year before
            (local(2024, 2, 29, 23, 30), 400),
            (local(2024, 3, 31, 3, 30), 800),  # the hour after the one that there is not
            (local(2024, 3, 31, 23, 30), 1600),  # 21:30 UTC
            (local(2024, 4, 1, 0, 30), 3200),  # 22:30 UTC of the day before
            (local(2024, 10, 27, 2, 30), 6400),
            (local(2024, 10, 27, 2, 45, fold=1), 12800),
        ):
            await made.charged(card, at, wh, minutes=10)
        made.clock.now = local(2024, 12, 1)
        one = await made.rooms.statistics.consumption.of(anna, "2024-11")
        energy = {f"{month:%m}": int(total.energy_wh) for month, total in one.months.items() if total.sessions}
        assert energy == {"12": 100, "01": 200, "02": 400, "03": 2400, "04": 3200, "10": 19200}
        assert int(one.parts[0].energy_wh) == 200 + 800 + 3200 + 19200


def test_the_same_days_of_a_shorter_month_are_all_of_it() -> None:
    def when(now: datetime, month: date) -> str:
        return f"{same_days(now, month, VIENNA):%m-%d %H:%M}"

    assert when(local(2026, 3, 31, 15), date(2026, 2, 1)) == "03-01 00:00"
    assert when(local(2026, 3, 15, 15), date(2026, 2, 1)) == "02-15 15:00"
    assert when(local(2024, 2, 29, 9), date(2023, 2, 1)) == "03-01 00:00"
    assert when(local(2024, 2, 29, 9), date(2024, 1, 1)) == "01-29 09:00"
    assert when(local(2026, 4, 29, 2, 30), date(2026, 3, 1)) == "03-29 02:30", "an hour that there was not"
    assert when(local(2026, 12, 31, 8), date(2026, 11, 1)) == "12-01 00:00"


def test_a_change_is_rounded_and_has_nothing_to_say_of_nothing() -> None:
    assert change(Decimal(1), Decimal(0)) is None
    assert change(Decimal(88), Decimal(100)).percent == -12  # type: ignore[union-attr]
    assert change(Decimal("100.4"), Decimal(100)).percent == 0  # type: ignore[union-attr]
    assert change(Decimal(0), Decimal(3)).percent == -100  # type: ignore[union-attr]
    assert change(Decimal(10), Decimal(3)).times == Decimal("3.3")  # type: ignore[union-attr]


async def test_a_card_that_was_given_away_takes_nothing_along(database: str, tmp_path: Path) -> None:
    async with roads(database, tmp_path, local(2026, 3, 1)) as made:
        anna, bert = await made.driver("anna"), await made.driver("bert")
        card = await made.card(anna, UID)
        await made.charged(card, local(2026, 3, 2, 8), 10_000)
        made.clock.now = local(2026, 3, 5)
        async with made.rooms.store.unit() as unit:
            await unit.connection.execute(update(holding).where(holding.c.ref == card).values(until=unit.now))
            row = {"id": "later", "ref": card, "person_id": bert.person, "since": unit.now, "until": None}
            await unit.connection.execute(insert(holding), [row])
        await made.charged(card, local(2026, 3, 6, 8), 3_000)
        figures = [(await made.rooms.statistics.consumption.of(one)).sum for one in (anna, bert)]
        assert [(one.sessions, int(one.energy_wh)) for one in figures] == [(1, 10_000), (1, 3_000)]
        assert [one.paid[EUR].gross_minor for one in figures] == [500, 150]


async def test_nobody_else_is_told_anything(database: str, tmp_path: Path) -> None:
    async with roads(database, tmp_path, local(2026, 3, 1)) as made:
        anna = await made.driver("anna")
        await made.charged(await made.card(anna, UID), local(2026, 3, 2, 8), 10_000)
        other = made.rooms.statistics.other_times
        for viewer in (OWNER, Viewer("nobody", anna.role), Viewer("p", anna.role, person=anna.person)):
            for asked in (made.rooms.statistics.consumption.of(viewer), other.of(viewer, date(2026, 3, 1))):
                with pytest.raises(Refusal) as refused:
                    await asked
                assert refused.value.code is Code.FORBIDDEN
        nobody = Viewer("x", anna.role, own=anna.own, person="person:" + "0" * 24)
        assert (await made.rooms.statistics.consumption.of(nobody)).first is None
        for month in ("2026-13", "2026-3", "x", "0001-01", "9999-12", "2026-03-01", "2026-W10"):
            with pytest.raises(Refusal) as refused:
                await made.rooms.statistics.consumption.of(anna, month)
            assert refused.value.code is Code.INVALID


async def test_who_objects_to_comparing_is_not_compared(database: str, tmp_path: Path) -> None:
    async with roads(database, tmp_path, local(2026, 3, 1)) as made:
        anna = await made.driver("anna")
        await made.charged(await made.card(anna, UID), local(2026, 3, 2, 8), 10_000)
        restrictions = made.rooms.rights.restrictions
        for use in (Purpose.PROFILING, Purpose.ALL):
            await restrictions.set(anna, anna.person, use)
            one = await made.rooms.statistics.consumption.of(anna)
            assert one.past == ()
            assert one.sum.energy_wh == 10_000, "what they were billed they may always see"
            assert await made.rooms.statistics.other_times.of(anna, one.month) is None
            await restrictions.lift(anna, anna.person, use)
        assert len((await made.rooms.statistics.consumption.of(anna)).past) == 2


async def test_carbon_is_said_where_the_grid_of_a_site_is_known(database: str, tmp_path: Path) -> None:
    """Two sites, one of which tells 200 g by night and 400 g by day; of what was charged at the other nothing."""
    async with roads(database, tmp_path, local(2026, 3, 1)) as made:
        anna = await made.driver("anna")
        card = await made.card(anna, UID)
        async with made.rooms.store.unit() as unit:
            for name, site in (("CP1", "North"), ("CP2", "South")):
                await placement.put(unit, name, site)
        by_hour = tuple(Decimal(200 if hour < 6 else 400) for hour in range(24))
        await made.rooms.statistics.terms.enter(OWNER, "North", Terms(carbon_g_per_kwh=by_hour))
        await made.charged(card, local(2026, 3, 2, 3), 10_000)  # 2 kg
        await made.charged(card, local(2026, 3, 2, 5), 4_000, minutes=120)  # half of it by night: 400 + 800 g
        await made.charged(card, local(2026, 3, 3, 9), 7_000, where="CP2")
        await made.rooms.statistics.counting.look()
        one = await made.rooms.statistics.consumption.of(anna)
        assert (int(one.carbon.grams), int(one.carbon.known_wh)) == (3_200, 14_000)
        year = await made.rooms.statistics.years.of(anna, "2026")
        assert {month.month: each.grams for month, each in year.carbon.items()} == {3: 3_200}
        bert = await made.driver("bert")
        assert (await made.rooms.statistics.consumption.of(bert)).carbon.known_wh == 0


async def test_five_thousand_sessions_are_found_by_what_was_held_and_no_others_are_looked_through(
    database: str, tmp_path: Path, engine: str
) -> None:
    async with roads(database, tmp_path, local(2026, 3, 1)) as made:
        anna = await made.driver("anna")
        card = await made.card(anna, UID)
        name = await made.charged(card, local(2026, 3, 2, 8), 10_000)
        async with made.rooms.store.unit() as unit:
            whole = (await unit.connection.execute(select(session).where(session.c.id == name))).mappings().one()
            billed = (await unit.connection.execute(select(bill))).mappings().one()
            for of, token, person in (("m", card, anna.person), ("t", "card:other", "person:other")):
                sessions, documents = [], []
                for n in range(5_000):
                    key = {"id": f"{of}{n}", "key": f"{of}{n}", "token": token}
                    at = {"started_at": whole["started_at"] + timedelta(minutes=n)}
                    sessions.append({**whole, **key, **at})
                    count = 2 + 5_000 * (of == "t") + n
                    place = {"number": number_of(billed["series"], count), "place": count}
                    documents.append({**billed, **place, **at, "session_id": f"{of}{n}", "person_id": person})
                await unit.connection.execute(insert(session), sessions)
                await unit.connection.execute(insert(bill), documents)
        asked: list[tuple[str, Any]] = []
        async with made.rooms.store.read() as connection:
            bound = connection.sync_engine

        def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
            asked.append((statement, parameters))

        event.listen(bound, "before_cursor_execute", hear)
        one = await made.rooms.statistics.consumption.of(anna)
        event.remove(bound, "before_cursor_execute", hear)
        assert (one.sum.sessions, one.sum.paid[EUR].gross_minor) == (5_001, 5_001 * 500)
        assert len(asked) < 16
        if engine == "sqlite":
            steps = await plan(made.rooms.store, asked)
            assert [step for step in steps if step.startswith("SCAN") and "VIRTUAL" not in step] == []
            assert any("ix_session_token" in step for step in steps)
            assert any("ix_bill_person_id" in step for step in steps)


async def plan(store: Store, asked: Sequence[tuple[str, Any]]) -> list[str]:
    """How SQLite finds what was asked."""
    async with store.read() as connection:
        found: list[str] = []
        for statement, parameters in asked:
            if statement.lstrip().upper().startswith("SELECT"):
                rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", tuple(parameters))
                found += [str(row.detail) for row in rows]
        return found
