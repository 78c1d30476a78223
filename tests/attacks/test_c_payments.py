"""C19: what a payment provider is said to have told is forged, replayed, re-ordered, altered; the books stay right."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import OpenDoor
from tests.pay.local import SECRET
from tests.pay.shapes import Shapes, Thing, shapes
from tests.stories.purse import connected
from tests.web.conftest import House, house_of
from wattkeeper.charging.money.ledger import AccountKind
from wattkeeper.charging.money.payments.payment import PaymentKind
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.audit import audit_ledger
from wattkeeper.operations.people.security import Case
from wattkeeper.store.money import ledger
from wattkeeper.store.money.payments import payment, told
from wattkeeper.store.money.payments.payment import PaymentRow
from wattkeeper.store.tables import ledger_entry, payment_event

DOOR = "/payments/stripe"
CANARY = "4242424242424242"


@pytest.fixture
async def stripe() -> AsyncIterator[Shapes]:
    """A provider."""
    async with shapes() as made:
        yield made


@pytest.fixture
async def house(open_door: OpenDoor, tmp_path: Path, stripe: Shapes) -> AsyncIterator[House]:
    """Both doors, with that provider."""
    made = await house_of(await open_door(**connected(tmp_path, stripe.address)))
    yield made
    assert made.rooms.payments.provider is not None
    await made.rooms.payments.provider.close()
    assert (await audit_ledger(made.rooms.store, made.rooms.settings.zone)).faults == []


async def topping_up(house: House, stripe: Shapes, amount: int = 2000) -> tuple[PaymentRow, Thing]:
    """Somebody is about to top up: our payment, and the provider's, which they paid."""
    async with house.rooms.store.unit() as unit:
        made = await payment.make(unit, "person:1", PaymentKind.TOP_UP, "stripe", (amount, "EUR", 2), "person:1")
        page = stripe.make("cs", "checkout.session", mode="payment")
        row = await payment.change(unit, made, page=page["id"])
    intent = stripe.intent(amount, "eur", {"wattkeeper": row.id})
    stripe.take(intent, amount)
    return row, intent


async def tell(house: House, body: bytes, signature: str | None) -> int:
    """Knock at the provider's door, as a stranger without any cookie."""
    headers = {} if signature is None else {"Stripe-Signature": signature}
    async with house.client(**headers) as stranger:
        answer: httpx.Response = await stranger.post(DOOR, content=body)
    assert answer.content == b"", "nothing is told to whoever knocks"
    return answer.status_code


async def books(house: House) -> tuple[int, int]:
    """How many entries there are, and what the bank's account holds."""
    entries = len(await house.door.rows(ledger_entry))
    async with house.rooms.store.read() as connection:
        held = await ledger.balances(connection, VIEWER, AccountKind.BANK)
    return entries, sum(one.amount_minor for one in held)


async def differences(house: House) -> list[tuple[str, int | None, int | None, str | None]]:
    """Where they and we do not agree."""
    async with house.rooms.store.read() as connection:
        rows = await told.differences(connection, VIEWER, 100)
    return [(one.kind.value, one.ours_minor, one.theirs_minor, one.theirs_currency) for one in rows]


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The security events; no secret and nobody is named in them, nor in any other line."""
    for canary in (SECRET, CANARY, "person:1", "sk_test"):
        assert canary not in caplog.text
    return [str(one.event) for one in caplog.records if one.name == "wattkeeper.security"]  # type: ignore[attr-defined]


# --- forged ---------------------------------------------------------------------------------------------------

FORGERIES: dict[str, Callable[[Shapes, bytes], str | None]] = {
    "no signature": lambda s, body: None,
    "empty": lambda s, body: "",
    "nonsense": lambda s, body: "t=1,v1=zz",
    "another secret": lambda s, body: s.signed(body, secret="whsec_other"),
    "an empty secret": lambda s, body: s.signed(body, secret=""),
    "of another body": lambda s, body: s.signed(body + b" "),
    "an old scheme": lambda s, body: s.signed(body).replace("v1=", "v0="),
    "without a time": lambda s, body: s.signed(body).partition(",")[2],
    "another time": lambda s, body: s.signed(body).replace("t=1", "t=2", 1),
}


@pytest.mark.parametrize("how", FORGERIES)
async def test_c19_forged(house: House, stripe: Shapes, caplog: pytest.LogCaptureFixture, how: str) -> None:
    _, intent = await topping_up(house, stripe)
    body = stripe.event("payment_intent.succeeded", intent, note=CANARY)
    caplog.set_level(logging.DEBUG, "wattkeeper")
    assert await tell(house, body, FORGERIES[how](stripe, body)) == 400
    assert await books(house) == (0, 0)
    assert await house.door.rows(payment_event) == []
    assert events(caplog) == [Case.PAYMENT_FORGED]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b"\xff\xfe", b'{"type":"payment_intent.succeeded"}'])
async def test_c19_signed_nonsense_is_no_event(
    house: House, stripe: Shapes, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    if body == b"\xff\xfe":
        assert await tell(house, body, "t=1,v1=00") == 400
    else:
        assert await tell(house, body, stripe.signed(body)) == 400
    assert await books(house) == (0, 0)
    assert events(caplog) == [Case.PAYMENT_FORGED]


BEYOND: dict[str, Callable[[Shapes, Thing], bytes]] = {
    "no year has it": lambda s, one: told_at(s, one, 9_999_999_999_999),
    "no number has it": lambda s, one: told_at(s, one, 10**400),
    "before there was one": lambda s, one: told_at(s, one, -9_999_999_999),
    "long before": lambda s, one: told_at(s, one, -(10**30)),
    "more than there is": lambda s, one: s.event("payment_intent.succeeded", one, amount_received=10**30),
    "asked for more": lambda s, one: s.event("payment_intent.succeeded", one, amount=10**30),
    "less than nothing": lambda s, one: s.event("payment_intent.succeeded", one, amount_received=-(10**30)),
    "a part": lambda s, one: s.event("payment_intent.succeeded", one, amount_received=0.5),
    "a word": lambda s, one: s.event("payment_intent.succeeded", one, amount_received="1e3"),
    "given back": lambda s, one: s.event("refund.created", {**one, "payment_intent": one["id"]}, amount=10**30),
    "disputed": lambda s, one: s.event("charge.dispute.created", {**one, "payment_intent": one["id"]}, amount=10**30),
    "deep": lambda s, one: b"[" * 5000 + b"]" * 5000,
    "deep inside": lambda s, one: b'{"id":"e","type":"x","data":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "a name without end": lambda s, one: s.event("payment_intent.succeeded", {**one, "id": "x" * 100_000}),
    "a name with a hole": lambda s, one: s.event("payment_intent.succeeded", {**one, "id": "x\0y"}),
    "a currency with a hole": lambda s, one: s.event("payment_intent.succeeded", one, currency="e\0r"),
    "a name that is a list": lambda s, one: s.event("payment_intent.succeeded", {**one, "id": ["x"]}),
}


def told_at(stripe: Shapes, intent: Thing, at: int) -> bytes:
    """An event of such an instant."""
    event = json.loads(stripe.event("payment_intent.succeeded", intent))
    return json.dumps(event | {"created": at}).encode()


@pytest.mark.parametrize("how", BEYOND)
async def test_c19_signed_and_beyond_measure(
    house: House, stripe: Shapes, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    """Whoever holds the secret may be wrong too: the door says 400, and stays."""
    _, intent = await topping_up(house, stripe)
    body = BEYOND[how](stripe, intent)
    assert await tell(house, body, stripe.signed(body)) == 400
    assert (await books(house), await house.door.rows(payment_event)) == ((0, 0), [])
    assert events(caplog) == [Case.PAYMENT_FORGED]


async def test_c19_a_flood_of_bytes_is_refused(house: House, stripe: Shapes) -> None:
    body = b"x" * (2 * 1024 * 1024)
    async with house.client(**{"Stripe-Signature": stripe.signed(body)}) as stranger:
        assert (await stranger.post(DOOR, content=body)).status_code == 413


# --- replayed -------------------------------------------------------------------------------------------------


async def test_c19_replayed(house: House, stripe: Shapes, caplog: pytest.LogCaptureFixture) -> None:
    _, intent = await topping_up(house, stripe)
    body = stripe.event("payment_intent.succeeded", intent)
    signature = stripe.signed(body)
    statuses = await asyncio.gather(*(tell(house, body, signature) for _ in range(10)))
    assert set(statuses) == {200}
    assert await books(house) == (1, 2000)
    again = json.dumps(json.loads(body) | {"id": "evt_another"}).encode()
    assert await tell(house, again, stripe.signed(again)) == 200
    assert await books(house) == (1, 2000), "the same payment told by another event"
    assert await differences(house) == []
    assert events(caplog) == []


async def test_c19_replayed_later(house: House, stripe: Shapes, caplog: pytest.LogCaptureFixture) -> None:
    _, intent = await topping_up(house, stripe)
    body = stripe.event("payment_intent.succeeded", intent)
    assert await tell(house, body, stripe.signed(body, at=time.time() - 301)) == 400
    assert await books(house) == (0, 0)
    assert events(caplog) == [Case.PAYMENT_REPLAYED]
    assert await tell(house, body, stripe.signed(body, at=time.time() - 290)) == 200


# --- altered --------------------------------------------------------------------------------------------------

ALTERED: dict[str, tuple[dict[str, Any], tuple[str, int, int, str]]] = {
    "more": ({"amount": 200000, "amount_received": 200000}, ("amount", 2000, 200000, "EUR")),
    "less": ({"amount_received": 1}, ("amount", 2000, 1, "EUR")),
    "nothing": ({"amount_received": 0}, ("amount", 2000, 0, "EUR")),
    "below nothing": ({"amount_received": -2000}, ("amount", 2000, -2000, "EUR")),
    "another currency": ({"currency": "jpy"}, ("currency", 2000, 2000, "JPY")),
}


@pytest.mark.parametrize("how", ALTERED)
async def test_c19_amount_or_currency_altered(
    house: House, stripe: Shapes, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    """Signed, and yet not what we asked for: it changes nothing, and waits for a person."""
    _, intent = await topping_up(house, stripe)
    changed, expected = ALTERED[how]
    for _ in range(2):
        body = stripe.event("payment_intent.succeeded", intent, **changed)
        assert await tell(house, body, stripe.signed(body)) == 200
    assert await books(house) == (0, 0)
    assert await differences(house) == [expected]
    assert set(events(caplog)) == {Case.PAYMENT_DIFFERS}
    right = stripe.event("payment_intent.succeeded", intent)
    assert await tell(house, right, stripe.signed(right)) == 200
    assert await books(house) == (1, 2000), "the truth is heard all the same"


async def test_c19_a_payment_that_is_none_of_ours(house: House, stripe: Shapes) -> None:
    for metadata in ({}, {"wattkeeper": "0" * 16}, {"wattkeeper": "' OR 1=1 --"}):
        intent = stripe.intent(999, "eur", metadata)
        stripe.take(intent, 999)
        body = stripe.event("payment_intent.succeeded", intent)
        assert await tell(house, body, stripe.signed(body)) == 200
    assert await books(house) == (0, 0)
    assert await differences(house) == [("unknown", None, 999, "EUR")] * 3


async def test_c19_one_payment_cannot_pay_for_two(house: House, stripe: Shapes) -> None:
    row, intent = await topping_up(house, stripe)
    body = stripe.event("payment_intent.succeeded", intent)
    await tell(house, body, stripe.signed(body))
    other = stripe.intent(2000, "eur", {"wattkeeper": row.id})
    stripe.take(other, 2000)
    body = stripe.event("payment_intent.succeeded", other)
    assert await tell(house, body, stripe.signed(body)) == 200
    assert await books(house) == (1, 2000)
    assert await differences(house) == [("unknown", None, 2000, "EUR")]


# --- out of order -----------------------------------------------------------------------------------------------


async def test_c19_reordered_late_and_unknown(house: House, stripe: Shapes) -> None:
    row, intent = await topping_up(house, stripe)
    told_of = [
        stripe.event("payment_intent.succeeded", intent),
        stripe.event("payment_intent.created", intent, status="requires_confirmation", amount_received=0),
        stripe.event("payment_intent.processing", intent, status="processing", amount_received=0),
        stripe.event("payment_intent.payment_failed", intent, status="requires_payment_method", amount_received=0),
        stripe.event("customer.created", stripe.make("cus", "customer")),
        stripe.event("something.invented.tomorrow", {"id": "x", "object": "new"}),
    ]
    for body in told_of:
        assert await tell(house, body, stripe.signed(body)) == 200
    async with house.rooms.store.read() as connection:
        now = await payment.by_id(connection, row.id)
    assert now is not None
    assert (now.state.value, now.captured_minor) == ("captured", 2000)
    assert await books(house) == (1, 2000)
    assert await differences(house) == []
    undone = stripe.event("payment_intent.canceled", intent, status="canceled", amount_received=0)
    assert await tell(house, undone, stripe.signed(undone)) == 200
    assert await books(house) == (1, 2000)
    assert [one[0] for one in await differences(house)] == ["state"]


async def test_c19_a_refund_that_nobody_here_asked_for_and_a_dispute_wait_for_a_person(
    house: House, stripe: Shapes
) -> None:
    _, intent = await topping_up(house, stripe)
    body = stripe.event("payment_intent.succeeded", intent)
    await tell(house, body, stripe.signed(body))
    given = stripe.refund({"payment_intent": intent["id"], "amount": "500"})
    for body in (
        stripe.event("refund.created", given),
        stripe.event("refund.updated", given),
        stripe.event(
            "charge.dispute.created",
            {"id": "dp_1", "object": "dispute", "amount": 2000, "currency": "eur", "payment_intent": intent["id"]},
        ),
    ):
        assert await tell(house, body, stripe.signed(body)) == 200
    assert await books(house) == (1, 2000)
    assert sorted(await differences(house)) == [("disputed", 2000, 2000, "EUR"), ("unknown", None, 500, "EUR")]


# --- the door itself --------------------------------------------------------------------------------------------


async def test_c19_where_no_provider_is_set_up_there_is_no_door(open_door: OpenDoor, stripe: Shapes) -> None:
    house = await house_of(await open_door())
    body = stripe.event("payment_intent.succeeded", stripe.intent(1, "eur", {}))
    async with house.client(**{"Stripe-Signature": stripe.signed(body)}) as stranger:
        answers = [await stranger.post(path, content=body) for path in (DOOR, "/payments/absent")]
    assert [one.status_code for one in answers] == [404, 404]
    assert not [one for one in house.app.routes if getattr(one, "path", "") == DOOR]
