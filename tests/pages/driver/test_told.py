"""Every word of the app comes from the catalogue: a language that marks what it tells leaves nothing unmarked."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from tests.doors import until
from tests.pages import pseudo
from tests.pages.driver.billed import MISREAD, billed
from tests.pages.driver.test_hostile import running
from tests.pages.driver.test_plain import rows
from tests.pages.driver.town import MAIL, Town
from tests.pages.everybody.visit import pages_of, unseen
from tests.pages.paid import NUMBER, WORDS, paid
from tests.pages.pseudo import Walk
from wattkeeper.charging.person import Scope
from wattkeeper.operations.people.letters.notice_words import NoticeKind
from wattkeeper.store.people import account, oauth, passkey, step_up
from wattkeeper.store.people.oauth import ClientRow, TokenUse
from wattkeeper.store.people.passkey import PasskeyRow
from wattkeeper.store.tables import app_grant, app_token
from wattkeeper.store.tables import session as sessions
from wattkeeper.web.driver import cards, me, routes
from wattkeeper.web.driver.money import pay

NAMES = ("Dora Driver", "Hauptplatz 1, Linz", "Hauptplatz", "Volksgarten", "Volksgartenstraße 40, Linz", "CP1", "CP2")
OTHER = "other@example.org"
BILLED = (MISREAD, "Agreed with the driver.", "standard")
DATA = (
    *NAMES,
    *WORDS,
    MAIL,
    "Blue",
    "Volt",
    "Chrome on Android",
    "python-httpx",
    "help@example.org",
    OTHER,
    "Dora Right",
    MISREAD,
    "Agreed with the driver.",
    *("Strom & Rad GmbH", "4020 Linz, AT", "Hauptplatz"),
    "standard",
)
"""What people and stations are called."""
PARTS = {
    "/app/worker.js",
    "/app/manifest.webmanifest",
    "/app/live/{id}",
    "/app/bills/{number}/paper",
    "/app/sessions/{id}/signed",
    "/app/statements/{month}",
    "/app/consumption/sheets/{name}",
    "/app/consumption/years/{year}/paper",
    "/app/consumption/years/{year}/sheet",
    "/app/me/pay/invoices/{number}/paper",
}
"""What is no page: the manifest has a test of its own, a stream sends what its page shows."""


async def test_nothing_at_the_door_bypasses_the_catalogue(town: Town, told: None) -> None:
    await town.sign_up()
    async with town.plain() as client:
        walk = Walk(client, DATA)
        await walk.to(
            "/app/sign-in", "/app/sign-in?did=out", "/app/sign-up", "/app/recover", "/app/offline", "/privacy"
        )
        await walk.send("/app/sign-in", email=MAIL, password="not this one")
        for password in ("short", "wattkeeper wattkeeper"):
            await walk.send("/app/sign-up", name="Dora Driver", email=MAIL, password=password)
        await walk.send("/app/sign-up", name="", email="nowhere", password="")
        await walk.send("/app/sign-up", name="Dora Driver", email=OTHER, password="")
        await walk.to(await town.letter(OTHER))
        await walk.send("/app/recover", email=MAIL)
        await walk.to(await town.letter(MAIL))
        await walk.to("/app/link/nothing", status=404)
    assert walk.faults == []


@pytest.mark.long
async def test_nothing_on_the_drivers_pages_bypasses_the_catalogue(town: Town, told: None) -> None:
    who = await town.sign_up()
    async with town.plugged("CP1", behind=timedelta(hours=2)), town.plain(who) as client:
        walk = Walk(client, DATA)
        await walk.to("/app/", "/app/sessions", "/app/cards", "/app/me", "/app/me/access", "/app/me/passkeys")
        await walk.to("/app/consumption")
        await walk.to("/app/?q=nowhere", "/app/?q=hauptplatz", "/app/stations/CP1", "/app/stations/CP2")
        code = (await town.rooms.places.find(await town.viewer(who), "hauptplatz"))[0].outlets[0].code
        await walk.to(f"/app/at/{code}")
        session = await charged(walk, town, who)
        await furnished(town, who)
        made = await billed(town, who)
        await walk.to(*(f"/app/sessions/{one}" for one in made.values()))
        await walk.to("/app/consumption", "/app/consumption?month=2020-02", "/app/consumption/sessions")
        await walk.to(f"/app/consumption/years/{town.rooms.store.clock():%Y}", "/app/consumption/years/2020")
        number = (await town.rooms.papers.of_session(await town.viewer(who), made["billed"]))[0].number
        await walk.to(f"/app/bills/{number}/invoice")
        await walk.send(f"/app/bills/{number}/invoice", name=" ", country="AT")
        await walk.to("/app/", "/app/sessions", f"/app/sessions/{session}", f"/app/charging/{session}", "/app/cards")
        await walk.to("/app/me", "/app/me/known", "/app/me/access", "/app/me/logins", "/app/me/passkeys")
        await walk.to("/app/privacy", "/privacy")
        for answer in ("yes", "no", "perhaps"):
            await walk.send("/app/privacy/consents/insight", agree=answer)
        await walk.send("/app/privacy/consents/everything", agree="yes")
        for use in ("all", "everything"):
            await walk.send(f"/app/privacy/uses/{use}", may="no")
        for name in ("Dora Right", "x" * 200):
            await walk.send("/app/privacy/corrections", what="name", text=name)
        await walk.send("/app/privacy/requests", right="access", words="in writing, please")
        await walk.send("/app/privacy/forget", sure="perhaps")
        await walk.to("/app/privacy", "/app/privacy/forget")
        await walk.to("/app/me/password", "/app/me/code-app", "/app/me/recovery-codes", "/app/me/proof")
        await walk.to("/app/welcome?new=1", "/app/welcome", "/app/questions", "/app/cards/add")
        await walk.to(*(f"/app/cards?did={did}" for did in cards.DID), *(f"/app/me?did={did}" for did in me.DID))
        await walk.to("/app/me/pay")
        things = await paid(town.rooms, (await town.viewer(who)).person)
        await walk.to("/app/me/pay", *(f"/app/me/pay?did={did}" for did in pay.DID), f"/app/me/pay/{things.waits}")
        await walk.to(f"/app/me/pay/{things.declined}", f"/app/me/pay/invoices/{NUMBER}")
        await walk.to(f"/app/me/pay/invoices/{NUMBER}/invoice")
        await walk.send(f"/app/me/pay/invoices/{NUMBER}/invoice", name=" ", country="AT")
        for amount in ("x", "1", "20"):
            await walk.send("/app/me/pay/top-up", amount=amount)
        for way in ("barter", "free", "card", "prepaid"):
            await walk.send("/app/me/pay/way", way=way)
        for deed in (f"{things.declined}/again", "card", "card/remove"):
            await walk.send(f"/app/me/pay/{deed}")
        await walk.to("/app/me/pay")
        await walk.to("/app/nowhere", "/app/sessions?q=nonsense", "/app/sessions?q=000000000", status=404)
        await deeds(walk, town)
        left = unseen(pages_of(routes.NOUNS, routes.paper_of(town.rooms)), walk.been)
        assert {path for path in left if not await leads_on(client, path)} <= PARTS
    assert walk.faults == []


async def leads_on(client: httpx.AsyncClient, path: str) -> bool:
    """Whether an address is none of a page: it leads to one, or to the door's, which have a walk of their own."""
    is_door = path.startswith(("/app/sign-", "/app/recover", "/app/link", "/app/offline"))
    return is_door or ("{" not in path and (await client.get(path)).status_code == 303)


async def charged(walk: Walk, town: Town, who: str) -> str:
    """A session while it runs, and once it has ended."""
    start = await running(town, who)
    session = str(start.session)
    await walk.to("/app/", f"/app/charging/{session}", f"/app/live/{session}/now", "/app/sessions")
    await walk.to(f"/app/sessions/{session}")
    await walk.send(f"/app/charging/{session}/stop")

    async def ended() -> bool:
        return not any(row.live for row in await rows(town, sessions))

    await until(ended, "the end of the session")
    await walk.send(f"/app/charging/{session}/stop")
    return session


async def furnished(town: Town, who: str) -> None:
    """A card with a question about it, an app that was let in, a passkey, notices."""
    viewer, ref = await town.viewer(who), await town.fob(who)
    async with town.rooms.store.unit() as unit:
        step_up.keep(unit, viewer.person, ref, "CP2", unit.now + timedelta(minutes=2))
        for kind in NoticeKind:
            await town.rooms.notices.tell(
                unit, viewer.person, kind, {"card": "••C3", "station": "CP2", "when": "10:00"}
            )
        app = ClientRow("volt", "Volt", ("https://volt.example/back",), None, unit.now, "test")
        await oauth.keep_client(unit, app.id, app.name, app.redirects, None, "test")
        scopes = " ".join((Scope.CHARGING_START, Scope.SESSIONS_READ, Scope.ACCOUNT_READ))
        grant = {"id": "g1", "client_id": "volt", "account_id": who, "scopes": scopes}
        await unit.connection.execute(app_grant.insert().values(**grant, created_at=unit.now))
        token = {"token_hash": b"x" * 32, "grant_id": "g1", "kind": TokenUse.REFRESH, "created_at": unit.now}
        await unit.connection.execute(app_token.insert().values(**token, expires_at=unit.now + timedelta(days=1)))
        key = PasskeyRow(b"key", "key", who, b"public", 1, ("internal",), True, None, unit.now, unit.now)
        assert await passkey.keep(unit, key)
        row = await account.by_id(unit.connection, who)
        assert row is not None
        for how in (*me.HOW, "odd"):
            await town.rooms.access.begin(unit, row, how, "a program" if how == "odd" else "")


async def deeds(walk: Walk, town: Town) -> None:
    """What is said to forms: a card's, a code's, a password's, the code app's."""
    for code in ("QQQQ", "", f"{town.doors.http}/app/at/QQQQ"):
        await walk.send("/app/at", code=code)
    await walk.send("/app/near", latitude="48.3", longitude="14.28")
    await walk.send("/app/near", latitude="", longitude="")
    for station in ("nowhere", ""):
        await walk.send("/app/cards/add", station=station)
    wait = await walk.send("/app/cards/add", station="Hauptplatz", label="Blue")
    await walk.to(wait.url.path, f"{wait.url.path}/now")
    await walk.send("/app/cards/activate", code="WRONG-CODE")
    await walk.send("/app/me/known", name="x" * 500)
    await walk.send("/app/me/password", password="short")
    made = await walk.send("/app/me/code-app")
    assert re.search(r'data-copy="[A-Z2-7 ]+"', made.text)
    await walk.send("/app/me/code-app/confirm", code="000000")
    await walk.send("/app/me/proof/password", given="wrong one")


async def test_the_manifest_is_told_too(town: Town, told: None) -> None:
    async with town.plain() as client:
        walk = Walk(client, DATA)
        answer = await walk.client.get("/app/manifest.webmanifest")
        said = answer.json()
        assert said["lang"] == answer.headers["content-language"] == pseudo.LANGUAGE
        assert re.fullmatch("⟦.*⟧", said["description"])
        assert all(re.fullmatch("⟦.*⟧", one["name"]) for one in said["shortcuts"])


def test_what_is_not_told_is_found() -> None:
    assert pseudo.untold("<p>⟦Seen <b>today</b>⟧ 3 h 20 min, 4.20 kWh, K7QM-4XRD-2</p>") == []
    assert pseudo.untold("<p>⟦Seen⟧ today</p>") == ["today"]
    assert pseudo.untold('<p aria-label="Seen" data-busy="⟦Going⟧ on">⟦Go⟧</p>') == ["Seen", "on"]
    assert pseudo.untold('<body data-words="{&quot;a&quot;: [&quot;⟦x⟧&quot;, &quot;copied&quot;]}">') == ["copied"]
    copied = '<i data-copy="J5 QX">J5 QX</i><p>Dora</p><time title="2026-03-02 10:00:01 CET">'
    assert pseudo.untold(copied, ["Dora"]) == []
