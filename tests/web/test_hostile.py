"""What no client should send: every answer is a problem of the client's, none repeats what was sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import House

CANARY = "04CA9A51C0FFEE"
"""A card's number that must never come back."""
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def engine() -> str:
    """The one that takes no NUL."""
    return "postgres"


ADDRESSES = [
    "stations/%00",
    "stations/CP%001",
    "stations/" + "x" * 300,
    "stations/%ff%fe",
    "stations/..%2f..%2fetc%2fpasswd",
    "stations/%F0%9F%94%8C",
    "stations/CP1/ocpp/%00",
    "sessions/%00",
    "sessions/" + "K" * 5000,
    "sessions/%ED%A0%80",
    "orders/%00",
    "cards/p1:%00",
    "stations?q=%00",
    "stations?q=%ff",
    "stations?q=" + "%25_" * 60,
    "stations?cursor=%00",
    "stations?online=maybe",
    "stations?limit=99999999999999999999999999",
    "stations?limit=0x10",
    "stations?limit=1_0",
    "stations?limit=５",
    "stations?limit=50&limit=501",
    "sessions?from=now",
    "sessions?from=0001-01-01T00:00:00%2B14:00",
    "sessions?to=9999-12-31T23:59:59-14:00",
    "sessions?from=12",
    "sessions?evse=-1",
    "sessions?evse=99999999999",
    "sessions?transaction_id=%00",
    "sessions?transaction_id=" + "9" * 255,
    "sessions?station=%E2%80%AE",
    "sessions?card=%27%20OR%201=1--",
    "sessions?cursor=%00",
    "sessions?cursor=" + "A" * 199,
    "sessions?nothing=1",
    "orders?station=%00",
    "cards?group=%00",
    "cards?last2=123",
    "events?last_event_id=-1",
    "events?last_event_id=9223372036854775808",
]


async def test_no_address_makes_it_stumble(house: House) -> None:
    for path in ADDRESSES:
        answer = await house.api.get(f"/api/v1/{path}")
        assert answer.status_code in (200, 404, 405, 422), (path, answer.text)
        if answer.status_code != 200:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code


BODIES: list[bytes] = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"id": "\\ud800"}',
    b'{"id": "\\u0000"}',
    b'{"id": "x\\ny"}',
    b'{"id": NaN}',
    b'{"id": ' + b"9" * 5000 + b"}",
    b'{"number": "\\ud800"}',
    b'{"number": "\\u0000"}',
    b'{"number": 12345678}',
    b'{"order": "reset", "evse": 99999999999999999999}',
    b'{"order": "start_charging", "id_token": "\\ud800"}',
    b'{"order": "trigger", "message": "\\u0000"}',
    b'{"order": "nothing"}',
    b'{"order": {"$ne": 1}}',
    b'{"max_power_w": 1e400}',
    b'{"label": "\\u0000"}',
    b'{"label": "\\udfff"}',
    b'{"reason": "\\ud800"}',
]


async def test_no_body_makes_it_stumble(house: House) -> None:
    ref = "p1:" + "0" * 32
    deeds = ("stations", "stations/CP1/key", "stations/CP1/orders", "cards", "sessions/0000-0000-0/close")
    for body in BODIES:
        for path in deeds:
            answer = await house.api.post(f"/api/v1/{path}", content=body, headers=JSON)
            assert answer.status_code in (200, 202, 404, 409, 422, 400), (path, body[:40], answer.text)
            assert b"\\u0000" not in answer.content, path
        for path in ("stations/CP1", f"cards/{ref}"):
            answer = await house.api.patch(f"/api/v1/{path}", content=body, headers=JSON)
            assert answer.status_code in (200, 404, 422, 400), (path, body[:40], answer.text)


NUMBERS: list[Any] = [
    {"number": CANARY, "state": CANARY},
    {"number": CANARY, "max_sessions": CANARY},
    {"number": CANARY, "expires_at": CANARY},
    {"number": CANARY, CANARY: 1},
    {"number": CANARY, "name": CANARY + "\x00"},
    {"number": CANARY + "\x00"},
    {"number": CANARY * 10},
    {"number": [CANARY]},
    {CANARY: CANARY},
    [CANARY],
    CANARY,
]


async def test_no_refusal_repeats_a_card_s_number(house: House) -> None:
    for body in NUMBERS:
        answer = await house.api.post("/api/v1/cards", json=body)
        assert answer.status_code == 422, body
        assert CANARY not in answer.text, body
    broken = await house.api.post("/api/v1/cards", content=b'{"number": "%s' % CANARY.encode(), headers=JSON)
    assert broken.status_code == 422
    assert CANARY not in broken.text


async def test_a_number_in_an_order_is_not_repeated(house: House) -> None:
    token = {"order": "start_charging", "id_token": CANARY * 3}
    for body in ({"order": CANARY}, token, {"order": "reset", "evse": CANARY}):
        answer = await house.api.post("/api/v1/stations/CP1/orders", json=body)
        assert answer.status_code == 422
        assert CANARY not in answer.text


async def test_a_body_that_is_too_large_is_refused_from_its_length_and_while_it_comes(house: House) -> None:
    large = b'{"id": "' + b"x" * 1_100_000 + b'"}'
    announced = await house.api.post("/api/v1/stations", content=large, headers=JSON)

    async def unannounced() -> Any:
        for _ in range(20):
            yield b"x" * 100_000

    streamed = await house.api.post("/api/v1/stations", content=unannounced(), headers=JSON)
    for answer in (announced, streamed):
        assert answer.status_code == 413
        assert answer.json()["code"] == "too_large"


async def test_what_is_not_described_is_refused(house: House) -> None:
    answer = await house.api.post("/api/v1/stations", json={"id": "CP9", "lable": "North"})
    assert answer.status_code == 422
    assert answer.json()["faults"] == [{"where": "body.lable", "why": "There is no such member here."}]
    assert (await house.api.get("/api/v1/stations/CP9")).status_code == 404
