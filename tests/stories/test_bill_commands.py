"""Bills on the command line: listed, explained to the cent, settled, audited."""

from __future__ import annotations

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from tests.stories.till import Till, tariff
from tests.stories.world import World
from tests.test_command_line import run
from wattkeeper.charging.identifiers import shown


@pytest.fixture
def engine() -> str:
    """The commands are the same on both."""
    return "sqlite"


async def test_what_was_billed_is_explained_settled_and_audited(world: World) -> None:
    till = Till(world)
    await till.price(tariff("0.3333", hour="1.20"))
    await world.enroll()
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 5000)
        for step in (1, 2, 3):
            await cp.read(tx, 15 * step, wh=5000 + 2500 * step)
        await cp.stop(tx, 60, 15_000)
        tx = await cp.start(70, 15_000)
        await cp.read(tx, 80, wh=17_000)
        await cp.stop(tx, 90, 16_000)
    await till.look()
    good, odd = (shown(one.id) for one in await world.sessions())
    await world.close()
    told = {"WATTKEEPER_DATABASE": world.database, "WATTKEEPER_ROOT_KEY": str(world.folder / "wattkeeper.key")}

    async def command(*words: str) -> str:
        status, said, complained = await run(world.folder, *words, **told)
        assert status == 0, complained
        return said

    listed = await command("bills", "list")
    assert "2026-000001" in listed and good in listed and "€5.44" in listed
    why = await command("explain", "2026-000001")
    for sentence in (
        "Bill 2026-000001",
        "10.00 kWh at CP1 · 1 from 2026-03-01 12:00:00 to 2026-03-01 13:00:00.",
        "By the tariff standard, version 1. Nothing else is assigned, so the standard tariff holds.",
        "Energy: €3.33 + €0.67 tax = €4.00",
        "10 kWh at €0.3333 without tax, 20 % tax",
        "10 kWh from 2026-03-01 12:00:00 (5.000 kWh, measured) to 2026-03-01 13:00:00 (15.000 kWh, measured)",
        "Charging time: €1.20 + €0.24 tax = €1.44",
        "Without tax €4.53, tax €0.91, to pay €5.44.",
        "20 % tax on €4.53: €0.91.",
    ):
        assert sentence in why, sentence
    paper = world.folder / "bill.pdf"
    assert (await command("bills", "paper", "2026-000001", "-o", str(paper), "--language", "de")).startswith("Written")
    assert "5,44 €" in " ".join(PdfReader(paper).pages[0].extract_text().split())
    waiting = await command("bills", "holds")
    assert odd in waiting and "The energy register went back from 17.00 kWh to 16.00 kWh" in waiting
    assert (await command("bills", "correct", odd, "--energy", "1", "--reason", "As on the display.")) == (
        "Done: 2026-000002.\n"
    )
    corrected = await command("bills", "correct", good.lower(), "--total", "5,00", "--reason", "Rounded.")
    assert corrected == "Done: 2026-000003.\n"
    assert "Credit note 2026-000003 for bill 2026-000001: less to pay" in await command("bills", "show", "2026-000003")
    assert "3 bills, 3 entries with 9 lines: everything adds up." in await command("audit", "ledger")
    status, _, complained = await run(world.folder, "bills", "waive", odd, "--reason", "x", **told)
    assert (status, complained) == (1, "Nothing of this session waits for a decision.\n")
    await world.open()
    async with world.door.store.unit() as unit:
        await unit.connection.execute(text("UPDATE ledger_balance SET amount_minor = 0 WHERE account = 'vat:20'"))
    await world.close()
    status, _, complained = await run(world.folder, "audit", "ledger", **told)
    assert status == 1
    assert "The balance of vat:20 is kept as 0 EUR" in complained
