"""Findings at the API: who may see and settle them, and what settling does."""

from __future__ import annotations

import httpx
import pytest

from tests.web.conftest import House
from wattkeeper.charging.cards.radar import Pattern
from wattkeeper.charging.person import Scope
from wattkeeper.store.cards import finding as findings

NUMBER = "04A2B97F1180"
ALL = "/api/v1/findings"


async def enrolled(house: House) -> str:
    """A card; its pseudonym."""
    answer = await house.api.post("/api/v1/cards", json={"number": NUMBER})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["ref"])


async def found(house: House, kind: Pattern, ref: str | None) -> str:
    """A finding; its id."""
    async with house.door.store.unit() as unit:
        return findings.keep(unit, kind, ref, "CP1", "Seen there.")


async def state_of(house: House, ref: str) -> str:
    """Where the card is in its life."""
    items = (await house.api.get("/api/v1/cards")).json()["items"]
    return str(next(one["state"] for one in items if one["ref"] == ref))


async def test_a_finding_is_told_by_last_two_and_confirming_it_blocks_the_card(house: House) -> None:
    ref = await enrolled(house)
    identifier = await found(house, Pattern.FAR_APART, ref)
    (one,) = (await house.api.get(ALL)).json()["items"]
    assert one == (await house.api.get(f"{ALL}/{identifier}")).json()
    assert (one["kind"], one["shown"], one["card"], one["state"]) == ("far_apart", "••80", ref, "open")
    confirmed = await house.api.post(f"{ALL}/{identifier}/confirm")
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "confirmed")
    assert await state_of(house, ref) == "blocked"
    assert (await house.api.post(f"{ALL}/{identifier}/confirm")).status_code == 409
    assert (await house.api.post(f"{ALL}/{identifier}/dismiss")).status_code == 409
    assert NUMBER not in confirmed.text


async def test_dismissing_leaves_the_card_alone(house: House) -> None:
    ref = await enrolled(house)
    identifier = await found(house, Pattern.UNLIKE_ITSELF, ref)
    assert (await house.api.post(f"{ALL}/{identifier}/dismiss")).json()["state"] == "dismissed"
    assert await state_of(house, ref) == "active"


async def test_a_finding_about_a_station_is_confirmed_without_a_card(house: House) -> None:
    identifier = await found(house, Pattern.MANY_UNKNOWN, None)
    one = (await house.api.post(f"{ALL}/{identifier}/confirm")).json()
    assert (one["card"], one["shown"], one["state"]) == (None, None, "confirmed")


async def test_findings_are_filtered_and_paged(house: House) -> None:
    ids = [await found(house, kind, None) for kind in (Pattern.MANY_UNKNOWN, Pattern.FAR_APART, Pattern.MANY_UNKNOWN)]
    await house.api.post(f"{ALL}/{ids[0]}/dismiss")
    assert await listed(house.api, "state=open") == [ids[2], ids[1]]
    assert await listed(house.api, "kind=many_unknown") == [ids[2], ids[0]]
    page = (await house.api.get(f"{ALL}?limit=2")).json()
    rest = (await house.api.get(f"{ALL}?limit=2&cursor={page['next']}")).json()
    assert [one["id"] for one in page["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None


async def listed(api: httpx.AsyncClient, query: str) -> list[str]:
    """The ids that a query finds."""
    return [one["id"] for one in (await api.get(f"{ALL}?{query}")).json()["items"]]


@pytest.mark.parametrize(
    ("scopes", "deed", "status"),
    [
        ((Scope.CARDS_READ, Scope.CARDS_WRITE), "", 403),
        ((Scope.FINDINGS_READ,), "", 200),
        ((Scope.FINDINGS_READ,), "/confirm", 403),
        ((Scope.FINDINGS_READ,), "/dismiss", 403),
        ((Scope.FINDINGS_READ, Scope.FINDINGS_WRITE), "/dismiss", 200),
        ((Scope.FINDINGS_READ, Scope.FINDINGS_WRITE), "/confirm", 403),
        ((Scope.FINDINGS_READ, Scope.FINDINGS_WRITE, Scope.CARDS_READ, Scope.CARDS_WRITE), "/confirm", 200),
    ],
)
async def test_each_deed_needs_its_scope(house: House, scopes: tuple[Scope, ...], deed: str, status: int) -> None:
    """To confirm is to block a card, which needs the right to."""
    ref = await enrolled(house)
    identifier = await found(house, Pattern.FAR_APART, ref)
    async with await house.with_scopes(*scopes) as api:
        answer = await (api.post(f"{ALL}/{identifier}{deed}") if deed else api.get(f"{ALL}/{identifier}"))
    assert answer.status_code == status, answer.text
    if status == 403:
        assert await state_of(house, ref) == "active"
        assert (await house.api.get(f"{ALL}/{identifier}")).json()["state"] == "open"


async def test_what_does_not_exist_is_not_found(house: House) -> None:
    for deed in ("", "/confirm", "/dismiss"):
        path = f"{ALL}/{'0' * 16}{deed}"
        assert (await (house.api.post(path) if deed else house.api.get(path))).status_code == 404
