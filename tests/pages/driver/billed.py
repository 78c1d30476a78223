"""Sessions of a driver that were billed, corrected, waived, or wait for a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update

from tests.pages.driver.town import OWNER, Town
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.charging.reading import Reading
from wattkeeper.operations.money.billing import Billing
from wattkeeper.store.columns import EPOCH
from wattkeeper.store.money.proposal import Deed, Wish
from wattkeeper.store.tables import due, holding, tariff
from wattkeeper.store.tables import session as sessions

SELLER = {
    "seller_name": "Strom & Rad GmbH",
    "seller_street": "Hauptplatz 1",
    "seller_postcode": "4020",
    "seller_city": "Linz",
    "seller_country": "AT",
    "seller_vat_id": "ATU12345678",
}
"""Who sells the energy."""
MISREAD = "The meter was read wrongly."


async def told(town: Town, token: str, ref: str, at: datetime, *, doubtful: bool = False) -> str:
    """A session of an hour that has ended, 18 kWh; a doubtful one has a register that went back. Its id."""
    record, quarter = town.rooms.intake.record, timedelta(minutes=15)
    about: dict[str, Any] = {"ref": ref, "evse": 1, "token": token}
    await record("CP1", SessionOpened(at=at, seq=0, register_wh=Decimal(1_000_000), **about))
    steps = [Decimal(1_000_000 + 4_500 * part) for part in (1, 2, 3)]
    if doubtful:
        steps[1] -= 6_000
    readings = tuple(Reading(at + quarter * place, energy_wh=wh) for place, wh in enumerate(steps, 1))
    end: dict[str, Any] = {"seq": 1, "register_wh": Decimal(1_018_020), "readings": readings}
    await record("CP1", SessionEnded(at=at + timedelta(hours=1), **{**about, "token": None}, **end))
    async with town.rooms.store.read() as connection:
        return str(await connection.scalar(select(sessions.c.id).where(sessions.c.ref == ref)))


async def bill(town: Town) -> None:
    """Bill what has ended, now."""
    rooms = town.rooms
    watcher = Billing(rooms.store, rooms.bus, replace(rooms.settings, billing_grace_s=0))
    await watcher.look()
    async with rooms.store.unit() as unit:
        await unit.connection.execute(update(due).values(at=EPOCH))
    await watcher.look()


def within_a_month(now: datetime, back: timedelta) -> datetime:
    """Now, where all of so long before is in the same month; else the end of the month before."""
    begun = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return now if now - back >= begun else begun - timedelta(minutes=1)


async def billed(town: Town, identifier: str) -> dict[str, str]:
    """The driver's sessions by what became of them."""
    viewer, token = await town.viewer(identifier), await town.fob(identifier, "Blue", "04C0FFEE04C0FF")
    async with town.rooms.store.unit() as unit:
        await unit.connection.execute(update(tariff).values(valid_from=EPOCH))
        await unit.connection.execute(update(holding).where(holding.c.ref == token).values(since=EPOCH))
    assert viewer.person
    names = ("billed", "corrected", "raised", "waived", "held")
    now = within_a_month(town.rooms.store.clock(), timedelta(hours=2 * len(names)))
    made = {}
    for place, name in enumerate(names):
        doubtful = name in ("waived", "held")
        made[name] = await told(
            town, token, f"T-{name}", now - timedelta(hours=2 * len(names) - 2 * place), doubtful=doubtful
        )
    await bill(town)
    deeds = town.rooms.bills
    await deeds.do(OWNER, made["corrected"], Wish(deed=Deed.CORRECT, said=MISREAD, energy_wh=Decimal(15_000)))
    await deeds.do(OWNER, made["raised"], Wish(deed=Deed.CORRECT, said="Agreed with the driver.", gross_minor=1_200))
    await deeds.do(OWNER, made["waived"], Wish(deed=Deed.WAIVE, said="Our fault."))
    return made
