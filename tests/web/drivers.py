"""Drivers with everything a driver can have, made through the doors: for tests of whose is whose."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import httpx

from tests.doors import Station, until
from tests.web.conftest import ADDRESS, House
from wattkeeper.charging.cards.radar import Pattern
from wattkeeper.charging.cards.token import CardKind
from wattkeeper.charging.identifiers import session_id, shown
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.person import EVERYTHING, Role, Scope, Viewer
from wattkeeper.operations.money.billing import Billing
from wattkeeper.operations.people.apps.oauth import Asked
from wattkeeper.store.cards import finding
from wattkeeper.store.money.proposal import Deed, Wish
from wattkeeper.store.people import oauth, passkey, step_up
from wattkeeper.store.people.passkey import PasskeyRow

PASSWORD = "a driver's long password"


@dataclass(slots=True)
class Driver:
    """A driver, signed in, and the id of one of each thing that is theirs."""

    email: str
    viewer: Viewer
    client: httpx.AsyncClient
    uid: str
    ids: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    """Words that nobody else may ever read."""


@asynccontextmanager
async def signed_in(
    house: House, email: str, role: Role = Role.DRIVER, sites: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Viewer, httpx.AsyncClient]]:
    """Somebody with an account of this role, and their browser on our own pages."""
    access = house.rooms.access
    await access.make_account(email, PASSWORD, role, sites)
    cookie = await access.sign_in(email, PASSWORD, "127.0.0.1")
    viewer = await access.viewer_by_cookie(cookie)
    assert viewer is not None
    headers = {"Cookie": f"wattkeeper={cookie}", "Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"}
    async with house.client(**headers) as client:
        yield viewer, client


@asynccontextmanager
async def driver(house: House, name: str, station: Station) -> AsyncIterator[Driver]:
    """A driver who has one of everything; ``station`` is CP1, connected in 1.6, and runs their session."""
    await _price(house)
    async with signed_in(house, f"{name}@example.org") as (viewer, client):
        made = Driver(f"{name}@example.org", viewer, client, secrets.token_hex(7).upper())
        made.secrets += [made.email, viewer.person, viewer.account, made.uid]
        await _card(house, made, f"{name}'s own card")
        await _session(house, made, station)
        await _bill(house, made)
        await _payment(house, made)
        await _account_things(house, made)
        await _told(house, made)
        yield made


@asynccontextmanager
async def charged(house: House, name: str, station: Station) -> AsyncIterator[Driver]:
    """A driver with a card, a session and its bill, and nothing that a station is still asked for."""
    await _price(house)
    async with signed_in(house, f"{name}@example.org") as (viewer, client):
        made = Driver(f"{name}@example.org", viewer, client, secrets.token_hex(7).upper())
        await _card(house, made, f"{name}'s own card")
        await _session(house, made, station)
        await _bill(house, made)
        yield made


async def _price(house: House) -> None:
    """A price, so that sessions are billed."""
    price = Tariff("EUR", (Element((Component(Dimension.ENERGY, Decimal("0.50"), Decimal(20)),)),))
    await house.rooms.prices.set(Viewer("tests", Role.OWNER, EVERYTHING), price)


async def _card(house: House, made: Driver, label: str) -> None:
    rooms, person = house.rooms, made.viewer.person
    async with rooms.store.unit() as unit:
        ref = await rooms.cards.enroll_for(unit, person, made.uid, CardKind.CARD, label, {}, made.viewer.name)
    made.ids["ref"] = str(ref)
    made.secrets += [str(ref), label]


async def _session(house: House, made: Driver, station: Station) -> None:
    """A session at CP1, begun and ended with the driver's card."""
    now = house.rooms.store.clock() + timedelta(seconds=1)
    start = {"connectorId": 1, "idTag": made.uid, "meterStart": 0, "timestamp": now.isoformat()}
    answer = (await station.call("StartTransaction", start))[2]
    assert answer["idTagInfo"]["status"] == "Accepted", answer
    status = {"connectorId": 1, "status": "Preparing", "errorCode": "NoError"}
    await station.call("StatusNotification", status)
    stop = {"transactionId": answer["transactionId"], "meterStop": 5000, "idTag": made.uid}
    ended = {"timestamp": (now + timedelta(seconds=1)).isoformat()}
    await station.call("StopTransaction", stop | ended)

    async def mine() -> list[dict[str, str]]:
        found = (await made.client.get("/api/v1/sessions")).json()["items"]
        return list(found)

    session = (await until(mine, "the driver's session"))[0]["id"]
    made.ids["session"] = session
    made.secrets += [session, session.replace("-", "")]


async def _bill(house: House, made: Driver) -> None:
    """The bill of their session, as somebody accepted it."""
    rooms, session = house.rooms, made.ids["session"].replace("-", "")
    billing = Billing(rooms.store, rooms.bus, replace(rooms.settings, billing_grace_s=0))
    await billing.look()
    staff = Viewer("tests", Role.OWNER, EVERYTHING)
    done = await rooms.bills.do(staff, session, Wish(deed=Deed.ACCEPT, said=""))
    assert done.number is not None
    made.ids["bill"] = done.number
    made.secrets.append(done.number)


async def _payment(house: House, made: Driver) -> None:
    """A payment of theirs, as somebody entered it."""
    staff, reference = Viewer("tests", Role.OWNER, EVERYTHING), f"RF18 {secrets.token_hex(6)}"
    row = await house.rooms.payments.wallets.enter(staff, made.viewer.person, (100, "EUR"), reference, is_ahead=True)
    made.ids["payment"] = row.id
    made.secrets += [row.id, reference]


async def _account_things(house: House, made: Driver) -> None:
    """A passkey, another sign-in, an app with access, a wish to add a card."""
    rooms, viewer = house.rooms, made.viewer
    await rooms.access.sign_in(made.email, PASSWORD, "127.0.0.1", f"browser of {made.email}")
    logins = (await made.client.get("/api/v1/account/logins")).json()["items"]
    made.ids["login"] = next(one["id"] for one in logins if one["id"] != viewer.login)
    made.ids["passkey"] = secrets.token_hex(8)
    async with rooms.store.unit() as unit:
        row = PasskeyRow(
            secrets.token_bytes(16), made.ids["passkey"], viewer.account, b"key", 0, (), False, None, unit.now, None
        )
        assert await passkey.keep(unit, row)
    owner = Viewer("tests", Role.OWNER, EVERYTHING)
    app = await rooms.apps.register(owner, "An app", ["http://127.0.0.1/back"], secret=False)
    made.ids["app"] = await _let_in(house, made, app.client.id)


async def _let_in(house: House, made: Driver, client_id: str) -> str:
    """Let an app into the account; the id of the grant."""
    rooms = house.rooms
    async with rooms.store.read() as connection:
        client = await oauth.client(connection, client_id)
    assert client is not None
    verifier = secrets.token_urlsafe(48)
    challenge = oauth_challenge(verifier)
    asked = Asked(client, "http://127.0.0.1/back", frozenset({Scope.SESSIONS_READ}), challenge)
    code = await rooms.oauth.allow(made.viewer, asked)
    await rooms.oauth.exchange(client, code, verifier, "http://127.0.0.1/back")
    apps = (await made.client.get("/api/v1/account/apps")).json()["items"]
    return str(apps[0]["id"])


def oauth_challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def _told(house: House, made: Driver) -> None:
    """A notice, a question that waits, a finding about the card, a start from the phone, a wish to add a card."""
    rooms, person = house.rooms, made.viewer.person
    words = f"a word for {made.email} alone"
    async with rooms.store.unit() as unit:
        await rooms.notices.tell(unit, person, "note", {"title": words, "text": words})
        made.ids["question"] = step_up.keep(unit, person, made.ids["ref"], "CP1", unit.now + timedelta(minutes=2))
        made.ids["finding"] = finding.keep(unit, Pattern.FAR_APART, made.ids["ref"], "CP1", "Two places at once.")
        await unit.flush()
    made.secrets.append(words)
    made.ids["notice"] = (await made.client.get("/api/v1/notices")).json()["items"][0]["id"]
    begun = await made.client.post("/api/v1/starts", json={"station": "CP1", "evse": 1})
    starts = (await made.client.get("/api/v1/starts")).json()["items"]
    assert starts, begun.text
    made.ids["start"] = starts[0]["id"]
    wished = await made.client.post("/api/v1/enrolments", json={"station": "CP1", "label": words})
    assert wished.status_code == 201, wished.text
    made.ids["enrolment"] = wished.json()["id"]
    made.secrets += [made.ids[name] for name in ("notice", "question", "start", "enrolment", "login", "passkey", "app")]


def stranger_to(known: str) -> str:
    """An id of the same shape that nothing has."""
    if known.startswith("20") and known[4:5] == "-":
        return f"{known[:5]}{secrets.randbelow(900_000) + 100_000}"
    if known.startswith("p1:"):
        return "p1:" + secrets.token_hex(16)
    if "-" in known:
        return shown(session_id(secrets.randbits(40)))
    return secrets.token_hex(len(known) // 2)
