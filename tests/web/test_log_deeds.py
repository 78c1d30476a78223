"""Every change of a right, a key or a setting is a deed, in the transaction of the change, by whoever did it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from tests.attacks.test_e1_whose import listed
from tests.doors import KEY
from tests.logs import kept
from tests.web.conftest import House
from tests.web.drivers import driver
from tests.web.town import Town
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.person import Role
from wattkeeper.operations.log.started import note_start
from wattkeeper.operations.safe import open_safe
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import deed


async def deeds(store: Store, kind: DeedKind) -> list[tuple[str, str, dict[str, Any]]]:
    """The deeds of a kind: by whom, about whom, and what."""
    async with store.read() as connection:
        rows = await connection.execute(select(deed).where(deed.c.kind == kind.value).order_by(deed.c.n))
        return [(row.by, row.subject, orjson.loads(row.body)) for row in rows]


async def test_roles_and_states_of_staff(house: House) -> None:
    town, store = Town(house, "", ""), house.rooms.store
    async with await town.who(Role.SUPPORT), await town.who(Role.OWNER) as owner:
        listed = (await owner.get("/api/v1/staff")).json()["items"]
        ids = {one["role"]: one["id"] for one in listed}
        for change in ({"role": "auditor"}, {"active": False}, {"active": True}):
            assert (await owner.patch(f"/api/v1/staff/{ids['support']}", json=change)).status_code == 200
    found = [one for one in await deeds(store, DeedKind.ACCOUNT) if one[1] == ids["support"]]
    assert found[0][2]["what"] == ["made"] and found[0][2]["role"] == "support"
    told = [(by == ids["owner"], body["what"], body.get("role"), body.get("state")) for by, _, body in found[-3:]]
    assert told == [
        (True, ["role", "sites"], "auditor", None),
        (True, ["state"], None, "disabled"),
        (True, ["state"], None, "active"),
    ]


async def test_keys_tokens_apps_and_ways_to_prove_oneself(house: House) -> None:
    store, rooms = house.rooms.store, house.rooms
    await listed(house)
    await house.door.admit("CP7", KEY[::-1])
    await rooms.admission.rekey("CP7", "someone")
    await rooms.admission.remove("CP7", "someone")
    stations = [(by, body["what"]) for by, about, body in await deeds(store, DeedKind.STATION) if about == "CP7"]
    assert stations[-3:] == [(stations[-3][0], "admitted"), ("someone", "another key"), ("someone", "removed")]
    tokens = await deeds(store, DeedKind.TOKEN)
    assert tokens[0][2]["what"] == "made" and "sessions:read" in tokens[0][2]["scopes"]
    await rooms.access.revoke_token(tokens[0][1], "someone")
    assert (await deeds(store, DeedKind.TOKEN))[-1][::2] == ("someone", {"what": "ended"})
    async with house.door.plugged("CP1", KEY) as station, driver(house, "anna", station) as anna:
        account = anna.viewer.account
        proofs = [body for by, about, body in await deeds(store, DeedKind.PROOF) if about == account == by]
        assert {"passkey"} <= {body.get("added") for body in proofs}
        apps = [body["what"] for _, about, body in await deeds(store, DeedKind.APP) if about == account]
        assert apps == ["let in"]
    everything = orjson.dumps([await deeds(store, kind) for kind in DeedKind])
    for secret in (anna.email, anna.uid, KEY):
        assert secret.encode() not in everything


async def test_with_what_it_was_started(database: str, tmp_path: Path) -> None:
    async with kept(database, tmp_path / "key") as one:
        safe = await open_safe(one.store, tmp_path / "key")
        assert await note_start(one.store, safe, one.settings) == []
        assert await note_start(one.store, safe, one.settings) == []
        another = replace(one.settings, heartbeat_s=299, log_name="")
        assert await note_start(one.store, safe, another) == ["heartbeat_s"]
        found = await deeds(one.store, DeedKind.SETTINGS)
        assert [body["changed"] for _, _, body in found] == [[], ["heartbeat_s"]]
        assert "299" not in found[1][2]["commitments"]["heartbeat_s"][:6]
        assert {"policy.cedar", "version", "database"} <= set(found[0][2]["commitments"])
        assert database not in orjson.dumps([body for *_, body in found]).decode()
