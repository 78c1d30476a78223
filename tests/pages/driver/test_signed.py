"""What the meter signed, on the driver's phone: said in a sentence, and taken along as a file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from tests.doors import until
from tests.meters import Meter, moment
from tests.pages.driver.billed import bill
from tests.pages.driver.town import Town
from tests.pages.everybody import axe
from tests.stories.world import minute
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.charging.reading import Context, Reading
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store.columns import EPOCH
from wattkeeper.store.money import bill as bills
from wattkeeper.store.tables import holding, tariff
from wattkeeper.store.tables import session as sessions

NUMBER = "04C0FFEE04C0FF"
POINTER = "/transactionData/0/sampledValue/0/value"


async def signed_session(town: Town, identifier: str, meter: Meter) -> str:
    """A session of an hour on the driver's fob that its meter signed, and that was billed; its id."""
    token, at = (
        await town.fob(identifier, "Blue", NUMBER),
        datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2),
    )
    async with town.rooms.store.unit() as unit:
        await unit.connection.execute(update(tariff).values(valid_from=EPOCH))
        await unit.connection.execute(update(holding).where(holding.c.ref == token).values(since=EPOCH))
    ends = at + timedelta(hours=1)
    payload = meter.payload(("B", 0, "2935.600"), ("E", 60, "2945.600"), card=NUMBER)
    payload = payload.replace(moment(minute(0)), moment(at)).replace(moment(minute(60)), moment(ends))
    record = town.rooms.intake.record
    about: dict[str, Any] = {"ref": "S-1", "evse": 1}
    await record("CP1", SessionOpened(at=at, seq=0, register_wh=Decimal(0), token=token, **about))
    quarters = [(at + timedelta(minutes=15 * part), Decimal(2_500 * part)) for part in (1, 2, 3)]
    readings = [Reading(when, energy_wh=wh) for when, wh in quarters]
    readings.append(Reading(ends, Context.END, energy_wh=Decimal(10_000), signed=True))
    words: dict[str, Any] = {"transactionData": [{"sampledValue": [{"format": "SignedData", "value": "•••"}]}]}
    end = SessionEnded(at=ends, seq=1, register_wh=Decimal(10_000), readings=tuple(readings), **about)
    await record("CP1", end, words=words, hidden={POINTER: meter.sign(payload)})

    async def graded() -> str | None:
        async with town.rooms.store.read() as connection:
            verified = select(sessions.c.id).where(sessions.c.ref == "S-1", sessions.c.grade == "verified")
            return await connection.scalar(verified)

    async def billed() -> bool:
        await bill(town)
        async with town.rooms.store.read() as connection:
            return bool(await bills.of_sessions(connection, [found]))

    found = str(await until(graded, "the check"))
    await until(billed, "the bill")
    return found


async def test_what_the_meter_signed_is_said_and_taken_along(town: Town, tmp_path: Path) -> None:
    meter = Meter("1EMH0012345678")
    await town.rooms.meters.pin(VIEWER, "CP1", 1, meter.serial, meter.key, datetime.now(UTC) - timedelta(days=1))
    identifier = await town.sign_up()
    session = await signed_session(town, identifier, meter)
    async with town.driver(identifier) as person:
        page = person.page
        await page.goto(f"/app/sessions/{session}")
        await person.sees("2\N{NARROW NO-BREAK SPACE}945.600 kWh at the end. We checked the signature: it holds.")
        await page.get_by_text("Why this price?").click()
        await person.sees("(records T17)")
        assert NUMBER not in await page.content()
        async with page.expect_download() as waited:
            await page.get_by_role("link", name="Download what it signed").click()
        file = Path(await (await waited.value).path()).read_text()
        assert file.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<values>\n<value transactionId="1">')
        assert f'"ID":"{NUMBER}"' in file
        assert await person.sideways() == 0
        assert await axe.check(page, axe.install()) == []
