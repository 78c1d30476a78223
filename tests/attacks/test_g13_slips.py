"""G13: no name, address or e-mail of a person in what is said or logged when something goes wrong, at any level.

All loggers write down all they have, ours and the libraries'; the server is a real one, for it logs faults by itself.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest

from tests.attacks.canaries import Hunt
from tests.conftest import OpenDoor
from tests.doors import free_port
from tests.web.conftest import House, house_of
from tests.web.drivers import PASSWORD, signed_in
from wattkeeper.charging.person import Role
from wattkeeper.web.listening import people

NAME = "Zefanja Quittenbaum"
MAIL = "zefanja.quittenbaum@kranich.example"
STREET = "Kranichgasse 4711"
REASON = "Asks why Zefanja Quittenbaum of Kranichgasse 4711 was billed."
CANARIES = (NAME, MAIL, STREET)
HUNT = Hunt(CANARIES)


@dataclass
class Heard:
    """Everything that was said to whoever asked wrongly."""

    answers: list[httpx.Response] = field(default_factory=list)

    async def __call__(self, client: httpx.AsyncClient, method: str, path: str, **sent: object) -> httpx.Response:
        """Ask, and keep the answer."""
        answer = await client.request(method, path, **sent)  # type: ignore[arg-type]
        self.answers.append(answer)
        return answer


@pytest.fixture
async def house(open_door: OpenDoor) -> AsyncIterator[House]:
    """A mail server that is not there, so that letters fail."""
    door = await open_door(
        staff_passkeys=False, mail_host="127.0.0.1", mail_port=free_port(), http_port=0, mail_tls="none"
    )
    made = await house_of(door)
    async with made.api:
        yield made


def test_g13_the_search_finds_what_is_there() -> None:
    for one in CANARIES:
        for spelled in (f"x {one} y".encode(), one.encode("utf-16-le"), one.encode().hex().encode()):
            assert HUNT.hits(spelled, "a text"), spelled
    assert HUNT.hits(b"nothing of the kind", "a text") == []


async def test_g13_nothing_personal_slips_out_when_things_go_wrong(
    house: House, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    heard = Heard()
    async with signed_in(house, MAIL) as (viewer, anna), signed_in(house, "boss@example.org", Role.OWNER) as (_, boss):
        assert (await anna.patch("/api/v1/account", json={"name": NAME})).status_code == 200
        async with people(house.rooms) as port, httpx.AsyncClient(headers=anna.headers) as real:
            real.base_url = f"http://127.0.0.1:{port}"
            real.headers["Origin"] = f"http://127.0.0.1:{port}"
            await _wrongly(heard, real)
            await _looked_at(heard, boss, viewer.person)
            await _broken(heard, house, real)
        while await house.rooms.people.post.round():
            pass
    said = b"\n".join(answer.content + str(answer.headers).encode() for answer in heard.answers)
    assert len(heard.answers) > 15 and any(answer.status_code == 500 for answer in heard.answers)
    assert HUNT.hits(said, "answers") == []
    ours = [one for one in caplog.records if not one.name.startswith(("httpx", "httpcore"))]  # those ask, as a test
    logged = "\n".join(f"{logging.Formatter().format(one)} {one.__dict__}" for one in ours)
    printed = "".join(capfd.readouterr())  # where the server itself writes what went wrong
    assert "was not sent" in logged and "Traceback" in logged + printed and "hide_parameters" in logged + printed
    assert HUNT.hits((logged + printed).encode(), "log") == []


async def _wrongly(heard: Heard, client: httpx.AsyncClient) -> None:
    """Requests that are refused, with what is personal in every place that takes something."""
    long = {"email": MAIL, "name": NAME * 20, "password": "short"}
    for body in (long, {"email": f"not {MAIL}", "name": NAME}, {"email": MAIL, NAME: STREET}, {"email": [MAIL, NAME]}):
        await heard(client, "POST", "/api/v1/sign-up", json=body)
        await heard(client, "PATCH", "/api/v1/account", json=body)
    await heard(client, "POST", "/api/v1/sign-in", json={"email": MAIL, "password": "a wrong one, quite long"})
    await heard(client, "POST", "/api/v1/recover", json={"email": MAIL})
    await heard(client, "POST", "/api/v1/sign-up", content=f'{{"email": "{MAIL}", "name": "{NAME}')
    await heard(client, "PUT", "/api/v1/account/consents/insight", json={"agrees": NAME})
    await heard(client, "GET", "/api/v1/account/looks", params={"cursor": MAIL})
    await heard(client, "GET", f"/api/v1/bills/{NAME}")
    await heard(client, "POST", "/api/v1/bills/2026-000001/invoice", json={"name": NAME, "street": STREET})


async def _looked_at(heard: Heard, boss: httpx.AsyncClient, person: str) -> None:
    """One of the staff looks, rightly and wrongly, and names the person in their reason."""
    for purpose in ("billing", "enquiry", "whatever"):
        sent = {"purpose": purpose, "reason": REASON}
        await heard(boss, "POST", f"/api/v1/persons/{person}/looks", json=sent)
    await heard(boss, "POST", "/persons", data={"email": f"x{MAIL}x@@"}, headers={"Accept-Language": "de"})
    heard.answers.pop()  # the page keeps what its sender typed, for the sender alone


async def _broken(heard: Heard, house: House, client: httpx.AsyncClient) -> None:
    """The database fails while it writes what is personal: a fault of ours, which is logged with all it knows."""
    for table in ("person", "account"):
        why = f"BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'The disk is full.'); END"
        async with house.rooms.store.unit() as unit:
            if unit.is_sqlite:
                await unit.connection.exec_driver_sql(f"CREATE TRIGGER full_{table} {why}")
            else:
                await unit.connection.exec_driver_sql(
                    f"ALTER TABLE {table} ADD CONSTRAINT full_{table} CHECK (FALSE) NOT VALID"
                )
    await heard(client, "PATCH", "/api/v1/account", json={"name": f"{NAME} the younger"})
    await heard(client, "PATCH", "/api/v1/account", json={"receipts_by_mail": True})
    assert PASSWORD not in str(heard.answers[-1].content)
    for table in ("person", "account"):  # the database is handed on to other tests
        gone = f"DROP TRIGGER full_{table}", f"ALTER TABLE {table} DROP CONSTRAINT full_{table}"
        async with house.rooms.store.unit() as unit:
            await unit.connection.exec_driver_sql(gone[0] if unit.is_sqlite else gone[1])
