"""Payments by the API: entered once, seen by whom they concern, moved by two people where it is much."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import OpenDoor
from tests.pay.shapes import Shapes, shapes
from tests.stories.purse import connected
from tests.web.conftest import House, house_of
from tests.web.drivers import signed_in
from wattkeeper.charging.money.payments.payment import Differs
from wattkeeper.charging.person import Role
from wattkeeper.store.money.payments import told

API = "/api/v1"


@pytest.fixture
async def stripe() -> AsyncIterator[Shapes]:
    """A provider."""
    async with shapes() as made:
        yield made


@pytest.fixture
async def house(open_door: OpenDoor, tmp_path: Path, stripe: Shapes) -> AsyncIterator[House]:
    """Both doors, with that provider; drivers may choose how they pay."""
    given = connected(tmp_path, stripe.address, pay_by="invoice", pay_choices="prepaid, card", staff_passkeys=False)
    made = await house_of(await open_door(**given))
    async with made.api:
        yield made
    assert made.rooms.payments.provider is not None
    await made.rooms.payments.provider.close()


async def test_a_transfer_is_entered_once_and_seen_by_its_driver_alone(house: House) -> None:
    async with (
        signed_in(house, "anna@example.org") as (anna, her),
        signed_in(house, "bert@example.org") as (_, his),
        signed_in(house, "aud@example.org", Role.AUDITOR) as (_, auditor),
    ):
        new = {"person": anna.person, "amount_minor": 4000, "currency": "EUR", "reference": "RF18 1", "prepaid": True}
        made = await house.api.post(f"{API}/payments", json=new)
        assert (made.status_code, made.json()["state"], made.json()["theirs"]) == (201, "captured", "RF18 1")
        assert (await house.api.post(f"{API}/payments", json=new)).status_code == 409
        assert (await her.post(f"{API}/payments", json=new | {"reference": "RF18 2"})).status_code == 403
        path = f"{API}/payments/{made.json()['id']}"
        mine = (await her.get(path)).json()
        assert (mine["person"], mine["theirs"], mine["captured_minor"]) == (anna.person, None, 4000)
        assert (await his.get(path)).status_code == 404
        assert (await his.get(f"{API}/payments")).json()["items"] == []
        assert (await his.get(f"{API}/payments", params={"person": anna.person})).status_code == 403
        seen = (await auditor.get(path)).json()
        assert (seen["person"], seen["theirs"]) == (None, "RF18 1")
        assert anna.person not in (await auditor.get(f"{API}/money-deeds")).text
        assert (await her.get(f"{API}/wallet")).json()["prepaid"] == [{"currency": "EUR", "amount_minor": 4000}]


async def test_much_goes_back_only_by_two_people(house: House) -> None:
    async with (
        signed_in(house, "anna@example.org") as (anna, _),
        signed_in(house, "clara@example.org", Role.BILLING) as (_, clara),
        signed_in(house, "dan@example.org", Role.BILLING) as (_, dan),
    ):
        new = {"person": anna.person, "amount_minor": 9000, "currency": "EUR", "reference": "RF18 1", "prepaid": True}
        entered = (await clara.post(f"{API}/payments", json=new)).json()
        assert entered["state"] == "waiting"
        assert (await house.api.post(f"{API}/payments", json=new | {"reference": "RF18 2"})).status_code == 403
        (deed,) = (await clara.get(f"{API}/money-deeds")).json()["items"]
        assert (deed["deed"], deed["payment"]) == ("enter", entered["id"])
        assert (await clara.post(f"{API}/money-deeds/{deed['id']}/agree")).status_code == 403
        assert (await dan.post(f"{API}/money-deeds/{deed['id']}/agree")).json()["state"] == "done"
        path = f"{API}/payments/{entered['id']}"
        wish = {"amount_minor": 6000, "reason": "Moves away."}
        deed = (await clara.post(f"{path}/refund", json=wish)).json()
        assert deed["state"] == "open"
        assert (await clara.post(f"{API}/money-deeds/{deed['id']}/agree")).status_code == 403
        assert (await house.api.post(f"{API}/money-deeds/{deed['id']}/agree")).status_code == 403
        assert (await dan.post(f"{API}/money-deeds/{deed['id']}/agree")).json()["state"] == "done"
        assert (await dan.post(f"{API}/money-deeds/{deed['id']}/agree")).status_code == 409
        assert (await clara.get(path)).json()["refunded_minor"] == 6000
        assert (await clara.post(f"{path}/refund", json=wish)).status_code == 422


async def test_a_driver_chooses_tops_up_and_leaves_a_card_on_the_providers_page(house: House, stripe: Shapes) -> None:
    async with signed_in(house, "anna@example.org") as (_, her):
        assert (await her.post(f"{API}/wallet/way", json={"way": "free"})).status_code == 403
        assert "Whoever runs this tells you where to pay." in (await her.get("/app/me/pay")).text
        assert (await her.post(f"{API}/wallet/way", json={"way": "prepaid"})).json()["way"] == "prepaid"
        assert (await her.post(f"{API}/wallet/top-ups", json={"amount_minor": 1})).status_code == 422
        told_of = (await her.post(f"{API}/wallet/top-ups", json={"amount_minor": 2000})).json()
        assert told_of["url"] == "https://pay.example/p"
        page = await her.get(f"/app/me/pay/{told_of['payment']}")
        assert 'href="https://pay.example/p"' in page.text
        stripe.paid(next(one["id"] for one in stripe.things.values() if one["object"] == "checkout.session"))
        assert "Thank you." in (await her.get(f"/app/me/pay/{told_of['payment']}")).text
        assert "€20.00" in (await her.get("/app/me/pay")).text
        answer = await her.post("/app/me/pay/top-up", data={"amount": "2.5x"})
        assert answer.status_code == 422
        assert 'value="2.5x"' in answer.text and "such as 20 or 12.50" in answer.text
        foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        assert (await her.post("/app/me/pay/card", headers=foreign)).status_code == 403
        gone = await her.post("/app/me/pay/card")
        assert gone.status_code == 303
        assert "payment page" in (await her.get(gone.headers["location"])).text


async def test_what_differs_waits_for_somebody_who_says_how_it_was_settled(house: House) -> None:
    async with house.rooms.store.unit() as unit:
        await told.differ(unit, Differs.AMOUNT, "pi_9", None, (600, "EUR"), (601, "EUR"))
        await told.differ(unit, Differs.AMOUNT, "pi_9", None, (600, "EUR"), (601, "EUR"))
    async with (
        signed_in(house, "clara@example.org", Role.BILLING) as (_, clara),
        signed_in(house, "sam@example.org", Role.SUPPORT) as (_, support),
    ):
        page = (await clara.get("/money/payments")).text
        assert "1 payment differs" in page and "They say €6.01." in page
        (one,) = (await clara.get(f"{API}/payment-differences")).json()["items"]
        path = f"/money/differences/{one['id']}/settle"
        assert (await support.post(path, data={"reason": "x"})).status_code == 403
        assert "Say how it was settled" in (await clara.post(path, data={"reason": " "})).text
        assert (await clara.post(path, data={"reason": "Refunded there."})).status_code == 303
        assert "Payments agree" in (await clara.get("/money/payments")).text
        again = await clara.post(f"{API}/payment-differences/{one['id']}/settle", json={"reason": "x"})
        assert again.status_code == 409
        settled = (await clara.get(f"{API}/payment-differences", params={"state": "settled"})).json()["items"]
        assert [each["said"] for each in settled] == ["Refunded there."]
