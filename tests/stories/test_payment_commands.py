"""Payments on the command line, and the comparison with what the provider says moved."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.pay.shapes import Shapes, shapes
from tests.stories.purse import Purse, paying
from tests.stories.test_wallet import charged, corrected, wallets
from tests.stories.till import ANNA
from tests.test_command_line import run
from wattkeeper.charging.money.payments.paying import Way, Whose
from wattkeeper.charging.money.payments.payment import Matching
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.payments.reconciling import Reconciliation, as_csv, reconcile
from wattkeeper.store.stations import station as stations


@pytest.fixture
def engine() -> str:
    """The commands are the same on both."""
    return "sqlite"


@pytest.fixture
async def stripe() -> AsyncIterator[Shapes]:
    """A provider."""
    async with shapes() as made:
        yield made


@pytest.fixture
async def purse(databases: Databases, engine: str, tmp_path: Path, stripe: Shapes) -> AsyncIterator[Purse]:
    """A world in which the only driver pays by a card that is kept."""
    async with paying(databases, engine, tmp_path, stripe, pay_by="invoice") as made:
        customer, method = stripe.make("cus", "customer"), stripe.make("pm", "payment_method")
        await made.keep_card(customer["id"], method["id"])
        yield made


async def compared(purse: Purse) -> Reconciliation:
    """The month of the story."""
    door = purse.world.door
    days = (date(2026, 3, 1), date(2026, 4, 1))
    return await reconcile(door.store, door.settings, purse.provider, VIEWER, *days)


async def test_what_moved_there_is_compared_with_our_books(purse: Purse, stripe: Shapes) -> None:
    await wallets(purse).choose_for(ANNA, Whose.DRIVER, await purse.person(), Way.CARD)
    for _ in range(3):
        await charged(purse)
    await corrected(purse, 480)
    found = await compared(purse)
    assert [(row.matching, row.ours_minor, row.gross_minor, row.fee_minor, row.net_minor) for row in found.rows] == [
        *[(Matching.MATCHED, 600, 600, 33, 567)] * 3,
        (Matching.MATCHED, -120, -120, 0, -120),
    ]
    (total,) = found.totals
    assert (total.ours_minor, total.gross_minor, total.fee_minor, total.net_minor) == (1680, 1680, 99, 1581)
    assert found.wrong == []
    stripe.move("payout", -1000, 0, stripe.make("po", "payout")["id"], "eur")
    stray = stripe.intent(77, "eur", {})
    stripe.take(stray, 77)
    stripe.movements[0]["amount"] = 601
    del stripe.movements[1]
    told = await compared(purse)
    assert sorted((row.matching, row.ours_minor, row.gross_minor) for row in told.wrong) == [
        (Matching.DIFFERS, 600, 601),
        (Matching.OURS, 600, None),
        (Matching.THEIRS, None, 77),
    ]
    assert Matching.OTHER in {row.matching for row in told.rows}
    rows = list(csv.DictReader(io.StringIO(as_csv(told).removeprefix("\N{BYTE ORDER MARK}"))))
    assert {row["gross"] for row in rows} == {"6.01", "", "6.00", "0.77", "-1.20", "-10.00"}
    assert as_csv(told).count("\r\n") == len(told.rows) + 1


async def test_payments_on_the_command_line(purse: Purse, stripe: Shapes) -> None:
    person = await purse.person()
    stripe.clock = lambda: datetime.now(UTC).timestamp()
    await charged(purse)
    await charged(purse, 100_000)
    world = purse.world
    async with world.door.store.unit() as unit:
        await stations.describe(unit, "CP1", {"site": "Yard"})
    await purse.look(days=31)
    await world.close()
    told = {f"WATTKEEPER_{key.upper()}": str(value) for key, value in world.settings.items()}
    told |= {"WATTKEEPER_DATABASE": world.database, "WATTKEEPER_ROOT_KEY": str(world.folder / "wattkeeper.key")}

    async def command(*words: str, fails: bool = False) -> str:
        status, said, complained = await run(world.folder, "payments", *words, **told)
        assert status == fails, complained
        return said + complained

    assert "Nothing was paid yet." in await command("list")
    listed = await command("invoices")
    assert "M2026-000001" in listed and "€66.00" in listed and "2026-04-15" in listed
    assert "Entered: €6.00" in await command("enter", "6,00", "RF18 7", "--invoice", "M2026-000001")
    assert "entered before" in await command("enter", "6,00", "RF18 7", "--invoice", "M2026-000001", fails=True)
    assert "smallest coin" in await command("enter", "6.001", "RF18 8", "--person", person, fails=True)
    assert "RF18 7" in await command("list")
    assert "waits for another" in await command("write-off", person, "55", "--reason", "Moved away.")
    assert "From now on." in await command("way", "driver", person, "prepaid")
    assert "A way to pay is" in await command("way", "driver", person, "barter", fails=True)
    assert "From what is billed" in await command("share", "Yard", "Hotel Post", "--percent", "10")
    assert "To pay: €0.00." in await command("statement", "Yard")
    assert "Nothing is owed" in await command("payout", "Yard", "1", "SEPA 1", fails=True)
    assert "we agree" in await command("differences")
    assert "0 movements, and they all agree." in await command("reconcile")
    stripe.take(stripe.intent(77, "eur", {}), 77)
    assert "1 of 1 movements do not agree." in await command("reconcile", fails=True)
    sheet = world.folder / "moved.csv"
    await command("reconcile", "--csv", str(sheet), fails=True)
    assert sheet.read_bytes().startswith(b"\xef\xbb\xbfat_utc,kind,matching")
    await world.open()
