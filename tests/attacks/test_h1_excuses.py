"""H1: whoever owns the database finds no excuse for what they changed, and no gap to change it in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from sqlalchemy import insert

from tests.logs import Kept, kept
from wattkeeper.charging.deed import DeedKind
from wattkeeper.operations.log.auditing import Fault, audit_log
from wattkeeper.store import deed
from wattkeeper.store.log import name
from wattkeeper.store.privacy import consent
from wattkeeper.store.privacy.consent import TextRow
from wattkeeper.store.tables import bill
from wattkeeper.vault.checking import Wanted, check
from wattkeeper.vault.copy import CHECKPOINT, KEYS
from wattkeeper.vault.note import Signer

MINE, YOURS = "p1:" + "a" * 32, "p1:" + "b" * 32
ROUND = [(MINE, "p1:x"), (YOURS, MINE), ("p1:x", YOURS)]
WHOLE = {"tariff_version", "digits", "net_minor", "vat_minor", "gross_minor"}
LONG_AGO = 946_684_800_000_000
"""The year 2000, microseconds."""


async def faults(one: Kept) -> list[Fault]:
    """What an audit finds."""
    return (await audit_log(one.store, await one.log.keys())).faults


async def billed(one: Kept, place: int) -> None:
    """A bill, of which the log asks nothing but that it is there."""
    row: dict[str, object] = {column.name: "" for column in bill.columns if not column.nullable}
    row |= dict.fromkeys(WHOLE & row.keys(), 0) | {"energy_wh": Decimal(0)}
    row |= {at: datetime.now(UTC) for at in row if at.endswith("_at")}
    row |= {"number": f"2026-{place:06}", "series": "2026", "place": place}
    async with one.store.unit() as unit:
        await unit.connection.execute(insert(bill).values(row))


@pytest.mark.parametrize("subject", ["deed", "bill", "journal"])
async def test_h1_a_forged_deed_excuses_no_row_that_never_goes(database: str, tmp_path: Path, subject: str) -> None:
    async with kept(database, tmp_path / "key") as one:
        await billed(one, 1)
        await one.grow(5)
        ref = "3" if subject == "deed" else "2026-000001"
        which = "deed WHERE n = 3" if subject == "deed" else "bill WHERE place = 1"
        async with one.store.unit() as unit:
            await deed.enter(unit, DeedKind.ROWS_GONE, "wattkeeper", subject, {"refs": [ref], "why": "forgotten"})
        await one.keeper.finish()
        assert await faults(one) == []
        await one.overpower(f"DELETE FROM {which}")
        assert [str(one.what) for one in await faults(one)] == ["It was deleted."]


async def test_h1_a_deleted_bill_is_not_excused_by_an_entry_that_was_made_older(database: str, tmp_path: Path) -> None:
    """When an entry was made is part of what it commits to, and cannot be compared once the row is away."""
    async with kept(database, tmp_path / "key") as one:
        await one.grow(1)
        await billed(one, 1)
        await one.grow(1)
        assert await faults(one) == []
        await one.overpower("DELETE FROM bill", f"UPDATE log_leaf SET at = {LONG_AGO} WHERE kind = 'bill'")
        (fault,) = await faults(one)
        assert fault.kind == "bill" and "deleted" in str(fault.what)


async def test_h1_two_cards_cannot_be_taken_for_each_other(database: str, tmp_path: Path) -> None:
    """Everywhere, and in what entries say instead: the names themselves are committed to."""
    async with kept(database, tmp_path / "key") as one:
        async with one.store.unit() as unit:
            for token in (MINE, YOURS):
                await deed.enter(unit, DeedKind.RELEASED, "house", "", {"card": token})
        await one.keeper.finish()
        assert await faults(one) == []
        for table, column in (("deed", "body"), ("log_name", "token")):
            swapped = f"replace(replace(replace({column}, '{MINE}', '#'), '{YOURS}', '{MINE}'), '#', '{YOURS}')"
            changes = [f"UPDATE {table} SET {column} = {swapped}"]
            if table == "log_name":  # one after the other, for a name is there once
                changes = [f"UPDATE log_name SET token = '{to}' WHERE token = '{of}'" for of, to in ROUND]
            await one.overpower(*changes)
        assert {one.ref for one in await faults(one)} == {MINE, YOURS}
        await one.overpower("UPDATE log_name SET salt = NULL")
        of_all = ""  # two names without a salt, and no deed by which anybody was forgotten
        assert {one.ref for one in await faults(one)} == {MINE, YOURS, of_all}, "nobody of that name was forgotten"


async def test_h1_a_forgotten_card_is_no_fault(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        async with one.store.unit() as unit:
            await deed.enter(unit, DeedKind.RELEASED, "house", "", {"card": MINE})
        await one.keeper.finish()
        gone = "gone:" + "c" * 32
        async with one.store.unit() as unit:
            await name.renamed(unit, {MINE: gone})
        await one.overpower(f"UPDATE deed SET body = replace(body, '{MINE}', '{gone}')")
        (fault,) = await faults(one)
        assert str(fault.what).startswith("Cards that are called as if"), "nobody was forgotten, as far as deeds say"
        async with one.store.unit() as unit:
            await deed.enter(unit, DeedKind.ERASED, "house", "anna", {"cards": 1})
        await one.keeper.finish()
        assert await faults(one) == []


async def test_h1_what_is_deleted_before_it_was_logged_leaves_a_gap(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        await one.grow(5)
        await one.deeds(5)
        await one.overpower("DELETE FROM deed WHERE n IN (8, 9)")
        await one.keeper.finish()
        (fault,) = await faults(one)
        assert fault.kind == "deed" and str(fault.what).startswith("2 of its numbers"), fault


async def test_h1_a_log_that_is_stopped_by_setting_it_back_is_found(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        await one.grow(5)
        await one.overpower("UPDATE follower SET n = 3 WHERE name = 'log.deed'")
        (fault,) = await faults(one)
        assert fault.kind == "deed" and "set back" in str(fault.what)


async def test_h1_a_bill_that_was_deleted_before_it_was_logged_does_not_stop_the_log(
    database: str, tmp_path: Path
) -> None:
    async with kept(database, tmp_path / "key") as one:
        await billed(one, 1)
        await one.grow(1)
        for place in (2, 3, 4):
            await billed(one, place)
        await one.overpower("DELETE FROM bill WHERE place = 2")
        await one.keeper.finish()
        await billed(one, 5)
        await one.keeper.finish()
        leaves = [await one.log.logged("bill", f"2026-{place:06}") for place in (1, 3, 4, 5)]
        assert None not in leaves


async def test_h1_nobody_is_made_to_have_agreed(database: str, tmp_path: Path) -> None:
    """Releases count on the ledger of consent, which no leaf covers: its deeds do."""
    text = TextRow("f" * 64, "insight", 1, "en", "Statistics", "Count my sessions.")
    body = {"purpose": "insight", "version": 1, "text": text.hash, "door": "page"}
    async with kept(database, tmp_path / "key") as one:
        async with one.store.unit() as unit:
            await consent.keep_text(unit, text)
            n = await deed.enter(unit, DeedKind.CONSENT_WITHDRAWN, "somebody", "anna", body)
            await consent.enter(unit, n, "anna", text, "page", is_given=False)
        await one.keeper.finish()
        assert await faults(one) == []
        async with one.store.unit() as unit:
            await consent.enter(unit, n + 7, "anna", text, "page", is_given=True)
        assert [(fault.kind, fault.ref) for fault in await faults(one)] == [("consent", str(n + 7))]
        await one.overpower(f"DELETE FROM consent WHERE n > {n}", "UPDATE consent SET is_given = NOT is_given")
        assert [(fault.kind, fault.ref) for fault in await faults(one)] == [("consent", str(n))]


async def test_h1_checkpoints_that_were_deleted_are_missed(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        await one.grow(10)
        await one.grow(10)
        later = one.store.clock() + timedelta(hours=2)
        one.store.clock = lambda: later
        assert await faults(one) == []
        await one.overpower("DELETE FROM log_checkpoint WHERE size > 15")
        (fault,) = await faults(one)
        assert fault.index == 11 and "checkpoints were deleted" in str(fault.what)
        await one.overpower("DELETE FROM log_checkpoint")
        assert (await faults(one))[0].index == 0


@pytest.mark.parametrize("index", ["-1", "-100000000000000000000", "1e308", '"1"', "[]", "1" + "0" * 40])
async def test_h1_hostile_numbers_in_a_copy_neither_stop_nor_fool_who_checks_it(tmp_path: Path, index: str) -> None:
    async with kept(f"sqlite:///{tmp_path / 'one.db'}", tmp_path / "key") as one:
        await one.grow(5)
        copy = await one.copy(tmp_path / "copy")
        keys = await one.log.keys()
    stranger = str(Signer("charge.example/log", bytes(32)).verifier)
    opening = {"salt": "", "at": 0, "row": {"kind": "log.key", "body": orjson.dumps({"key": stranger}).decode()}}
    (copy / KEYS).write_text(f'{{"index": {index}, "leaf": {orjson.dumps(opening).decode()}}}\n')
    assert check(copy, Wanted(keys)).faults == []
    (copy / CHECKPOINT).unlink()
    (copy / CHECKPOINT).symlink_to("/dev/zero")
    assert "no file named checkpoint" in check(copy, Wanted(keys)).faults[0]
