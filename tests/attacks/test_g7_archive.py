"""The archive of one person (G7, G16): all that is theirs, nothing of anybody else's, to themselves alone, freshly."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from jsonschema_rs import validator_for
from sqlalchemy import text

from tests.attacks.canaries import Hunt
from tests.attacks.test_e1_whose import listed
from tests.doors import KEY
from tests.web.conftest import House
from tests.web.drivers import charged, driver, signed_in
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role
from wattkeeper.charging.privacy.rights import Proof, Right, Use
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.privacy.register.register import columns
from wattkeeper.store.tables import metadata


async def whole(pieces: AsyncIterator[bytes]) -> zipfile.ZipFile:
    """The archive that was streamed."""
    return zipfile.ZipFile(io.BytesIO(b"".join([piece async for piece in pieces])))


def content(box: zipfile.ZipFile) -> bytes:
    """All that is in it."""
    return b"\n".join(name.encode() + b"\n" + box.read(name) for name in box.namelist())


async def test_g7_everything_of_theirs_and_nothing_of_anybody_else(house: House) -> None:
    """Bert held Anna's card before her; the staff wrote of Carla in a note; a host and a colleague have names."""
    await listed(house)
    rooms = house.rooms
    async with (
        house.door.plugged("CP1", KEY) as station,
        charged(house, "bert.foreign", station) as bert,
        driver(house, "anna", station) as anna,
        signed_in(house, "carla.colleague@example.org", Role.SUPPORT) as (carla, _),
    ):
        await rooms.rights.rectifying.correct(VIEWER, anna.viewer.person, "name", "Anna Eigen")
        await rooms.rights.restrictions.set(
            anna.viewer, anna.viewer.person, Use.MARKETING, "no letters about Anna, please"
        )
        async with rooms.store.unit() as unit:  # the card that was Bert's is Anna's now; his session stays his
            held = {"ref": bert.ids["ref"], "who": anna.viewer.person, "now": int(unit.now.timestamp() * 1e6)}
            await unit.connection.execute(text("UPDATE holding SET until = :now WHERE ref = :ref"), held)
            insert = "INSERT INTO holding (id, ref, person_id, since) VALUES ('h:shared', :ref, :who, :now)"
            await unit.connection.execute(text(insert), held)
            await unit.connection.execute(text("UPDATE card SET person_id = :who WHERE ref = :ref"), held)
            note = "waived, as Carlotta Fremd from the bakery asked"
            await unit.connection.execute(text("UPDATE hold SET said = :note"), {"note": note})
            await unit.connection.execute(text("UPDATE proposal SET said = :note"), {"note": note})
        box = await whole(await rooms.rights.archives.mine(anna.viewer))
        told = content(box)
        foreign = [bert.email, bert.viewer.person, bert.viewer.account, bert.ids["session"], "carla.colleague"]
        foreign += ["Carlotta Fremd", carla.account, carla.person, bert.ids["session"].replace("-", "")]
        assert Hunt(foreign, numbers=[bert.uid]).hits(told, "archive") == []
        own = ["Anna Eigen", anna.email, anna.ids["session"], anna.ids["bill"], "no letters about Anna"]
        own += ["a word for anna@example.org alone", "anna's own card", "MARKETING".lower(), anna.ids["payment"]]
        assert [word for word in own if word.encode() not in told] == []
        assert anna.uid.encode() not in told, "a card's number is shown to nobody, its holder included"


async def test_g7_the_archive_fits_its_schema_and_names_every_part_of_the_register(house: House) -> None:
    await listed(house)
    async with house.door.plugged("CP1", KEY) as station, driver(house, "anna", station) as anna:
        box = await whole(await house.rooms.rights.archives.mine(anna.viewer))
        told = json.loads(box.read("data.json"))
        validator_for(json.loads(box.read("schema.json"))).validate(told)
        personal = {row.area.value for row in columns(metadata) if row.is_personal}
        assert {one["area"] for one in told["what_for"]} == personal
        lines = [json.loads(line) for line in box.read("sessions.jsonl").splitlines()]
        assert [one["id"] for one in lines] == [anna.ids["session"]]
        assert told["kept_while_you_are_here"]["account"][0]["sealed"]["name"] == anna.email
        assert {"bills", "payments"} <= set(told["kept_longer"])
        page = box.read("read-me.html").decode()
        assert "<script" not in page
        assert set(box.namelist()) >= {"csv/sessions.csv", "csv/readings.csv", "csv/bills.csv", "csv/card.csv"}


async def test_g16_an_archive_takes_a_fresh_proof_and_is_fetched_once(house: House) -> None:
    archives = house.rooms.rights.archives
    async with signed_in(house, "anna@example.org") as (anna, _), signed_in(house, "bert@example.org") as (bert, _):
        stale = replace(anna, proved_at=house.rooms.store.clock() - timedelta(minutes=6))
        for refused in (archives.mine(stale), archives.ticket(stale)):
            with pytest.raises(Refusal) as why:
                await refused
            assert why.value.code is Code.PROOF
        code = await archives.ticket(anna)
        assert (await whole(await archives.by_ticket(anna, code))).testzip() is None
        for again in (archives.by_ticket(anna, code), archives.by_ticket(anna, "x" * 43)):
            with pytest.raises(Refusal) as why:
                await again
            assert why.value.code is Code.NOT_FOUND
        with pytest.raises(Refusal):
            await archives.by_ticket(bert, await archives.ticket(anna))
        with pytest.raises(Refusal) as why:
            await archives.of(bert, anna.person)
        assert why.value.code is Code.FORBIDDEN


async def test_g16_a_letter_that_only_names_an_address_gets_nothing(house: House) -> None:
    """A fabricated request: it is taken in, and neither answered nor acted upon before an identity is proved."""
    requests = house.rooms.rights.requests
    async with signed_in(house, "anna@example.org") as (anna, _):
        made = await requests.enter(VIEWER, "", Right.ACCESS, "letter", "I am anna@example.org, send me all of it")
        with pytest.raises(Refusal) as why:
            await requests.answer(VIEWER, made, "Sent the archive by post.")
        assert why.value.code is Code.CONFLICT
        await requests.prove(VIEWER, made, Proof.DOCUMENT, anna.person)
        await requests.answer(VIEWER, made, "Handed out in person, on paper.")
        with pytest.raises(Refusal):
            await requests.answer(VIEWER, made, "Handed out in person, on paper.")
        assert [row.state for row in await requests.mine(anna)] == ["answered"]


async def test_g16_staff_hand_out_nobodys_archive_before_they_proved_who_they_are(house: House) -> None:
    """Not by the API either, which has no page in front of it."""
    rights, clock = house.rooms.rights, house.rooms.store.clock
    officer = replace(VIEWER, name="account:0f", account="account:0f", proved_at=clock())
    async with signed_in(house, "anna@example.org") as (anna, _):
        made = await rights.requests.enter(officer, anna.person, Right.ACCESS, "mail", "")
        for proof in (None, Proof.NOTHING):
            if proof:
                await rights.requests.prove(officer, made, proof)
            with pytest.raises(Refusal) as why:
                await rights.archives.of(officer, anna.person)
            assert why.value.code is Code.CONFLICT
        await rights.requests.prove(officer, made, Proof.DOCUMENT)
        assert (await whole(await rights.archives.of(officer, anna.person))).testzip() is None
        await rights.requests.answer(officer, made, "Handed out in person, on paper.")
        with pytest.raises(Refusal):
            await rights.archives.of(officer, anna.person)


async def test_g16_staff_forget_nobody_before_they_proved_who_they_are(house: House) -> None:
    """Whoever knows an address must not have somebody else forgotten; it cannot be undone."""
    rights, clock = house.rooms.rights, house.rooms.store.clock
    officer = replace(VIEWER, name="account:0f", account="account:0f", proved_at=clock())
    async with signed_in(house, "anna@example.org") as (anna, client):
        made = await rights.requests.enter(officer, anna.person, Right.ERASURE, "mail", "")
        with pytest.raises(Refusal) as why:
            await rights.forgetting.forget(officer, anna.person)
        assert why.value.code is Code.CONFLICT
        assert (await client.get("/api/v1/account")).status_code == 200
        await rights.requests.prove(officer, made, Proof.DOCUMENT)
        assert await rights.forgetting.forget(officer, anna.person)
        assert (await client.get("/api/v1/account")).status_code == 401


async def test_g7_archives_that_nobody_reads_to_the_end_hold_nobody_up(house: House) -> None:
    """Whoever fetches many, and stops after the first bytes of each, keeps no connection from stations and others."""
    archives, store = house.rooms.rights.archives, house.rooms.store
    async with signed_in(house, "anna@example.org") as (anna, _):
        begun = [await archives.mine(anna) for _ in range(20)]
        async with asyncio.timeout(20):
            for one in begun:
                assert await anext(one)
            async with store.read() as connection, store.unit() as unit:
                assert await connection.scalar(text("SELECT 1")) == await unit.connection.scalar(text("SELECT 1"))
        for one in begun:
            await one.aclose()  # type: ignore[attr-defined]
