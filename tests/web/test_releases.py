"""Releases by the API and on pages: who may let something out, who is shown what, and the same bytes for everybody."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from tests.operations.charged import charged
from tests.web.conftest import House
from tests.web.drivers import signed_in
from wattkeeper.charging.person import PROGRAMS, Role, Scope
from wattkeeper.commands.terminal import VIEWER

ASKED: dict[str, Any] = {"kind": "site-load", "first_month": "2025-01", "last_month": "2025-01"}


@pytest.fixture
def engine() -> str:
    """Both engines are in tests/operations/test_releases.py."""
    return "sqlite"


async def test_what_left_is_the_same_to_the_byte_for_everybody(house: House) -> None:
    await charged(house.rooms.store)
    async with signed_in(house, "owner@example.org", Role.OWNER) as (_, owner), house.client() as anybody:
        made = await owner.post("/api/v1/releases", json=ASKED)
        assert made.status_code == 201 and made.json()["has_left"], made.text
        again = await owner.post("/api/v1/releases", json=ASKED)
        assert again.json() == made.json() == (await owner.get("/api/v1/releases")).json()["items"][0]
        one = made.json()
        assert [figure["met"] for figure in one["measured"]] == [True] * 5
        file = await anybody.get(one["json_path"])
        assert (
            hashlib.sha256(file.content).hexdigest() == one["digest"] and "immutable" in file.headers["cache-control"]
        )
        assert (await anybody.get(one["csv_path"])).text.startswith("site,cell,value,unit,error")
        page = await anybody.get(f"/release/{one['id']}")
        assert page.status_code == 200 and one["digest"] in page.text and "North" in page.text
        for figure in one["measured"]:
            assert (
                figure["words"] in page.text
                and figure["words"] in (await owner.get(f"/insight/releases/{one['id']}")).text
            )
        assert (await anybody.get(f"/release/{one['id']}.pdf")).status_code == 404


async def test_what_was_refused_is_shown_to_those_who_work_here_alone(house: House) -> None:
    await charged(house.rooms.store)
    async with signed_in(house, "owner@example.org", Role.OWNER) as (_, owner), house.client() as anybody:
        made = (await owner.post("/api/v1/releases", json=ASKED | {"epsilon": 1})).json()
        assert not made["has_left"] and made["json_path"] == "" and made["digest"] == ""
        for path in ("", ".json", ".csv"):
            assert (await anybody.get(f"/release/{made['id']}{path}")).status_code == 404
        assert "It did not meet the bar" in (await owner.get(f"/insight/releases/{made['id']}")).text
        spent = await owner.post("/api/v1/releases", json=ASKED | {"epsilon": 0.1})
        assert spent.status_code == 409 and "has 0 of 1 left" in spent.json()["detail"]


async def test_the_page_says_why_not_and_keeps_what_was_typed(house: House) -> None:
    await charged(house.rooms.store, drivers=3, agreeing=0)
    async with signed_in(house, "officer@example.org", Role.PRIVACY_OFFICER) as (_, officer):
        for form, why in (
            ({"kind": "odd", "first": "2025-01", "last": "2025-01"}, "Say what to count."),
            ({"kind": "stays", "first": "2025-1", "last": "2025-01"}, "is no month"),
            ({"kind": "stays", "first": "2025-01", "last": "2025-01", "epsilon": "lots"}, "Epsilon is a number"),
            ({"kind": "stays", "first": "2025-01", "last": "2025-01"}, "No driver has agreed"),
        ):
            said = await officer.post("/insight/releases", data=form)
            assert said.status_code in (409, 422) and why in said.text and 'value="2025-01"' in said.text, said.text
        assert (await house.rooms.releases.ledger(VIEWER)) == []


async def test_only_who_answers_for_privacy_lets_anything_out(house: House) -> None:
    await charged(house.rooms.store, drivers=3)
    token = await house.with_scopes(*(PROGRAMS - {Scope.PRIVACY_READ, Scope.PRIVACY_WRITE}))
    for role in (Role.OPERATOR, Role.SUPPORT, Role.DRIVER):
        async with signed_in(house, f"{role.value}@example.org", role) as (_, some):
            await refused(some)
    async with token:
        await refused(token, "/api/v1/releases")
    assert (await house.rooms.releases.ledger(VIEWER)) == []


async def refused(client: httpx.AsyncClient, *paths: str) -> None:
    """Neither reads nor makes."""
    for path in paths or ("/api/v1/releases", "/insight/releases"):
        assert (await client.get(path)).status_code == 403, path
        form = {"kind": "stays", "first": "2025-01", "last": "2025-01"}
        sent = {"json": ASKED} if path.startswith("/api") else {"data": form}
        assert (await client.post(path, **sent)).status_code == 403, path
