"""`kill -9` at random moments while people do things through their own door: nothing is half, nothing is lost."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from sqlalchemy import func, select, update

from tests.databases import Databases
from tests.doors import Door, free_port, settings_for, until
from tests.laws.test_fold import derived
from tests.stories.listing import VIEWER
from tests.stories.mortal import Mailbox, Mortal, Phone, Pole, mortal
from tests.stories.phoenix_house import CODE_S
from tests.stories.wishes import Blocker, Claimants, Driver, Member, Newcomers, Partner, Starter, Tapper, lists_follow
from tests.web.partner import AUTHORIZE, OWNER, REDIRECT, fields_of
from wattkeeper.assembly import furnish
from wattkeeper.charging.cards.token import CardKind, CardState, Offline
from wattkeeper.charging.person import Role
from wattkeeper.charging.station import Version
from wattkeeper.operations.access import digest
from wattkeeper.operations.cards.rule import Rule
from wattkeeper.operations.people.sign_in import totp
from wattkeeper.operations.rebuild import rebuild
from wattkeeper.settings import Settings
from wattkeeper.simulator.clock import Clock, real_now
from wattkeeper.simulator.station import Manners
from wattkeeper.simulator.v16.telling import Station16
from wattkeeper.simulator.v201.telling import Station201
from wattkeeper.store.tables import (
    account,
    app_grant,
    app_token,
    card,
    enrolment,
    holding,
    journal,
    login,
    orders,
    phone_start,
    recovery_code,
    secret_link,
    session,
    station,
)
from wattkeeper.web.rooms import Rooms

SEED = int(os.environ.get("SEED", "11"))
DEATHS = {"sqlite": int(os.environ.get("KILLS", "25")), "postgres": 6}
CODES, CARDS, MEMBERS = 150, 6, 4
POLES = {"T1": Version.V16, "T2": Version.V201, "B1": Version.V16, "S1": Version.V16, "S2": Version.V201}
LISTS = {"L1": Station16, "L2": Station201}
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass(slots=True)
class People:
    """Everybody who wants something, and the stations they are at."""

    claimants: Claimants
    tappers: list[Tapper]
    blocker: Blocker
    starters: list[Starter]
    members: list[Member]
    newcomers: Newcomers
    partner: Partner
    lists: list[Any]

    def wishes(self) -> list[Any]:
        """All that runs until it is enough."""
        some = (self.claimants, self.blocker, self.newcomers, self.partner)
        return [*some, *self.tappers, *self.starters, *self.members]

    def had_a_turn(self) -> bool:
        """Whether everybody has got something done."""
        some = (self.claimants.held, self.blocker.deeds, self.newcomers.emails, self.partner.refreshed)
        more = [*(one.held for one in self.tappers), *(one.ends for one in self.starters)]
        return all([*some, *more, *(sum(one.spent.values()) for one in self.members)])

    def stations(self) -> list[Any]:
        """All that is connected."""
        poles = [*(one.pole for one in self.tappers), *(one.pole for one in self.starters)]
        return [self.blocker.pole, *poles, *self.lists]


# --- before the first life --------------------------------------------------------------------------------


@dataclass(slots=True)
class Founder:
    """Makes people, cards and stations on a database that nobody else has open."""

    settings: Settings
    rooms: Rooms
    phones: AsyncExitStack
    """Where phones are hung up."""

    async def phone(self, cookie: str = "") -> Phone:
        """A phone, signed in where there is a cookie."""
        return await self.phones.enter_async_context(Phone(self.settings, cookie))

    async def people(self) -> People:
        """Everybody."""
        mailbox = Mailbox(await self.phone())
        poles = {name: await self.pole(name, version) for name, version in POLES.items()}
        return People(
            await self.claimants(),
            [Tapper(await self.driver(f"tapper-{name}"), poles[name]) for name in ("T1", "T2")],
            await self.blocker(poles["B1"]),
            [Starter(await self.driver(f"starter-{name}"), poles[name]) for name in ("S1", "S2")],
            [await self.member(f"member{number}", mailbox) for number in range(MEMBERS)],
            Newcomers(await self.phone(), mailbox),
            await self.partner(await self.driver("owner-of-app")),
            [await self.simulated(name, kind) for name, kind in LISTS.items()],
        )

    async def driver(self, name: str) -> Driver:
        """A driver who is signed in."""
        about = {"email": f"{name}@example.org", "name": name.title(), "language": "en"}
        async with self.rooms.store.unit() as unit:
            made = (unit, Role.DRIVER, about, None)
            row = await self.rooms.people.accounts.make(*made, by="test", verified=True)
            cookie = await self.rooms.access.begin(unit, row, "passkey")
        return Driver(about["email"], row.person, row.id, await self.phone(cookie))

    async def member(self, name: str, mailbox: Mailbox) -> Member:
        """A driver with an authenticator app, set up some time ago, and recovery codes."""
        member, apps, now = await self.driver(name), self.rooms.people.totp, self.rooms.store.clock
        self.rooms.store.clock = lambda: now() - timedelta(minutes=8)
        viewer = await self.rooms.access.viewer_by_cookie(member.phone.client.cookies["wattkeeper"])
        assert viewer is not None
        app = pyotp.TOTP((await apps.begin(viewer)).secret, interval=CODE_S)
        changed = await apps.confirm(viewer, app.at(self.rooms.store.clock()))
        self.rooms.store.clock = now
        return Member(member, mailbox, app, list(changed.codes))

    async def claimants(self) -> Claimants:
        """Two drivers, and codes that came with cards."""
        numbers, rule = [f"04C0DE{number:08X}" for number in range(CODES)], Rule(state=CardState.ORDERED)
        refs = [await self.rooms.cards.enroll(number, None, rule, VIEWER) for number in numbers]
        codes = [await self.rooms.enrolments.make_code(VIEWER, ref) for ref in refs]
        return Claimants((await self.driver("claimant1"), await self.driver("claimant2")), codes, [*refs])

    async def blocker(self, pole: Pole) -> Blocker:
        """A driver with cards that stations may accept while they cannot ask."""
        driver, numbers = await self.driver("blocker"), [f"04B10C{number:08X}" for number in range(CARDS)]
        rule = Rule(offline=Offline.ACCEPT, state=CardState.ACTIVE)
        made = {}
        async with self.rooms.store.unit() as unit:
            for number in numbers:
                told = (driver.person, number, CardKind.CARD, None, rule, "test")
                made[str(await self.rooms.cards.enroll_for(unit, *told))] = number
        return Blocker(driver, pole, made)

    async def pole(self, name: str, version: Version) -> Pole:
        """A station that drivers find."""
        key = await self.rooms.admission.provision(name, "test")
        async with self.rooms.store.unit() as unit:
            await unit.connection.execute(update(station).where(station.c.id == name).values(is_listed=True))
        return Pole(self.settings, name, key, version)

    async def simulated(self, name: str, kind: Any) -> Any:
        """A station of the simulator, which keeps a list of cards."""
        key = await self.rooms.admission.provision(name, "test")
        manners, chance = Manners(retry_from_s=0.02, retry_up_to_s=0.1), random.Random(SEED)
        url = f"ws://127.0.0.1:{self.settings.ocpp_port}/ocpp"
        return kind(name, key, url, Clock(real_now(), 1), chance=chance, manners=manners)

    async def partner(self, driver: Driver) -> Partner:
        """An app that is registered, and a driver who agrees whenever it asks."""
        made = await self.rooms.apps.register(OWNER, "Volt", [REDIRECT], secret=False)

        async def let_in() -> str | None:
            asked = {"response_type": "code", "client_id": made.client.id, "redirect_uri": REDIRECT}
            asked |= {"scope": "account:read", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
            page = await driver.phone.told("GET", AUTHORIZE, params=asked)
            assert page.status_code == 200, page.text
            sent = await driver.phone.ask("POST", AUTHORIZE, data=fields_of(page.text) | {"answer": "allow"})
            if sent is None:
                return None
            assert sent.status_code == 303, sent.text
            return parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]

        return Partner(made.client.id, let_in, await self.phone(), VERIFIER)


@asynccontextmanager
async def rooms_on(settings: Settings) -> AsyncIterator[Rooms]:
    """Everything but the doors, on a database that no life has open."""
    door = await Door.make(settings)
    try:
        yield furnish(settings, door.store, door.safe, door.bus, door.intake, door.dispatch)
    finally:
        await door.store.close()


@asynccontextmanager
async def running(*work: Coroutine[Any, Any, Any]) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Do this meanwhile."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def unharmed(deaths: Coroutine[Any, Any, Any], tasks: list[asyncio.Task[Any]]) -> None:
    """Wait for the deaths; whoever saw something that must not be fails at once."""
    dying = asyncio.create_task(deaths)
    try:
        while not dying.done():
            await asyncio.wait([dying, *(one for one in tasks if not one.done())], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        dying.result()
    finally:
        dying.cancel()


# --- the story --------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_what_people_were_told_survives_kill_9_and_nothing_is_half(
    databases: Databases, tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totp, "STEP_S", CODE_S)
    print(f"SEED={SEED} KILLS={DEATHS[engine]} on {engine}")
    ports = {"http_port": free_port(), "ocpp_port": free_port()}
    settings = settings_for(await databases.fresh(engine), tmp_path, outbox=True, **ports)
    async with AsyncExitStack() as phones:
        async with rooms_on(settings) as rooms:
            people = await Founder(settings, rooms, phones).people()
        async with mortal(settings, tmp_path / "said", SEED) as server:
            await live_through(server, people, DEATHS[engine])
    said = (tmp_path / "said").read_text()
    assert "Traceback" not in said, said[-3000:]
    assert "could not" not in said, said[-3000:]
    async with rooms_on(settings) as rooms:
        await nothing_is_half(rooms, people)
        before = await derived(rooms.store)
        await rebuild(rooms.store)
        assert await derived(rooms.store) == before
    await databases.drop(settings.database)


async def live_through(server: Mortal, people: People, deaths: int) -> None:
    """Everybody wants things while the server dies; in the last life each wish is brought to its end."""
    done = asyncio.Event()
    async with running(*(one.run() for one in people.stations())):
        async with running(*(one.run(done.is_set) for one in people.wishes())) as wishes:
            await unharmed(server.die(deaths), wishes)
            await server.next_life()
            await unharmed(until(people.had_a_turn, "a deed of everybody"), wishes)
            done.set()
            await asyncio.wait_for(asyncio.gather(*wishes), 120)
        await lists_follow(people.blocker, *people.lists)
        await people.blocker.settle()
        for starter in people.starters:
            await starter.settle()
        told = [*people.newcomers.cookies.items()]
        told += [(member.driver.email, cookie) for member in people.members for cookie in member.cookies]
        for email, cookie in told:
            async with Phone(server.settings, cookie) as phone:
                assert (await phone.see("/account"))["email"] == email
        if people.partner.tokens is not None:
            assert await people.partner.opens(people.partner.tokens) == 200


# --- after the last life ----------------------------------------------------------------------------------


@dataclass(slots=True)
class Behind:
    """What is kept."""

    rooms: Rooms

    async def rows(self, table: Any, *which: Any) -> list[Any]:
        """Rows of a table of which this holds."""
        async with self.rooms.store.read() as connection:
            return list((await connection.execute(select(table).where(*which))).all())


async def nothing_is_half(rooms: Rooms, people: People) -> None:
    """Look behind the doors."""

    behind = Behind(rooms)
    for check in (cards_have_one_holder, starts_are_one, factors_are_used_once, accounts_are_whole, one_token_is_open):
        await check(behind, people)
    async with rooms.store.read() as connection:
        entries, newest = (await connection.execute(select(func.count(), func.max(journal.c.n)))).one()
    assert entries == newest, "the journal has a gap"
    told = {
        "codes": len(people.claimants.held),
        "unheard": [people.claimants.unheard, people.newcomers.unheard, *(one.unheard for one in people.members)],
        "taps": sum(len(one.held) for one in people.tappers),
        "blocks": people.blocker.deeds,
        "starts": dict(Counter(end for one in people.starters for end in one.ends)),
        "factors": [one.spent for one in people.members],
        "sign-ups": len(people.newcomers.emails),
        "refreshes": (people.partner.refreshed, people.partner.ended),
    }
    print(told)
    assert people.had_a_turn()


async def cards_have_one_holder(behind: Behind, people: People) -> None:
    """Each card that is held has one open span, of the person that the card names; codes and cards say the same."""
    now = {row.ref: row for row in await behind.rows(card)}
    spans = Counter(row.ref for row in await behind.rows(holding, holding.c.until.is_(None)))
    assert set(spans.values()) == {1}
    for span in await behind.rows(holding, holding.c.until.is_(None)):
        assert now[span.ref].person_id == span.person_id
    for ref in people.claimants.refs:
        was_used = ref in people.claimants.held
        assert (now[ref].activation is None) == was_used
        assert now[ref].state == ("active" if was_used else "ordered")
        assert not was_used or now[ref].person_id == people.claimants.held[ref]
    for tapper in people.tappers:
        mine = {ref for ref, row in now.items() if row.person_id == tapper.driver.person}
        assert mine == set(tapper.held), "a card that nobody was told of"
        done = await behind.rows(enrolment, enrolment.c.person_id == tapper.driver.person, enrolment.c.state == "done")
        assert Counter(row.ref for row in done) == Counter([*tapper.held])


async def starts_are_one(behind: Behind, people: People) -> None:
    """Each wish is one start, at most one order and one session; the station was asked no more often."""
    for starter in people.starters:
        name = starter.pole.name
        kept = {row.id: row for row in await behind.rows(phone_start, phone_start.c.station_id == name)}
        assert set(kept) == set(starter.starts.values())
        assert len(kept) == len(starter.starts)
        ordered = await behind.rows(orders, orders.c.station_id == name, orders.c.kind == "StartCharging")
        assert {row.id for row in ordered} <= {row.order_id for row in kept.values()}
        assert {row.state for row in ordered} <= {"answered", "expired"}
        asked = Counter(starter.pole.asked_to_start)
        assert set(asked.values()) <= {1}, "the station was asked twice for one wish"
        assert len(asked) <= len(ordered)
        sessions = await behind.rows(session, session.c.station_id == name)
        assert Counter(row.token for row in sessions) <= Counter(row.ref for row in kept.values())
        assert len(sessions) == len(starter.pole.began) == len(set(starter.pole.began))
        assert not any(row.live for row in sessions)
        by_token = {row.token: row.id for row in sessions}
        flowed = {behind.rooms.safe.ref(uid) for uid in starter.pole.accepted}
        for start, end in zip(starter.starts.values(), starter.ends, strict=True):
            assert end != "refused" or kept[start].ref not in flowed, "energy flowed on a start that was refused"
        for start, shown in starter.sessions.items():
            assert by_token[kept[start].ref] == shown.replace("-", "")


async def factors_are_used_once(behind: Behind, people: People) -> None:
    """Each code that was used made one sign-in; those that were not are there."""
    for member in people.members:
        mine = await behind.rows(login, login.c.account_id == member.driver.account, login.c.half.is_(False))
        whole = Counter(row.how for row in mine)
        assert {how: whole[how] for how in ("totp", "recovery")} == member.spent
        left = await behind.rows(recovery_code, recovery_code.c.account_id == member.driver.account)
        assert len(left) == 10 - member.spent["recovery"] == len(member.codes)


async def accounts_are_whole(behind: Behind, people: People) -> None:
    """Each sign-up is one account with one sign-in, and no link that was opened is left."""
    made = await behind.rows(account, account.c.created_by == "sign-up")
    assert len(made) == len(people.newcomers.emails) == len({row.name_ref for row in made})
    for row in made:
        assert len(await behind.rows(login, login.c.account_id == row.id)) == 1
    left = {bytes(row.code_hash) for row in await behind.rows(secret_link)}
    assert not left & {digest(code) for code in people.newcomers.mailbox.seen}


async def one_token_is_open(behind: Behind, people: People) -> None:
    """Of all that the app was let into, what it holds is open and nothing else."""
    tokens = people.partner.tokens
    live = [row.id for row in await behind.rows(app_grant, app_grant.c.ended_at.is_(None))]
    assert len(live) == (tokens is not None), "a family is open that nobody can use"
    fresh = await behind.rows(app_token, app_token.c.kind == "refresh", app_token.c.used_at.is_(None))
    held = [bytes(row.token_hash) for row in fresh if row.grant_id in live]
    assert held == ([] if tokens is None else [digest(tokens["refresh_token"])])
