"""E22: fifty at once at two doors of one installation, as two processes on one database have them: one succeeds."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from tests.conftest import OpenDoor
from tests.doors import KEY, Door, settings_for, until
from tests.stories.listing import VIEWER
from tests.web.conftest import ADDRESS, House, house_of
from tests.web.driving import TAPPED, list_station, tap
from tests.web.partner import OWNER, App, person, register
from tests.web.phones import listed, puppet, signed_in, started
from tests.web.town import make_account
from wattkeeper.charging.cards.token import CardState
from wattkeeper.charging.person import Role
from wattkeeper.operations.cards.rule import Rule
from wattkeeper.operations.people.letters.links import Links
from wattkeeper.store.people.account import AccountRow
from wattkeeper.store.people.secret_link import Purpose
from wattkeeper.store.tables import (
    account,
    app_grant,
    app_token,
    card,
    enrolment,
    holding,
    login,
    orders,
    phone_start,
    recovery_code,
)

MANY = 50
SAID = {"email": "zoe@example.org", "name": "Zoe", "language": "en", "password": None}


@dataclass(slots=True)
class Twins:
    """Two houses on one database: stations are at the first one's door."""

    houses: tuple[House, House]
    stack: AsyncExitStack

    @property
    def one(self) -> House:
        """The house with the stations."""
        return self.houses[0]

    async def account(self, name: str, role: Role = Role.DRIVER) -> AccountRow:
        """An account of NAME@example.org."""
        async with self.one.rooms.store.unit() as unit:
            return await make_account(self.one, unit, name, role)

    async def clients(self, cookies: Iterable[str]) -> list[httpx.AsyncClient]:
        """Browsers at either door by turns, each with a cookie, or none where that is empty."""
        made = []
        for at, cookie in enumerate(cookies):
            headers = {"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"}
            headers |= {"Cookie": f"wattkeeper={cookie}"} if cookie else {}
            made.append(await self.stack.enter_async_context(self.houses[at % 2].client(**headers)))
        return made

    async def signed_in(self, *rows: AccountRow, half: bool = False) -> list[str]:
        """A cookie for each of these."""
        rooms = self.one.rooms
        async with rooms.store.unit() as unit:
            return [await rooms.access.begin(unit, row, "mail", half=half) for row in rows]

    async def link(self, purpose: Purpose, row: AccountRow | None = None, about: Any = None) -> str:
        """The code of a link."""
        async with self.one.rooms.store.unit() as unit:
            return await Links(self.one.rooms.safe).make(unit, purpose, row.id if row else None, about)

    async def race(self, clients: list[httpx.AsyncClient], path: str, **body: Any) -> Counter[int]:
        """Everybody sends the same at once; how often each status came, of which none may be a fault of ours."""
        sent = [one.post(f"/api/v1/{path}", json=body) for one in clients]
        found = Counter([answer.status_code for answer in await asyncio.gather(*sent)])
        assert max(found) < 500, found
        return found


@pytest.fixture
async def twins(open_door: OpenDoor, database: str, tmp_path: Path) -> AsyncIterator[Twins]:
    """Two houses on one database, and behind the first one's door CP1."""
    door = await open_door(public_url=ADDRESS)
    await door.admit("CP1", KEY)
    second = await Door.make(settings_for(database, tmp_path, public_url=ADDRESS))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(second.store.close)
        made = Twins((await house_of(door), await house_of(second)), stack)
        for house in made.houses:
            await stack.enter_async_context(house.api)
        yield made


def strangers(many: int = MANY) -> list[str]:
    """As many without a cookie."""
    return [""] * many


async def test_e22_one_accepts_an_invitation(twins: Twins) -> None:
    link = await twins.one.rooms.people.staff.invite(OWNER, "zoe@example.org", Role.SUPPORT)
    code = link.rpartition("/")[2]
    found = await twins.race(await twins.clients(strangers()), "invitation/accept", code=code, name="Zoe")
    assert found == {200: 1, 404: MANY - 1}
    assert [row.role for row in await twins.one.door.rows(account)] == ["support"]
    assert len(await twins.one.door.rows(login)) == 1


async def test_e22_one_becomes_the_first_owner(twins: Twins) -> None:
    code = await twins.one.rooms.people.staff.make_owner_link()
    clients = await twins.clients(strangers())
    sent = [
        one.post("/api/v1/first-owner", json={"code": code, "email": f"o{at}@example.org"})
        for at, one in enumerate(clients)
    ]
    found = Counter([answer.status_code for answer in await asyncio.gather(*sent)])
    assert found == {200: 1, 404: MANY - 1}
    assert len(await twins.one.door.rows(account)) == 1


@pytest.mark.parametrize("purpose", [Purpose.VERIFY, Purpose.RECOVER, Purpose.CHANGE_MAIL])
async def test_e22_one_opens_a_link(twins: Twins, purpose: Purpose) -> None:
    row = None if purpose is Purpose.VERIFY else await twins.account("dora")
    code = await twins.link(purpose, row, SAID)
    path = "recover/finish" if purpose is Purpose.RECOVER else "verify"
    cookies = strangers() if purpose is not Purpose.CHANGE_MAIL or row is None else await twins.signed_in(row) * MANY
    found = await twins.race(await twins.clients(cookies), path, code=code)
    assert found[200] == 1
    assert found[404] + found[401] == MANY - 1, "whose sign-in has another secret by then is not signed in"
    assert len(await twins.one.door.rows(account)) == 1
    assert len(await twins.one.door.rows(login)) == 1


async def test_e22_of_two_links_for_one_address_one_makes_the_account(twins: Twins) -> None:
    codes = [await twins.link(Purpose.VERIFY, None, SAID) for _ in range(MANY)]
    clients = await twins.clients(strangers())
    sent = [one.post("/api/v1/verify", json={"code": code}) for one, code in zip(clients, codes, strict=True)]
    found = Counter([answer.status_code for answer in await asyncio.gather(*sent)])
    assert found == {200: 1, 409: MANY - 1}
    assert len(await twins.one.door.rows(account)) == 1


async def second_factor(twins: Twins) -> tuple[AccountRow, pyotp.TOTP, tuple[str, ...]]:
    """Somebody with an authenticator app, set up a while ago, and recovery codes."""
    row, rooms = await twins.account("dora"), twins.one.rooms
    clock = rooms.store.clock
    rooms.store.clock = lambda: clock() - timedelta(minutes=4)
    viewer = await rooms.access.viewer_by_cookie((await twins.signed_in(row))[0])
    assert viewer is not None
    app = pyotp.TOTP((await rooms.people.totp.begin(viewer)).secret)
    codes = (await rooms.people.totp.confirm(viewer, app.at(rooms.store.clock()))).codes
    rooms.store.clock = clock
    return row, app, codes


@pytest.mark.parametrize("by_app", [True, False])
async def test_e22_one_is_in_by_a_second_factor(twins: Twins, by_app: bool) -> None:
    row, app, codes = await second_factor(twins)
    halves = await twins.signed_in(*[row] * 10, half=True)
    clients = await twins.clients(halves * 5)
    path, code = ("sign-in/totp", app.at(time.time())) if by_app else ("sign-in/recovery-code", codes[0])
    found = await twins.race(clients, path, code=code)
    assert found[200] == 1, found
    assert found[200] + found[401] + found[429] == MANY
    logins = await twins.one.door.rows(login)
    assert sum(row.how == ("totp" if by_app else "recovery") for row in logins) == 1
    assert len(await twins.one.door.rows(recovery_code)) == (10 if by_app else 9)


async def test_e22_one_half_sign_in_becomes_one_whole(twins: Twins) -> None:
    """Ten recovery codes, all of them right, for one half sign-in."""
    row, _, codes = await second_factor(twins)
    clients = await twins.clients(await twins.signed_in(row, half=True) * 10)
    sent = [
        one.post("/api/v1/sign-in/recovery-code", json={"code": code}) for one, code in zip(clients, codes, strict=True)
    ]
    found = Counter([answer.status_code for answer in await asyncio.gather(*sent)])
    assert found[200] == 1, found
    assert max(found) < 500
    assert len(await twins.one.door.rows(recovery_code)) == 9, "a code was used up for nothing"


async def test_e22_one_claims_a_card(twins: Twins) -> None:
    rooms = twins.one.rooms
    ref = await rooms.cards.enroll(TAPPED, None, Rule(state=CardState.ORDERED), VIEWER)
    code = await rooms.enrolments.make_code(VIEWER, ref)
    rows = [await twins.account(f"driver{at}") for at in range(10)]
    clients = await twins.clients(await twins.signed_in(*rows) * 5)
    found = await twins.race(clients, "enrolments/activate", code=code)
    assert found[200] == 1, found
    assert found[200] + found[422] + found[429] == MANY
    (now,) = await twins.one.door.rows(card)
    spans = [row for row in await twins.one.door.rows(holding) if row.until is None]
    assert [row.person_id for row in spans] == [now.person_id]
    assert now.person_id in {row.person for row in rows}


async def test_e22_a_card_that_is_tapped_and_claimed_at_once_is_one_driver_s(twins: Twins) -> None:
    """Whoever is told that it is theirs has it."""
    rooms, house = twins.one.rooms, twins.one
    tapper, claimer = await twins.account("tapper"), await twins.account("claimer")
    at_first, at_second = await twins.clients(await twins.signed_in(tapper, claimer))
    async with house.door.plugged() as cp:
        await cp.boot()
        await list_station(house.door)
        for at in range(10):
            number = f"{TAPPED[:-2]}{at:02}"
            ref = await rooms.cards.enroll(number, None, Rule(), VIEWER)
            code = await rooms.enrolments.make_code(VIEWER, ref)
            wished = await at_first.post("/api/v1/enrolments", json={"station": "CP1"})
            claim = at_second.post("/api/v1/enrolments/activate", json={"code": code})
            _, claimed = await asyncio.gather(tap(cp, number), claim)
            wish = (await at_first.get(f"/api/v1/enrolments/{wished.json()['id']}")).json()
            assert (claimed.status_code == 200) != (wish["state"] == "done"), (claimed.status_code, wish["state"])
            holder = claimer if claimed.status_code == 200 else tapper
            spans = [row for row in await house.door.rows(holding) if row.ref == ref and row.until is None]
            assert [row.person_id for row in spans] == [holder.person]


async def test_e22_one_waits_at_a_station(twins: Twins) -> None:
    rows = [await twins.account(f"driver{at}") for at in range(10)]
    clients = await twins.clients(await twins.signed_in(*rows) * 5)
    async with twins.one.door.plugged() as cp:
        await cp.boot()
        await list_station(twins.one.door)
        found = await twins.race(clients, "enrolments", station="CP1")
    assert set(found) <= {201, 409}, found
    waiting = [row for row in await twins.one.door.rows(enrolment) if row.state == "waiting"]
    assert len(waiting) == 1


async def test_e22_one_number_is_enrolled_once(twins: Twins) -> None:
    clients = [house.api for house in twins.houses] * (MANY // 2)
    assert await twins.race(clients, "cards", number=TAPPED) == {201: 1, 409: MANY - 1}
    assert len(await twins.one.door.rows(card)) == len(await twins.one.door.rows(holding)) == 1


async def test_e22_one_wish_is_one_start(twins: Twins) -> None:
    house = twins.one
    await listed(house)
    row = await twins.account("dora")
    async with puppet(house) as station:
        (cookie,) = await twins.signed_in(row)
        headers = {"Cookie": f"wattkeeper={cookie}", "Origin": ADDRESS, "Idempotency-Key": "wish"}
        async with house.client(**headers) as phone:
            body = {"station": "CP1", "evse": 1}
            answers = await asyncio.gather(*(phone.post("/api/v1/starts", json=body) for _ in range(MANY)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["id"] for answer in answers}) == 1
        await station.asked("Start")
        assert station.times("Start") == 1
    assert len(await house.door.rows(phone_start)) == len(await house.door.rows(orders)) == 1


async def test_a_start_that_began_while_it_was_looked_at_is_not_told_as_refused(open_door: OpenDoor) -> None:
    """The station answers too late and begins: whoever looks at that moment hears that it charges."""
    door = await open_door(order_timeout_s=0.2)
    await door.admit("CP1", KEY)
    house = await house_of(door)
    async with house.api, await signed_in(house) as dora, puppet(house, RemoteStartTransaction=None) as station:
        await listed(house)
        start = (await started(dora))["id"]
        token = await station.token()
        await until(lambda: all_settled(door), "the end of the order")
        async with door.store.unit():  # nobody else writes: what is told waits, in the order of its coming
            begins = asyncio.create_task(station.begin(token))
            await until(lambda: waiting_to_write(door) == 1, "the fact at the door of the store")
            looks = asyncio.create_task(dora.get(f"/api/v1/starts/{start}"))
            await until(lambda: waiting_to_write(door) == 2, "the look at the door of the store")
        assert await begins == "Accepted"
        assert (await looks).json()["state"] == "charging"
        (kept,) = await door.rows(phone_start)
        assert kept.state == "charging"


async def all_settled(door: Door) -> bool:
    """Whether no order is open."""
    return all(row.state in ("answered", "expired") for row in await door.rows(orders))


def waiting_to_write(door: Door) -> int:
    """How many wait for their turn."""
    return len(door.store._turn._waiters or ())


# --- what comes twice ends: E12 ---------------------------------------------------------------------------


async def apps_of(twins: Twins) -> tuple[list[App], httpx.AsyncClient]:
    """An app at either door, and somebody who agrees."""
    app = await register(twins.one)
    other = App(twins.houses[1], app.id, app.secret, app.redirect)
    return [app, other] * (MANY // 2), await twins.stack.enter_async_context(await person(twins.one))


async def test_e22_of_fifty_refreshes_one_is_answered_and_then_the_family_has_ended(twins: Twins) -> None:
    """By design (docs/decisions): a token that comes twice may have been stolen, so nobody keeps it."""
    apps, anna = await apps_of(twins)
    first = await apps[0].let_in(anna)
    answers = await asyncio.gather(*(app.refresh(first["refresh_token"]) for app in apps))
    assert Counter(answer.status_code for answer in answers)[200] == 1
    assert {answer.json().get("error") for answer in answers} <= {None, "invalid_grant", "temporarily_unavailable"}
    (grant,) = await twins.one.door.rows(app_grant)
    assert grant.ended_why == "refresh_twice"
    (won,) = (answer.json() for answer in answers if answer.status_code == 200)
    assert await apps[0].status(won["access_token"]) == 401
    again = await apps[0].refresh(won["refresh_token"])
    assert again.json()["error"] in ("invalid_grant", "temporarily_unavailable")  # the latter after so many wrong ones
    assert len((await anna.get("/api/v1/notices")).json()["items"]) == 1, "the owner is told once"


async def test_e22_fifty_refreshes_leave_one_fresh_pair_at_most(twins: Twins) -> None:
    apps, anna = await apps_of(twins)
    first = await apps[0].let_in(anna)
    await asyncio.gather(*(app.refresh(first["refresh_token"]) for app in apps))
    fresh = [row for row in await twins.one.door.rows(app_token) if row.kind == "refresh" and row.used_at is None]
    assert len(fresh) == 1
