"""A card's number in no answer of either door (attack D4), whoever asks."""

from __future__ import annotations

import base64

import httpx
import pytest

from tests.attacks.test_e1_whose import ask, asked, listed
from tests.doors import KEY
from tests.web.conftest import House
from tests.web.described import Made
from tests.web.drivers import driver, signed_in
from wattkeeper.charging.person import Role

PAGES = (
    "/",
    "/sessions",
    "/stations",
    "/stations/CP1",
    "/cards",
    "/findings",
    "/people",
    "/programs",
    "/security",
    "/account",
)


@pytest.fixture
def engine() -> str:
    """What is told is the same on both."""
    return "sqlite"


def spellings(uid: str) -> list[str]:
    """The number as it might slip out."""
    raw = bytes.fromhex(uid)
    plain = [uid, uid.lower(), ":".join(uid[at : at + 2] for at in range(0, len(uid), 2))]
    return [*plain, base64.b64encode(uid.encode()).decode(), base64.b64encode(raw).decode(), uid.encode().hex()]


async def everything(client: httpx.AsyncClient, house: House, ids: dict[str, str]) -> list[httpx.Response]:
    """Every answer that looking gives."""
    looks = [one for one in asked(house) if one.method == "GET"]
    return [await ask(client, endpoint, Made({}, None), ids.__getitem__) for endpoint in looks]


async def test_d4_no_answer_to_anybody_holds_a_card_s_number(house: House) -> None:
    await listed(house)
    async with house.door.plugged("CP1", KEY) as station, driver(house, "anna", station) as anna:
        told = []
        for role in (Role.OWNER, Role.SUPPORT, Role.AUDITOR):
            async with signed_in(house, f"{role.value}@example.org", role) as (_, staff):
                for path in (*PAGES, f"/cards/{anna.ids['ref']}", f"/sessions/{anna.ids['session']}"):
                    told.append(await staff.get(path))
                told += await everything(staff, house, anna.ids)
        told += await everything(anna.client, house, anna.ids) + await everything(house.api, house, anna.ids)
        for path in ("/app/", "/app/cards", "/app/sessions", f"/app/sessions/{anna.ids['session']}", "/app/me"):
            told.append(await anna.client.get(path))
        assert sum(answer.status_code == 200 for answer in told) > 60
        assert any(anna.ids["ref"] in answer.text for answer in told)  # the pseudonym is there to be found
        spelled = spellings(anna.uid)
        assert [answer.request.url for answer in told if any(one in answer.text for one in spelled)] == []
