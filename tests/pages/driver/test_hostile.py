"""What is not one's own is as if it did not exist, and nothing that anybody typed is ever more than text."""

from __future__ import annotations

from decimal import Decimal

import httpx
from playwright.async_api import expect

from tests.doors import until
from tests.pages.driver.test_plain import clean, send
from tests.pages.driver.town import Town
from wattkeeper.operations.starts import StartState, StartView

EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"
OTHER = "mallory@example.org"


async def running(town: Town, who: str) -> StartView:
    """A session that somebody started from their phone, at a station that is plugged."""
    viewer = await town.viewer(who)
    began = await town.rooms.starts.start(viewer, station="CP1", evse=1)

    async def look() -> StartView | None:
        told = await town.rooms.starts.view(viewer, began.id)
        return told if told.state is StartState.CHARGING else None

    found = await until(look, "a session")
    assert isinstance(found, StartView)
    return found


async def alike(client: httpx.AsyncClient, theirs: str, nobodys: str, method: str = "GET") -> None:
    """Somebody else's and what is nobody's: the same answer."""
    answers = [await client.request(method, path, data={"label": "x"}) for path in (theirs, nobodys)]
    assert [one.status_code for one in answers] == [404, 404], theirs
    assert clean(answers[0]) == clean(answers[1]), theirs


async def test_what_is_somebody_elses_is_as_if_it_did_not_exist(town: Town) -> None:
    dora, mallory = await town.sign_up(), await town.sign_up(OTHER, "Mallory")
    viewer = await town.viewer(dora)
    async with town.plugged("CP1", behind=town.early), town.plain(mallory) as client:
        start = await running(town, dora)
        ref = await town.fob(dora, "Blue")
        wish = await town.rooms.enrolments.open(viewer, "CP1")
        hexed = "0" * len(start.id)
        for path in ("/app/sessions/{}", "/app/charging/{}", "/app/live/{}/now"):
            await alike(client, path.format(start.session), path.format("000000000"))
        for path in ("/app/charging/{}", "/app/live/{}/now"):
            await alike(client, path.format(start.id), path.format(hexed))
        await alike(client, f"/app/charging/{start.session}/stop", "/app/charging/000000000/stop", "POST")
        await alike(client, f"/app/charging/{start.id}/stop", f"/app/charging/{hexed}/stop", "POST")
        await alike(client, f"/app/cards/add/{wish.id}", f"/app/cards/add/{'0' * len(wish.id)}")
        await alike(client, f"/app/cards/add/{wish.id}/end", f"/app/cards/add/{'0' * len(wish.id)}/end", "POST")
        nobodys = ref[:3] + "0" * (len(ref) - 3)
        for deed in ("block", "unblock", "lost", "name"):
            await alike(client, f"/app/cards/{ref}/{deed}", f"/app/cards/{nobodys}/{deed}", "POST")
        found = await client.get("/app/sessions", params={"q": str(start.session)})
        assert found.status_code == 404
        assert "None of your sessions has this id" in found.text
        assert (await client.get("/app/sessions")).text.count("/app/sessions/") == 0
        still = await town.rooms.starts.view(viewer, start.id)
        assert still.state is StartState.CHARGING


async def test_what_people_type_is_text(town: Town) -> None:
    me = await town.sign_up(name="Dora")
    await town.place("CP9", EVIL[:60], EVIL, ("48.1", "14.1"), max_power_w=Decimal(11_000))
    async with town.plugged("CP9"), town.plain(me) as client, town.driver(me) as person:
        viewer = await town.viewer(me)
        await send(client, "/app/me/known", name=EVIL)
        await town.fob(me, EVIL[:60])
        places = await town.rooms.places.find(viewer, "img")
        code = places[0].outlets[0].code
        for path in ("/app/", "/app/cards", "/app/me", "/app/me/known", "/app/cards/add", f"/app/at/{code}"):
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert "<img src=x" not in answer.text
            assert "<script>" not in answer.text
            await person.page.goto(path)
            assert await person.page.locator("img[src=x]").count() == 0
        await person.page.goto("/app/cards")
        await expect(person.page.locator(".rows .title")).to_contain_text("<img src=x")
        for path, name in (("/app/", "q"), ("/app/sessions", "q"), ("/app/sessions", "month")):
            answer = await client.get(path, params={name: EVIL})
            assert answer.status_code < 500
            assert "<img src=x" not in answer.text, path
        for path, name in (("/app/at", "code"), ("/app/cards/add", "station"), ("/app/cards/activate", "code")):
            answer = await client.post(path, data={name: EVIL + "?"})
            assert answer.status_code == 422
            assert "<img src=x" not in answer.text, path
    async with town.plain() as stranger:
        assert "<img src=x" not in (await stranger.get("/app/sign-in", params={"next": EVIL})).text
        for path in ("/app/sign-in", "/app/sign-up", "/app/recover"):
            answer = await stranger.post(path, data={"email": EVIL, "name": EVIL, "password": EVIL, "next": EVIL})
            assert answer.status_code < 500
            assert "<img src=x" not in answer.text, path


async def test_addresses_that_make_no_sense_are_pages_that_are_not_there(town: Town) -> None:
    me = await town.sign_up()
    async with town.plain(me) as client:
        odd = ("/app/%00", "/app/at/%0d%0a", "/app/sessions/%F0%9F%92%A9", "/app/charging/..%2f..", "/app/stations/")
        for path in odd:
            answer = await client.get(path)
            assert answer.status_code == 404, path
            assert "Nothing is here" in answer.text
        for query in ("month=9999-99", "month=2026-13", "month=0000-00", "month=%00", "q=%00"):
            assert (await client.get(f"/app/sessions?{query}")).status_code in (200, 404), query
        for asked in ("0", "9999999999", "x", "1e9", "-1", "00000000001"):
            assert (await client.get(f"/app/charging/x?asked={asked}")).status_code == 404
