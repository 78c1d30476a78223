"""Accounts as pages: found by a card, moved by hand, told to nobody who may not tell persons apart."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import select

from tests.conftest import OpenDoor
from tests.web.conftest import House, house_of
from tests.web.drivers import signed_in
from wattkeeper.charging.money.ledger import AccountKind, EntryKind, account, moved, owed
from wattkeeper.charging.person import Role, Viewer
from wattkeeper.charging.privacy.looking import LookPurpose
from wattkeeper.operations.privacy.looking import Given
from wattkeeper.store.money import ledger
from wattkeeper.store.money.ledger import Entry
from wattkeeper.store.tables import card

LIST = "/money/accounts"


@pytest.fixture
async def house(open_door: OpenDoor) -> AsyncIterator[House]:
    """Both doors; a second person is needed above 50.00."""
    made = await house_of(await open_door(pay_by="invoice", staff_passkeys=False))
    async with made.api:
        yield made


async def owes(house: House, person: str, minor: int) -> None:
    """Somebody charged for so much."""
    lines = moved(account(AccountKind.SALES, "none"), owed(person), "EUR", minor)
    async with house.rooms.store.unit() as unit:
        await ledger.post(unit, [Entry(EntryKind.CHARGE, "2026-000001", "tests", lines)])


def at(person: str) -> str:
    """Where somebody's account is."""
    return f"{LIST}/{person.removeprefix('person:')}"


async def says_why(house: House, viewer: Viewer, person: str) -> None:
    """Somebody of the staff opens a driver for a while."""
    await house.rooms.looking.open_once(viewer, person, Given(LookPurpose.BILLING, "A test looks at a person."))


async def holder(house: House) -> str:
    """Whose the one card is."""
    async with house.rooms.store.read() as connection:
        return str(await connection.scalar(select(card.c.person_id)))


async def did(client: httpx.AsyncClient, path: str, **form: str) -> str:
    """What became of a form."""
    answer = await client.post(path, data=form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("did=")[2]


async def test_money_that_came_is_entered_once_and_what_was_typed_is_kept(house: House) -> None:
    async with (
        signed_in(house, "anna@example.org") as (anna, her),
        signed_in(house, "clara@example.org", Role.BILLING) as (clara_, clara),
    ):
        await says_why(house, clara_, anna.person)
        await owes(house, anna.person, 2000)
        page = (await clara.get(LIST)).text
        assert "€20.00 owed" in page and f'href="{at(anna.person)}"' in page and f"••{anna.person[-4:]}" in page
        path = f"{at(anna.person)}/transfer"
        assert await did(clara, path, amount="12,50", currency="EUR", reference="RF18 1") == "entered"
        again = await clara.post(path, data={"amount": "7,25", "currency": "EUR", "reference": "RF18 1"})
        assert again.status_code == 409 and 'value="7,25"' in again.text and "was entered before" in again.text
        for amount in ("", "0", "-1", "1,005", "x", "9" * 12):
            wrong = await clara.post(path, data={"amount": amount, "currency": "EUR", "reference": "RF18 2"})
            assert wrong.status_code == 422, amount
        odd = await clara.post(path, data={"amount": "1", "currency": "<b>", "reference": "RF18 2"})
        assert odd.status_code == 422
        assert "€7.50 owed" in (await clara.get(at(anna.person))).text
        assert await did(clara, path, amount="5", reference="RF18 3", **{"for": "ahead"}) == "entered"
        assert (await her.get("/api/v1/wallet")).json()["prepaid"] == [{"currency": "EUR", "amount_minor": 500}]


async def test_little_is_given_up_by_one_and_much_by_two(house: House) -> None:
    async with (
        signed_in(house, "anna@example.org") as (anna, _),
        signed_in(house, "clara@example.org", Role.BILLING) as (clara_, clara),
        signed_in(house, "dan@example.org", Role.BILLING) as (dan_, dan),
    ):
        await says_why(house, clara_, anna.person)
        await says_why(house, dan_, anna.person)
        await owes(house, anna.person, 9000)
        path = f"{at(anna.person)}/write-off"
        assert (await clara.post(path, data={"amount": "10", "reason": " "})).status_code == 422
        assert (await clara.post(path, data={"amount": "90,01", "reason": "Gone."})).status_code == 422
        assert await did(clara, path, amount="10", reason="Our fault.") == "done"
        assert await did(clara, path, amount="80", reason="Moved away.") == "proposed"
        assert (await clara.post(path, data={"amount": "80", "reason": "Moved away."})).status_code == 409
        page = (await dan.get(at(anna.person))).text
        assert "Give up €80.00" in page and "Moved away." in page and "€80.00 owed" in page
        (deed,) = (await dan.get("/api/v1/money-deeds", params={"state": "open"})).json()["items"]
        assert (await dan.post(f"/money/deeds/{deed['id']}/agree")).status_code == 303
        assert "Nothing is owed" in (await dan.get(at(anna.person))).text


async def test_what_was_paid_ahead_goes_back_and_never_by_the_account_of_another(house: House) -> None:
    async with (
        signed_in(house, "anna@example.org") as (anna, _),
        signed_in(house, "bert@example.org") as (bert, _),
        signed_in(house, "clara@example.org", Role.BILLING) as (clara_, clara),
    ):
        await says_why(house, clara_, anna.person)
        await says_why(house, clara_, bert.person)
        await did(clara, f"{at(anna.person)}/transfer", amount="40", reference="RF18 1", **{"for": "ahead"})
        (paid,) = (await clara.get("/api/v1/payments")).json()["items"]
        form = {"payment": paid["id"], "amount": "15", "reason": "Asked for it."}
        assert (await clara.post(f"{at(bert.person)}/refund", data=form)).status_code == 422
        assert await did(clara, f"{at(anna.person)}/refund", **form) == "done"
        assert (await clara.post(f"{at(anna.person)}/refund", data=form | {"amount": "26"})).status_code == 422
        page = (await clara.get(at(anna.person))).text
        assert "€25.00 prepaid" in page and "€15.00 given back" in page


async def test_how_somebody_pays_is_chosen_for_them_alone(house: House) -> None:
    async with (
        signed_in(house, "anna@example.org") as (anna, her),
        signed_in(house, "clara@example.org", Role.BILLING) as (clara_, clara),
    ):
        await says_why(house, clara_, anna.person)
        path = f"{at(anna.person)}/way"
        assert await did(clara, path, way="free") == "chosen"
        assert (await her.get("/api/v1/wallet")).json()["way"] == "free"
        assert (await clara.post(path, data={"way": "card"})).status_code == 409, "no cards are taken here"
        assert (await clara.post(path, data={"way": "gold"})).status_code == 422
        assert await did(clara, path, way="") == "chosen"
        assert (await her.get("/api/v1/wallet")).json()["way"] == "invoice"


async def test_an_account_is_found_by_a_card_whose_number_stands_nowhere(house: House) -> None:
    await house.api.post("/api/v1/cards/import", content="number\n04A2B97F33AA\n")
    async with signed_in(house, "clara@example.org", Role.BILLING) as (clara_, clara):
        answer = await clara.post(LIST, data={"number": "04:a2:b9:7f:33:aa"})
        assert answer.status_code == 303 and "33" not in answer.headers["location"].partition(LIST)[0]
        assert "04A2B97F33AA" not in answer.headers["location"]
        await says_why(house, clara_, await holder(house))
        assert "••AA" in (await clara.get(answer.headers["location"])).text
        unknown = await clara.post(LIST, data={"number": "04AAAAAAAA"})
        assert unknown.status_code == 404 and "04AAAAAAAA" not in unknown.text


async def test_who_may_not_tell_persons_apart_sees_sums_and_no_account(house: House) -> None:
    async with (
        signed_in(house, "anna@example.org") as (anna, her),
        signed_in(house, "aud@example.org", Role.AUDITOR) as (_, auditor),
        signed_in(house, "sam@example.org", Role.SUPPORT) as (_, support),
    ):
        await owes(house, anna.person, 2000)
        page = (await auditor.get(LIST)).text
        assert "€20.00" in page and anna.person[-4:] not in page and "a driver" in page
        for one in (auditor, support, her):
            assert (await one.get(at(anna.person))).status_code in (403, 404)
            for what in ("transfer", "way", "write-off", "refund"):
                form = {"amount": "1", "reference": "RF18 9", "reason": "x", "way": "free"}
                assert (await one.post(f"{at(anna.person)}/{what}", data=form)).status_code in (403, 404)
        assert (await her.get("/api/v1/wallet")).json()["owed"] == [{"currency": "EUR", "amount_minor": 2000}]
