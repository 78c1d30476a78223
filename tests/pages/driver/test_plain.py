"""Everything that a form will do, done by forms alone: a browser without script."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import httpx
import pyotp
from sqlalchemy import select
from starlette.routing import Route

from tests.doors import until
from tests.pages.driver.town import MAIL, NUMBER, OWNER, Town
from tests.pages.site import PASSWORD
from wattkeeper.charging.person import Role
from wattkeeper.store.tables import card, login, phone_start, station
from wattkeeper.web.driver import routes
from wattkeeper.web.guards.origin import cookie_name

FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
SAID = re.compile(r'role="(?:alert|status)">\s*<p>(.*?)</p>', re.DOTALL)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's forms."""
    return {name: unescape(value) for name, value in FIELD.findall(page)}


def said(answer: httpx.Response) -> str:
    """The word above a page."""
    found = SAID.search(answer.text)
    return unescape(re.sub(r"<[^>]*>", "", found[1])) if found else ""


async def send(client: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    """Send a form and follow where it leads."""
    return await client.post(path, data=form, follow_redirects=True)


async def rows(town: Town, table: Any) -> list[Any]:
    """Every row of a table."""
    async with town.rooms.store.read() as connection:
        return list((await connection.execute(select(table))).all())


async def test_an_account_is_made_by_the_link_and_by_a_tap_on_it_only(town: Town) -> None:
    async with town.plain() as client:
        answer = await send(client, "/app/sign-up", name="Dora", email=MAIL, password="")
        assert "Look into your mail" in answer.text
        path = await town.letter(MAIL)
        for _ in range(2):
            assert "Is this your address?" in (await client.get(path)).text
        assert "wattkeeper" not in client.cookies
        assert "Welcome" in (await send(client, path)).text
        assert "Dora" in (await client.get("/app/me")).text
        assert (await client.get(path)).status_code == (await client.post(path)).status_code == 404


async def test_signing_up_says_the_same_for_an_address_that_is_known(town: Town) -> None:
    await town.sign_up()
    async with town.plain() as client:
        for path in ("/app/sign-up", "/app/recover"):
            known = await send(client, path, name="Dora", email=MAIL, password="")
            unknown = await send(client, path, name="Dora", email="d0ra@example.org", password="")
            assert known.status_code == unknown.status_code == 200
            assert clean(known) == clean(unknown)


def clean(answer: httpx.Response) -> str:
    """A page without its clock and the address that was typed."""
    return re.sub(r'data-now="[^"]*"|d[o0]ra@example.org', "", answer.text)


async def test_a_password_that_is_unfit_is_said_so_and_the_rest_is_kept(town: Town) -> None:
    async with town.plain() as client:
        for password in ("short", "wattkeeper wattkeeper"):
            answer = await send(client, "/app/sign-up", name="Dora", email=MAIL, password=password)
            assert answer.status_code == 422
            assert 'value="Dora"' in answer.text
            assert f'value="{MAIL}"' in answer.text
            assert 'id="password-fault"' in answer.text
            assert password not in answer.text


async def test_who_signs_in_wrongly_keeps_the_address_and_gets_on_to_where_they_wanted(town: Town) -> None:
    await town.sign_up()
    async with town.plain() as client:
        door = await client.get("/app/sessions?month=2026-03")
        assert door.headers["location"] == "/app/sign-in?next=/app/sessions%3Fmonth%3D2026-03"
        fields = hidden((await client.get(door.headers["location"])).text)
        wrong = await send(client, "/app/sign-in", email=MAIL, password="not this one", **fields)
        assert wrong.status_code == 401
        assert f'value="{MAIL}"' in wrong.text
        assert "not this one" not in wrong.text
        assert 'aria-invalid="true"' in wrong.text
        right = await client.post("/app/sign-in", data={"email": MAIL, "password": PASSWORD, **hidden(wrong.text)})
        assert right.headers["location"] == "/app/sessions?month=2026-03"


ELSEWHERE = (
    *("https://evil.example/", "//evil.example", "/\\evil.example", "/app/\\..", "/app//evil", "/stations", "/app/\n"),
    *("javascript:alert(1)", "", " /app/me", "/application", "/app"),
)


async def test_nobody_is_sent_elsewhere_after_signing_in(town: Town) -> None:
    await town.sign_up()
    async with town.plain() as client:
        for wanted in ELSEWHERE:
            page = await client.get("/app/sign-in", params={"next": wanted})
            assert hidden(page.text) == {"next": "/app/"}, wanted
            assert 'data-next="/app/"' in page.text, wanted
        form = {"email": MAIL, "password": PASSWORD, "next": ELSEWHERE[0]}
        assert (await client.post("/app/sign-in", data=form)).headers["location"] == "/app/"


async def test_a_code_app_is_set_up_asked_for_and_replaced_by_a_recovery_code(town: Town) -> None:
    me = await town.sign_up()
    async with town.plain(me) as client:
        made = await send(client, "/app/me/code-app")
        assert "<svg" in made.text
        secret = re.search(r'data-copy="([A-Z2-7 ]+)"', made.text)
        assert secret
        app = pyotp.TOTP(secret[1].replace(" ", ""))
        wrong = await send(client, "/app/me/code-app/confirm", code="000000")
        assert wrong.status_code == 401
        assert 'id="code-fault"' in wrong.text
        codes = await send(client, "/app/me/code-app/confirm", code=app.now())
        kept = re.findall(r"<span>([0-9A-Z]{5}-[0-9A-Z]{5})</span>", codes.text)
        assert len(kept) == 10
        assert kept[0] not in (await client.get("/app/me/recovery-codes")).text
    async with town.plain() as client:
        half = await send(client, "/app/sign-in", email=MAIL, password=PASSWORD, next="/app/me")
        assert "The six digits of your code app" in half.text
        assert (await client.get("/app/me")).status_code == 303
        again = await send(client, "/app/sign-in/code", code="123456", **hidden(half.text))
        assert again.status_code == 401
        there = await send(client, "/app/sign-in/recovery-code", code=kept[0].lower(), **hidden(again.text))
        assert there.url.path == "/app/me"
        assert "9 left" in there.text
    async with town.plain() as client:
        half = await send(client, "/app/sign-in", email=MAIL, password=PASSWORD, next="/app/me")
        assert (await send(client, "/app/sign-in/recovery-code", code=kept[0])).status_code == 401


async def test_what_changes_how_one_signs_in_asks_for_a_fresh_proof(town: Town) -> None:
    me = await town.sign_up()
    async with town.plain(me) as client:
        async with town.rooms.store.unit() as unit:
            long_ago = unit.now.replace(year=unit.now.year - 1)
            await unit.connection.execute(login.update().values(proved_at=long_ago))
        town.rooms.access.forget()
        asked = await send(client, "/app/me/password", password="a very long pass phrase")
        assert asked.url.path == "/app/me/proof"
        wrong = await send(client, "/app/me/proof/password", given="wrong one", **hidden(asked.text))
        assert wrong.status_code == 401
        back = await send(client, "/app/me/proof/password", given=PASSWORD, **hidden(asked.text))
        assert back.url.path == "/app/me/password"
        done = await send(client, "/app/me/password", password="a very long pass phrase")
        assert said(done).startswith("Your password is saved")


async def test_a_car_is_charged_and_a_form_sent_twice_starts_once(town: Town) -> None:
    me = await town.sign_up()
    async with town.plugged("CP1"), town.plain(me) as client:
        place = unescape((await client.get("/app/?q=hauptplatz")).text)
        path = re.search(r'href="(/app/at/[^"]+)"', place)
        assert path
        page = await client.get(path[1])
        assert "€0.45" in page.text
        form = hidden(page.text)
        one, other = await client.post(path[1], data=form), await client.post(path[1], data=form)
        assert one.headers["location"] == other.headers["location"]
        assert len(await rows(town, phone_start)) == 1
        live = await client.get(one.headers["location"])
        assert '<meta http-equiv="refresh"' in live.text
        assert "Asking the station" in live.text or "The station is ready" in live.text
        off = await send(client, f"{one.headers['location']}/stop")
        assert off.status_code == 200
        await until(lambda: _called_off(client, one.headers["location"]), "the start that was called off")


async def _called_off(client: httpx.AsyncClient, path: str) -> bool:
    return "Called off" in (await client.get(path)).text


async def test_a_start_that_cannot_be_is_told_in_words_with_a_way_on(town: Town) -> None:
    me = await town.sign_up()
    async with town.plain(me) as client:
        async with town.plugged("CP1"):
            page = await client.get("/app/?q=hauptplatz")
            path = re.search(r'href="(/app/at/[^"]+)"', page.text)
            assert path

        async def gone() -> bool:
            return "Out of order" in (await client.get(path[1])).text

        await until(gone, "a station that is gone")
        answer = await send(client, path[1], **hidden((await client.get(path[1])).text))
        assert "It was not started" in answer.text
        assert "not connected" in answer.text or "cannot be reached" in answer.text.lower()


async def test_codes_are_typed_as_they_stand_there(town: Town) -> None:
    me = await town.sign_up()
    async with town.plain(me) as client:
        async with town.plugged("CP1"):
            path = re.search(r'href="/app/at/([^"]+)"', (await client.get("/app/?q=hauptplatz")).text)
            assert path
            code = path[1]
            grouped = "-".join(code[at : at + 4] for at in range(0, len(code), 4)).lower()
            for typed in (code, grouped, f" {code} ", f"{town.doors.http}/app/at/{code}"):
                answer = await client.post("/app/at", data={"code": typed})
                assert answer.headers.get("location") == f"/app/at/{code}", typed
        wrong = await client.post("/app/at", data={"code": "QQQQ-QQQQ"})
        assert wrong.status_code == 422
        assert 'value="QQQQ-QQQQ"' in wrong.text
        assert 'id="code-fault"' in wrong.text


async def test_cards_are_named_blocked_unblocked_and_lost(town: Town) -> None:
    me = await town.sign_up()
    ref = await town.fob(me)
    async with town.plain(me) as client:
        assert "Saved" in said(await send(client, f"/app/cards/{ref}/name", label="Blue fob"))
        for deed, word in (("block", "Blocked"), ("block", "Blocked"), ("unblock", "Active"), ("lost", "Lost")):
            page = await send(client, f"/app/cards/{ref}/{deed}")
            shown = re.search(r'<span class="fig">(.*?)</span>\s*<span class="sub">', page.text, re.DOTALL)
            assert shown
            assert word in shown[1], deed
            assert "Blue fob" in page.text
        back = await send(client, f"/app/cards/{ref}/unblock")
        assert back.status_code == 409
        assert "ask support" in said(back)
        assert NUMBER not in back.text
    assert [row.state for row in await rows(town, card)] == ["lost"]


async def test_a_card_comes_with_a_code_that_is_good_once(town: Town) -> None:
    me = await town.sign_up()
    ref = await town.rooms.cards.enroll(NUMBER, None, {}, OWNER)
    code = await town.rooms.enrolments.make_code(OWNER, ref)
    async with town.plain(me) as client:
        wrong = await send(client, "/app/cards/activate", code="WRONG-CODE")
        assert wrong.status_code == 422
        assert 'value="WRONG-CODE"' in wrong.text
        assert "It is yours" in said(await send(client, "/app/cards/activate", code=code.lower()))
        assert "••C3" in (await client.get("/app/cards")).text
        assert (await send(client, "/app/cards/activate", code=code)).status_code == 422


async def test_sign_ins_are_listed_and_ended(town: Town) -> None:
    me = await town.sign_up()
    async with town.plain(me) as here, town.plain(me) as there:
        page = await here.get("/app/me/logins")
        assert page.text.count("Chrome on Android") >= 2
        other = re.search(r'action="(/app/me/logins/[0-9a-f]+/end)"', page.text)
        assert other
        for _ in range(2):
            assert "Signed out there" in said(await send(here, other[1]))
        assert (await there.get("/app/me")).status_code == 303
        assert (await here.get("/app/me")).status_code == 200
        out = await send(here, "/app/sign-out")
        assert "You are signed out" in said(out)
        assert (await here.get("/app/me")).status_code == 303


async def test_near_me_is_a_list_by_distance_that_no_address_tells_of(town: Town) -> None:
    me = await town.sign_up()
    async with town.plain(me) as client:
        page = await client.post("/app/near", data={"latitude": "48.298", "longitude": "14.292"})
        assert page.status_code == 200
        assert page.text.index("Volksgarten") < page.text.index("Hauptplatz")
        assert re.search(r'<span class="fig">\d+ m</span>', page.text)
        for latitude, longitude in (("", ""), ("91", "0"), ("0", "181"), ("nan", "0"), ("1e5", "0"), ("<b>", "0")):
            answer = await client.post("/app/near", data={"latitude": latitude, "longitude": longitude})
            assert answer.status_code == 422


def posts(town: Town) -> list[str]:
    """Every path of the app that takes a form."""
    made = [one for noun in routes.NOUNS for one in noun.router(routes.paper_of(town.rooms)).routes]
    return [one.path for one in made if isinstance(one, Route) and "POST" in (one.methods or ())]


async def test_no_form_of_another_site_does_anything(town: Town) -> None:
    me = await town.sign_up()
    named = cookie_name(town.rooms.settings)
    paths = posts(town)
    assert len(paths) > 20
    async with httpx.AsyncClient(base_url=town.doors.http, cookies={named: await town.cookie(me)}) as client:
        before = [await rows(town, table) for table in (login, phone_start, card, station)]
        for path in paths:
            filled = re.sub(r"\{[^}]*\}", "x", path)
            for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
                answer = await client.post(filled, data={"code": "x"}, headers=headers)
                assert answer.status_code == 403, path
        assert [await rows(town, table) for table in (login, phone_start, card, station)] == before


async def test_staff_are_told_plainly_and_drivers_find_the_app(town: Town) -> None:
    await town.rooms.access.make_account("olga", PASSWORD, Role.OPERATOR)
    async with town.plain() as client:
        cookie = await town.rooms.access.sign_in("olga", PASSWORD, "192.0.2.1")
        client.cookies.set(cookie_name(town.rooms.settings), cookie)
        for path in ("/app/", "/app/me", "/app/nowhere"):
            answer = await client.get(path)
            assert answer.status_code == 403
            assert "This is the drivers’ app" in answer.text
            assert 'href="/"' in answer.text
        assert (await client.get("/app")).headers["location"] == "/app/"
    me = await town.sign_up()
    async with town.plain(me) as client:
        assert (await client.get("/")).headers["location"] == "/app/"
