"""What tax law keeps: an invoice made out before its buyer was forgotten is printed for an audit, and no more opens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.attacks.canaries import Hunt
from tests.conftest import OpenDoor
from tests.doors import KEY
from tests.web.conftest import house_of
from tests.web.drivers import charged
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import EVERYTHING, Role, Scope, Viewer
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.papers.auditing import TaxAudit
from wattkeeper.operations.money.papers.paper import Party
from wattkeeper.operations.retention import forget_keys
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import subject_key

SELLER = {
    "seller_name": "Strom GmbH",
    "seller_street": "Gasse 1",
    "seller_postcode": "1010",
    "seller_city": "Wien",
    "seller_country": "AT",
    "seller_vat_id": "ATU12345675",
}
BUYER = Party("Vera Kanarienvogel", "Canary Lane 17", "1020", "Wien", "AT")
HUNT = Hunt(["Vera Kanarienvogel", "Canary Lane 17"])


async def test_an_invoice_outlives_its_buyer_for_ten_years_and_no_longer(open_door: OpenDoor) -> None:
    door = await open_door(**SELLER)
    await door.admit("CP1", KEY)
    house = await house_of(door)
    audit = TaxAudit(door.store, door.safe, house.rooms.papers)
    async with house.api, door.plugged("CP1", KEY) as station, charged(house, "vera", station) as vera:
        number = vera.ids["bill"]
        with pytest.raises(Refusal) as why:
            await audit.invoice(VIEWER, number, "file 2026/17")
        assert why.value.code is Code.NOT_FOUND, "it was made out to nobody yet"
        await house.rooms.papers.invoice(vera.viewer, number, BUYER)
        assert await HUNT.in_database(str(door.settings.database)) == [], "sealed, not in clear"
        await house.rooms.rights.forgetting.forget(VIEWER, vera.viewer.person, despite=True)
        printed = await audit.invoice(VIEWER, number, "file 2026/17")
        assert HUNT.hits(printed.pdf, "invoice"), "the buyer stands on it"
        for viewer, case in (
            (Viewer("support", Role.SUPPORT, frozenset({Scope.BILLS_READ})), "file 2026/17"),
            (Viewer("billing", Role.BILLING, EVERYTHING - {Scope.PERSONS_READ}), "file 2026/17"),
            (VIEWER, ""),
        ):
            with pytest.raises(Refusal):
                await audit.invoice(viewer, number, case)
        assert await HUNT.in_database(str(door.settings.database)) == []
        real = door.store.clock
        door.store.clock = lambda: real() + timedelta(days=365 * 9)
        await forget_keys(door.store)
        assert await kept(house.rooms.store) == 1
        door.store.clock = lambda: real() + timedelta(days=366 * 11)
        await forget_keys(door.store)
        assert await kept(house.rooms.store) == 0
        with pytest.raises(Refusal) as why:
            await audit.invoice(VIEWER, number, "file 2026/17")
        assert why.value.code is Code.NOT_FOUND


async def kept(store: Store) -> int:
    """How many keys of invoices there are."""
    async with store.read() as connection:
        wanted = select(func.count()).where(subject_key.c.subject.like("invoices:%"))
        return int(await connection.scalar(wanted) or 0)
