"""Attacks on drivers' tokens: what a station may learn, who makes groups, other installations, a stolen database."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.conftest import OpenDoor
from tests.databases import Databases
from tests.doors import KEY, Door, settings_for
from tests.web.conftest import House, house_of
from wattkeeper.charging.cards.token import CardState, Group, Offline
from wattkeeper.charging.person import Scope
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.cards.rule import Rule
from wattkeeper.store.tables import card, card_change, card_group, metadata
from wattkeeper.vault.pseudonym import canonical, pseudonym

CARD, OTHER = "04A2B9C4D5E67F", "04A2B9C4D5E680"


@pytest.fixture
async def house(open_door: OpenDoor) -> AsyncIterator[House]:
    """Both doors, and behind the stations' door CP1."""
    door = await open_door()
    await door.admit("CP1", KEY)
    made = await house_of(door)
    async with made.api:
        yield made


async def state_of_groups(house: House) -> list[Any]:
    """All groups, and the group of each card."""
    async with house.rooms.store.read() as connection:
        groups = await connection.execute(select(card_group).order_by(card_group.c.name))
        return [*groups, *await connection.execute(select(card.c.ref, card.c.grouping).order_by(card.c.ref))]


# --- D3: Authorize as an oracle -----------------------------------------------------------------------------

LIVES: Mapping[str, Rule | None] = {
    "unknown": None,
    "ordered": {"state": CardState.ORDERED},
    "returned": {"state": CardState.RETURNED},
    "blocked": {"state": CardState.BLOCKED},
    "lost": {"state": CardState.LOST},
    "replaced": {"state": CardState.REPLACED},
    "expired": {},
}
SAID = {
    "ocpp1.6": {"unknown": "Invalid", "blocked": "Blocked", "expired": "Expired"},
    "ocpp2.0.1": {"unknown": "Unknown", "blocked": "Blocked", "expired": "Expired"},
}
LIKE = {"ordered": "unknown", "returned": "unknown", "lost": "blocked", "replaced": "blocked"}


@pytest.mark.parametrize("version", SAID)
@pytest.mark.parametrize("life", LIVES)
async def test_d3_a_refused_card_tells_nothing_but_that_it_is_refused(house: House, version: str, life: str) -> None:
    """No parent id, no date; what never was here, is not here yet and is here no more looks alike."""
    await house.rooms.groups.put(VIEWER, Group("fleet", "FLEET1"))
    rule = LIVES[life]
    if rule is not None:
        end = {"expires_at": house.rooms.store.clock() - timedelta(days=1)} if life == "expired" else {}
        wanted: Rule = {**rule, "group": "fleet", "offline": Offline.ACCEPT, **end}  # type: ignore[typeddict-item]
        await house.rooms.cards.enroll(CARD, None, wanted, VIEWER)
    said = SAID[version][LIKE.get(life, life)]
    async with house.door.plugged("CP1", KEY, [version]) as station:
        await station.boot()
        token = {"idToken": CARD, "type": "Central"}
        asked: dict[str, Any] = {"idTag": CARD} if version == "ocpp1.6" else {"idToken": token}
        answer = (await station.call("Authorize", asked))[2]
        info = answer.get("idTagInfo") or answer.get("idTokenInfo")
        assert info == {"status": said}
        start = {"connectorId": 1, "meterStart": 0, "timestamp": "2026-11-20T12:00:00Z", "idTag": CARD}
        if version == "ocpp1.6":
            assert (await station.call("StartTransaction", start))[2]["idTagInfo"] == {"status": said}


# --- D7: who makes groups and passes --------------------------------------------------------------------------


async def test_d7_a_station_makes_no_group_and_no_pass(house: House) -> None:
    """Whatever it tells with a token, and even if it repeats the parent id that it was told."""
    await house.rooms.groups.put(VIEWER, Group("marshal", "MARSHAL", is_master_pass=True))
    for number in (CARD, OTHER):
        await house.rooms.cards.enroll(number, None, {}, VIEWER)
    before = await state_of_groups(house)
    start = {"connectorId": 1, "meterStart": 0, "timestamp": "2026-11-20T12:00:00Z", "idTag": CARD}
    claims = {"parentIdTag": "MARSHAL", "idTagInfo": {"status": "Accepted", "parentIdTag": "MARSHAL"}}
    async with house.door.plugged("CP1", KEY, ["ocpp1.6"]) as station:
        await station.boot()
        for action, told in (
            ("Authorize", {"idTag": CARD}),
            ("StartTransaction", start),
            ("DataTransfer", {"vendorId": "Volt", "data": '{"masterPassGroupId":"MARSHAL"}'}),
        ):
            await station.call(action, told | (claims if action != "DataTransfer" else {}))
        answer = (await station.call("Authorize", {"idTag": CARD}))[2]
        assert "parentIdTag" not in answer["idTagInfo"]
    await house.door.admit("CP2", KEY[::-1])
    async with house.door.plugged("CP2", KEY[::-1], ["ocpp2.0.1"]) as station:
        await station.boot()
        token = {"idToken": OTHER, "type": "ISO14443", "groupIdToken": {"idToken": "MARSHAL", "type": "Central"}}
        await station.call("Authorize", {"idToken": token, "groupIdToken": token["groupIdToken"]})
        answer = (await station.call("Authorize", {"idToken": {"idToken": OTHER, "type": "ISO14443"}}))[2]
        assert "groupIdToken" not in answer["idTokenInfo"]
    assert await state_of_groups(house) == before


async def test_d7_a_list_makes_no_group_and_no_pass(house: House) -> None:
    await house.rooms.groups.put(VIEWER, Group("marshal", "MARSHAL", is_master_pass=True))
    await house.rooms.groups.put(VIEWER, Group("crew"))
    await house.rooms.cards.enroll(OTHER, None, {"group": "marshal", "state": CardState.BLOCKED}, VIEWER)
    before = await state_of_groups(house)
    rows = (f"{CARD},marshal,", "04A2B9C4D5E681,new,", f"{OTHER},,active", "04A2B9C4D5E682,crew,")
    text = "\n".join(["number,group,state", *rows])
    async with await house.with_scopes(Scope.CARDS_READ, Scope.CARDS_WRITE) as clerk:
        told = (await clerk.post("/api/v1/cards/import", content=text)).json()
    assert (told["imported"], told["updated"], [row["line"] for row in told["rejected"]]) == (1, 0, [2, 3, 4])
    assert "marshal" not in str(told["rejected"])
    after = await state_of_groups(house)
    (added,) = (row for row in after if row not in before)
    assert added.grouping == "crew"
    told = (await house.api.post("/api/v1/cards/import", content=text)).json()
    assert (told["imported"], told["updated"], told["rejected_count"]) == (2, 2, 0)


async def test_d7_only_who_may_make_groups_does_and_it_is_noted(house: House) -> None:
    """Nor by any other way: putting a card in, replacing a pass, making a blocked one active."""
    rules = {"parent_id": "MARSHAL", "is_master_pass": True}
    assert (await house.api.put("/api/v1/groups/marshal", json=rules)).status_code == 200
    crew = await house.rooms.cards.enroll(CARD, None, {}, VIEWER)
    a_pass = await house.rooms.cards.enroll(OTHER, None, {"group": "marshal"}, VIEWER)
    async with await house.with_scopes(Scope.CARDS_READ, Scope.CARDS_WRITE) as clerk:
        assert (await clerk.put("/api/v1/groups/marshal", json={})).status_code == 403
        assert (await clerk.delete("/api/v1/groups/marshal")).status_code == 403
        new = {"number": "04A2B9C4D5E690", "group": "marshal"}
        assert (await clerk.post("/api/v1/cards", json=new)).status_code == 403
        assert (await clerk.post("/api/v1/cards", json=new | {"group": "nobody's"})).status_code == 422
        assert (await clerk.patch(f"/api/v1/cards/{crew}", json={"group": "marshal"})).status_code == 403
        assert (await clerk.patch(f"/api/v1/cards/{a_pass}", json={"max_sessions": 5})).status_code == 403
        assert (await clerk.post(f"/api/v1/cards/{a_pass}/replace", json={"number": new["number"]})).status_code == 403
        assert (await clerk.post(f"/api/v1/cards/{a_pass}/block")).status_code == 200, "taking away is for everyone"
        assert (await clerk.post(f"/api/v1/cards/{a_pass}/unblock")).status_code == 403
        assert (await clerk.patch(f"/api/v1/cards/{a_pass}", json={"state": "active"})).status_code == 403
    async with house.rooms.store.read() as connection:
        about = select(card_change.c.by, card_change.c.what).where(card_change.c.ref == "group:marshal")
        noted = await connection.execute(about)
        assert {tuple(row) for row in noted} == {
            ("tests", "Made, as a pass that stops any session."),
            ("tests", "Parent id: MARSHAL."),
        }


# --- D8: another installation -----------------------------------------------------------------------------------


async def test_d8_a_card_of_one_installation_is_unknown_in_another(
    house: House, databases: Databases, engine: str, tmp_path: Path
) -> None:
    """And nothing in the one tells that it is a card of the other: not even its pseudonym."""
    ref = await house.rooms.cards.enroll(CARD, None, {}, VIEWER)
    folder = tmp_path / "other"
    folder.mkdir()
    address = await databases.fresh(engine)
    other = await (await Door.make(settings_for(address, folder))).open()
    try:
        await other.admit("CP1", KEY)
        assert other.safe.ref(CARD) != ref
        for door, status in ((house.door, "Accepted"), (other, "Invalid")):
            async with door.plugged("CP1", KEY) as station:
                await station.boot()
                answer = (await station.call("Authorize", {"idTag": CARD}))[2]
                assert answer["idTagInfo"]["status"] == status
    finally:
        await other.close()
        await databases.drop(address)


# --- D10: a stolen database -------------------------------------------------------------------------------------

PREFIX = CARD[:-4]


def guesses() -> Iterator[str]:
    """Every number that the thief thinks possible: here the last four digits are not known."""
    return (f"{PREFIX}{number:04X}" for number in range(65536))


async def test_d10_a_stolen_database_gives_no_number(house: House) -> None:
    """The control: kept as an unkeyed hash, the same theft gives the number away."""
    ref = await house.rooms.cards.enroll(CARD, "Anna Example", {}, VIEWER)
    async with house.door.plugged() as station:
        await station.boot()
        start = {"connectorId": 1, "meterStart": 0, "timestamp": "2026-11-20T12:00:00Z", "idTag": CARD}
        await station.call("StartTransaction", start)
    stolen = await dump(house)
    assert ref in stolen
    for spelling in (CARD, CARD.lower(), CARD.encode().hex(), ":".join(CARD[at : at + 2] for at in range(0, 14, 2))):
        assert spelling not in stolen
    assert not [uid for uid in guesses() if _unkeyed(uid) in stolen or pseudonym(b"", 1, uid) in stolen]
    careless = stolen + _unkeyed(CARD)
    assert [uid for uid in guesses() if _unkeyed(uid) in careless] == [CARD]


def _unkeyed(uid: str) -> str:
    return hashlib.sha256(canonical(uid).encode()).hexdigest()


async def dump(house: House) -> str:
    """Everything in the database, as text and as hex."""
    told = []
    async with house.rooms.store.read() as connection:
        for table in metadata.sorted_tables:
            for row in await connection.execute(select(table)):
                told += [value.hex() + repr(bytes(value)) if isinstance(value, bytes) else str(value) for value in row]
    return "\n".join(told)
