"""E6 and A8 behind a proxy: everybody is counted by their own address, and nobody makes one up."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx
import pytest

from tests.conftest import OpenDoor
from tests.doors import KEY, PATIENCE_S
from tests.web.conftest import ADDRESS, House, house_of
from wattkeeper.operations.proxies import Proxies
from wattkeeper.settings import Settings

PROXY, STRANGER = "10.0.0.7", "203.0.113.9"
BEHIND: dict[str, Any] = {"trusted_proxies": "10.0.0.0/8, 2001:db8:a::1"}
NAMES = count()


@pytest.fixture
def engine() -> str:
    """Where requests come from is not about the store."""
    return "sqlite"


def still(house: House) -> House:
    """Let waits last, however slow the machine is."""
    house.rooms.access.guessing._by_address._ticks = lambda: 0.0
    return house


async def guessed(house: House, peer: str, **headers: str) -> int:
    """The status of a wrong sign-in that comes from this address with these headers; each under another name."""
    transport = httpx.ASGITransport(app=house.app, client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers) as client:
        given = {"name": f"name{next(NAMES)}@example.org", "password": "a password of many"}
        return (await client.post("/api/v1/sign-in", json=given)).status_code


async def worn_out(house: House, peer: str, **headers: str) -> None:
    """Guess until this one must wait."""
    statuses = [await guessed(house, peer, **headers) for _ in range(22)]
    assert statuses[-1] == 429, "nobody waits"


def told(*addresses: str) -> dict[str, str]:
    """What a proxy says: whom it heard."""
    return {"X-Forwarded-For": ", ".join(addresses)}


async def test_e6_behind_a_proxy_one_guesser_makes_nobody_else_wait(open_door: OpenDoor) -> None:
    house = still(await house_of(await open_door(**BEHIND)))
    await worn_out(house, PROXY, **told(STRANGER))
    assert await guessed(house, PROXY, **told(STRANGER)) == 429
    assert await guessed(house, PROXY, **told("198.51.100.1")) == 401
    assert await guessed(house, PROXY, **told("1.2.3.4", STRANGER)) == 429, "what the guesser wrote itself is believed"
    assert await guessed(house, PROXY, **told(STRANGER, "10.9.9.9")) == 429, "a second proxy of ours hides who asks"


async def test_e6_nobody_but_a_proxy_says_where_they_come_from(open_door: OpenDoor) -> None:
    house = still(await house_of(await open_door(**BEHIND)))
    for at in range(22):
        status = await guessed(house, STRANGER, **told(f"198.51.100.{at}"), Forwarded=f"for=198.51.100.{at}")
    assert status == 429
    assert await guessed(house, PROXY, **told("198.51.100.1"), Forwarded=f"for={STRANGER}") == 401


async def test_e6_the_other_header_is_read_where_that_is_set_and_then_alone(open_door: OpenDoor) -> None:
    house = still(await house_of(await open_door(**BEHIND, proxy_header="Forwarded")))
    said = {"Forwarded": 'for="[2001:db8:1::5]:4711";proto=https;by=_hidden, for=2001:db8:a::1'}
    await worn_out(house, PROXY, **said)
    assert await guessed(house, PROXY, **said, **told("198.51.100.1")) == 429
    assert await guessed(house, PROXY, Forwarded="For=198.51.100.1") == 401


async def test_a8_behind_a_proxy_wrong_keys_of_one_make_no_other_wait(open_door: OpenDoor) -> None:
    door = await open_door(trusted_proxies="127.0.0.1")
    await door.admit("CP1", KEY)
    door.admission._attempts._ticks = lambda: 0.0

    async def tried(station: str, address: str) -> int:
        return (await door.refusal(station, "wrong" * 8, headers=told(address), open_timeout=PATIENCE_S))[0]

    statuses = [await tried(f"CP{at}", STRANGER) for at in range(100, 110)]
    assert (statuses[0], statuses[-1]) == (401, 429)
    assert await tried("CP111", "198.51.100.1") == 401
    async with door.plugged("CP1", headers=told(STRANGER)) as station:
        assert (await station.boot())[0] == 3, "the right key works, whoever else guesses from there"


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("198.51.100.1:4711", "198.51.100.1"),
        ("[2001:db8:1::5]:443", "2001:db8:1::5"),
        ("2001:DB8:1:0::5", "2001:db8:1::5"),
        ("unknown", PROXY),
        ("_secret", PROXY),
        ("198.51.100.1, unknown", PROXY),
        ("", PROXY),
        ("1.2.3.4.5", PROXY),
        ("198.51.100.1\x00", PROXY),
        ("x," * 50_000 + "198.51.100.1", "198.51.100.1"),
    ],
)
def test_what_cannot_be_read_is_the_proxy_itself(value: str, address: str) -> None:
    assert Proxies(Settings(**BEHIND)).origin(PROXY, [value]) == address


def test_settings_that_trust_nothing_that_exists_are_named() -> None:
    with pytest.raises(ValueError, match="WATTKEEPER_TRUSTED_PROXIES"):
        Proxies(Settings(trusted_proxies="the proxy"))
    with pytest.raises(ValueError, match="WATTKEEPER_PROXY_HEADER"):
        Proxies(Settings(proxy_header="x-real-ip"))
    assert not Proxies(Settings(trusted_proxies="")).trusts("127.0.0.1")
    assert Proxies(Settings()).trusts("::ffff:127.0.0.1")
