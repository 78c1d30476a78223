"""An app does what the web app does: let in by a person, through a client library that knows nothing of us."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest
from authlib.integrations.base_client import OAuthError

from tests.conftest import OpenDoor
from tests.doors import KEY, until
from tests.web.conftest import ADDRESS, PASSWORD, House, house_of, served
from tests.web.partner import (
    AUTHORIZE,
    REDIRECT,
    REVOKE,
    TOKEN,
    App,
    agree,
    fields_of,
    owner,
    person,
    query_of,
    register,
)
from tests.web.test_events import listening
from wattkeeper.charging.person import IN_WORDS, Role, Scope
from wattkeeper.store.tables import app_client, app_code, app_grant, app_token

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def engine() -> str:
    """What differs between the engines is in the attacks on tokens."""
    return "sqlite"


@pytest.fixture
async def house(open_door: OpenDoor) -> House:
    """Both doors, at an address that people type."""
    door = await open_door(public_url=ADDRESS)
    await door.admit("CP1", KEY)
    return await house_of(door)


def url(app: App, **given: str | None) -> str:
    """The address at which the app asks a person, changed as given; None leaves a parameter out."""
    asked: dict[str, str | None] = {
        "response_type": "code",
        "client_id": app.id,
        "redirect_uri": app.redirect,
        "scope": "sessions:read account:read",
        "state": "s 1/ä",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"{AUTHORIZE}?" + urlencode({name: value for name, value in (asked | given).items() if value is not None})


async def code_of(app: App, someone: httpx.AsyncClient, **given: str) -> str:
    """A code that the person agreed to, for VERIFIER."""
    return query_of(await agree(someone, url(app, **given)))["code"]


async def exchange(app: App, code: str, **given: str) -> httpx.Response:
    """Show a code."""
    return await app.ask(**({"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER} | given))


@pytest.mark.parametrize("secret", [False, True])
async def test_a_library_signs_in_refreshes_calls_and_leaves(house: House, secret: bool) -> None:
    app = await register(house, "https://volt.example/back?app=1" if secret else REDIRECT, secret=secret)
    anna = await person(house)
    async with app.client() as client:
        first = await app.fetch(client, anna)
        assert first["token_type"] == "Bearer"
        assert first["expires_in"] == 600
        assert set(first["scope"].split()) == set(client.scope.split())
        me = (await client.get(f"{ADDRESS}/api/v1/me")).json()
        assert (me["role"], me["scopes"], set(me["own"])) == ("driver", [], set(client.scope.split()))
        second = await client.refresh_token(f"{ADDRESS}{TOKEN}")
        assert second["refresh_token"] != first["refresh_token"]
        listed = (await client.get(f"{ADDRESS}/api/v1/account/apps")).json()["items"]
        assert [one["name"] for one in listed] == ["Volt"]
        answer = await client.revoke_token(
            f"{ADDRESS}{REVOKE}", token=second["refresh_token"], token_type_hint="refresh_token"
        )
        assert answer.status_code == 200
        with pytest.raises(OAuthError) as refused:
            await client.refresh_token(f"{ADDRESS}{TOKEN}", refresh_token=second["refresh_token"])
        assert refused.value.error == "invalid_grant"
    for tokens in (first, second):
        assert await app.status(tokens["access_token"]) == 401


async def test_the_server_says_what_it_can_do(house: House) -> None:
    async with house.client() as stranger:
        told = (await stranger.get("/.well-known/oauth-authorization-server")).json()
    assert told["issuer"] == ADDRESS
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["response_types_supported"] == ["code"]
    assert told["authorization_response_iss_parameter_supported"] is True
    endpoints = {told[f"{name}_endpoint"] for name in ("authorization", "token", "revocation")}
    assert endpoints == {ADDRESS + AUTHORIZE, ADDRESS + TOKEN, ADDRESS + REVOKE}


async def test_the_page_says_who_asks_what_for_and_where_it_leads(house: House) -> None:
    app = await register(house, name="Volt <b>&'")
    anna = await person(house)
    page = await anna.get(url(app))
    assert "Volt &lt;b&gt;&amp;" in page.text
    assert "anna@example.org" in page.text
    assert "an app on this device (com.example.volt)" in page.text
    assert IN_WORDS[Scope.ACCOUNT_READ] in page.text
    assert "ends by itself after a year" in page.text
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' com.example.volt:;" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"


async def test_an_app_that_is_let_in_is_asked_about_again(house: House) -> None:
    app = await register(house)
    anna = await person(house)
    await app.let_in(anna)
    page = await anna.get(url(app))
    assert (page.status_code, "Let Volt in" in page.text) == (200, True)


async def test_state_and_issuer_come_back_with_yes_and_no(house: House) -> None:
    app = await register(house, "https://volt.example/back?app=1")
    anna = await person(house)
    yes = await agree(anna, url(app))
    assert yes.startswith("https://volt.example/back?app=1&code=wkc_")
    assert (query_of(yes)["state"], query_of(yes)["iss"]) == ("s 1/ä", ADDRESS)
    no = query_of(await agree(anna, url(app), "refuse"))
    assert (no["error"], no["state"], no["iss"]) == ("access_denied", "s 1/ä", ADDRESS)
    assert "code" not in no


WRONG: tuple[tuple[dict[str, str | None], str], ...] = (
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": None}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge": VERIFIER[:42]}, "invalid_request"),
    ({"scope": "sessions:read everything"}, "invalid_scope"),
    ({"scope": ""}, "invalid_scope"),
    ({"state": "s" * 2_001}, "invalid_request"),
)


async def test_what_an_app_asks_wrongly_it_is_told(house: House) -> None:
    app = await register(house)
    anna = await person(house)
    for given, error in WRONG:
        async with house.client() as stranger:
            answer = await stranger.get(url(app, **given))
        assert answer.status_code == 303, given
        told = query_of(answer.headers["location"])
        assert (told["error"], told["iss"]) == (error, ADDRESS), given
        posted = await anna.post(AUTHORIZE, data={**query_of(url(app, **given)), "answer": "allow"})
        assert query_of(posted.headers["location"])["error"] == error, given


async def test_nobody_is_sent_where_the_app_is_not(house: House) -> None:
    app = await register(house, "https://volt.example/back")
    anna = await person(house)
    wrong = [
        *("https://volt.example/back/", "https://volt.example/Back", "https://volt.example/back?x=1"),
        *("http://volt.example/back", "https://volt.example:444/back", "https://volt.example/back#x"),
        *("https://evil.example/back", "https://volt.example.evil.example/back", "https://volt.example@evil/back", ""),
    ]
    for redirect in [{"redirect_uri": one} for one in wrong] + [{"client_id": "0" * 16}, {"client_id": "\x00"}]:
        answer = await anna.get(url(app, **redirect))
        assert (answer.status_code, answer.headers.get("location")) == (422, None), redirect
        posted = await anna.post(AUTHORIZE, data={**query_of(url(app)), **redirect, "answer": "allow"})
        assert (posted.status_code, posted.headers.get("location")) == (422, None), redirect
    twice = await anna.get(url(app) + "&redirect_uri=https://evil.example/")
    assert twice.status_code == 422
    doubled = await anna.get(url(app) + "&scope=account:write")
    assert query_of(doubled.headers["location"])["error"] == "invalid_request"


async def test_a_program_on_a_computer_listens_on_any_port(house: House) -> None:
    for registered, host in (("http://127.0.0.1/back", "127.0.0.1"), ("http://[::1]/back", "[::1]")):
        app = await register(house, registered)
        anna = await person(house)
        for place in (f"http://{host}:53127/back", f"http://{host}/back"):
            assert (await agree(anna, url(app, redirect_uri=place))).startswith(f"{place}?code=")
        for place in (f"http://{host}:53127/other", f"http://{host}:0/back", f"http://{host}:99999/back"):
            assert (await anna.get(url(app, redirect_uri=place))).status_code == 422, place
        assert (await anna.get(url(app, redirect_uri="http://localhost:53127/back"))).status_code == 422


async def test_who_is_not_signed_in_signs_in_first(house: House) -> None:
    app = await register(house)
    async with house.client() as stranger:
        driver = await stranger.get(url(app))
        staff = await stranger.get(url(app, scope="stations:read"))
        posted = await stranger.post(AUTHORIZE, data={**query_of(url(app)), "answer": "allow"})
    assert driver.headers["location"].startswith("/app/sign-in?next=%2Foauth%2Fauthorize%3Fresponse_type%3Dcode%26")
    assert staff.headers["location"].startswith("/login?next=%2Foauth%2Fauthorize%3F")
    assert (posted.status_code, posted.headers["location"]) == (303, "/login")


async def test_an_app_gets_no_more_than_its_person_has(house: House) -> None:
    app = await register(house)
    anna = await person(house)
    everything = " ".join(Scope)
    tokens = (await exchange(app, await code_of(app, anna, scope=everything))).json()
    own = {"sessions:read", "bills:read", "cards:read", "cards:hold", "charging:start", "payments:hold"}
    own |= {"account:read", "account:write"}
    assert set(tokens["scope"].split()) == own
    assert await app.status(tokens["access_token"], "stations") == 403
    assert await app.status(tokens["access_token"], "account/apps") == 200
    page = await anna.get(url(app, scope="stations:read"))
    assert "asks for what your account may not do" in page.text
    assert "allow" not in page.text
    fields = {
        **query_of(url(app, scope="stations:read")),
        "account": fields_of((await anna.get(url(app))).text)["account"],
    }
    forced = await anna.post(AUTHORIZE, data={**fields, "answer": "allow"})
    assert query_of(forced.headers["location"])["error"] == "invalid_scope"


async def test_no_app_changes_who_may_come_in(house: House) -> None:
    app = await register(house)
    tokens = await app.let_in(await owner(house), " ".join(Scope))
    assert not {"staff:write", "tokens:write"} & set(tokens["scope"].split())
    assert {"staff:read", "tokens:read", "cards:write"} <= set(tokens["scope"].split())


async def test_an_app_of_staff_sees_what_its_scopes_say_and_its_role_allows(house: House) -> None:
    app = await register(house)
    sam = await person(house, "sam", Role.SUPPORT)
    tokens = (await exchange(app, await code_of(app, sam, scope="stations:read stations:write"))).json()
    assert tokens["scope"] == "stations:read"
    assert await app.status(tokens["access_token"], "stations") == 200
    assert await app.status(tokens["access_token"], "cards") == 403


async def test_a_form_of_another_site_lets_nobody_in(house: House) -> None:
    app = await register(house)
    anna = await person(house)
    fields = fields_of((await anna.get(url(app))).text) | {"answer": "allow"}
    for headers in ({"Origin": "https://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}):
        answer = await anna.post(AUTHORIZE, data=fields, headers=headers)
        assert (answer.status_code, answer.headers.get("location")) == (403, None)
    assert await house.door.rows(app_code) == []


async def test_the_page_of_another_person_lets_nobody_in(house: House) -> None:
    app = await register(house)
    anna, bert = await person(house), await person(house, "bert@example.org")
    fields = fields_of((await anna.get(url(app))).text) | {"answer": "allow"}
    answer = await bert.post(AUTHORIZE, data=fields)
    assert answer.status_code == 200
    assert "bert@example.org" in answer.text
    assert await house.door.rows(app_code) == []


@pytest.mark.parametrize("secret", [False, True])
async def test_a_code_is_good_for_its_app_its_verifier_and_its_redirect(house: House, secret: bool) -> None:
    app, other = await register(house, secret=secret), await register(house, secret=secret, name="Other")
    anna = await person(house)
    for given in ({"code_verifier": "w" * 43}, {"code_verifier": "v" * 42}, {"redirect_uri": "com.example.volt:/x"}):
        code = await code_of(app, anna)
        assert (await exchange(app, code, **given)).json()["error"] == "invalid_grant", given
        assert (await exchange(app, code)).json()["error"] == "invalid_grant", "a code that was shown wrongly lives on"
    missing = await app.ask(grant_type="authorization_code", code=await code_of(app, anna))
    assert missing.json()["error"] == "invalid_request"
    code = await code_of(app, anna)
    assert (await exchange(other, code)).json()["error"] == "invalid_grant"
    right = await exchange(app, code, redirect_uri=app.redirect)
    assert right.status_code == 200
    assert right.headers["cache-control"] == "no-store"


async def test_a_code_lasts_a_minute(house: House) -> None:
    app = await register(house)
    anna = await person(house)
    code = await code_of(app, anna)
    (row,) = await house.door.rows(app_code)
    left = row.expires_at - house.rooms.store.clock()
    assert timedelta(seconds=20) < left <= timedelta(seconds=60)
    clock = house.rooms.store.clock
    house.rooms.store.clock = lambda: clock() + timedelta(seconds=61)
    assert (await exchange(app, code)).json()["error"] == "invalid_grant"


REFRESH = {"grant_type": "refresh_token", "refresh_token": "x"}
UNANSWERED: tuple[tuple[dict[str, str], int, str], ...] = (
    ({}, 400, "invalid_request"),
    ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
    ({"grant_type": "refresh_token"}, 400, "invalid_request"),
    (REFRESH | {"refresh_token": ""}, 400, "invalid_request"),
    (REFRESH | {"refresh_token": "wkr_nobody's"}, 400, "invalid_grant"),
    (REFRESH | {"client_id": "\x00"}, 401, "invalid_client"),
    (REFRESH | {"client_id": "0" * 16}, 401, "invalid_client"),
    (REFRESH | {"client_secret": "x"}, 401, "invalid_client"),
)


async def test_the_token_endpoint_answers_in_the_words_of_the_standard(house: House) -> None:
    app = await register(house)
    for given, status, error in UNANSWERED:
        answer = await app.ask(**given)
        assert (answer.status_code, answer.json()["error"]) == (status, error), given
        assert answer.headers["cache-control"] == "no-store"
        assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_what_is_no_form_or_says_things_twice_is_refused(house: House) -> None:
    app = await register(house, secret=True)
    async with house.client() as client:
        json = await client.post(TOKEN, json={"grant_type": "refresh_token"})
        twice = await client.post(TOKEN, content=b"grant_type=a&grant_type=b", headers={"Content-Type": FORM})
        both = await client.post(TOKEN, data={"client_secret": app.secret}, auth=(app.id, app.secret))
        wrong = await client.post(TOKEN, data={"grant_type": "x"}, auth=(app.id, "wks_wrong"))
        garbled = await client.post(TOKEN, data={"grant_type": "x"}, headers={"Authorization": "Basic ????"})
        foreign = await client.post(TOKEN, data={"grant_type": "x"}, headers={b"Authorization": b"Basic \xe9"})
        bearer = await client.post(TOKEN, data={"grant_type": "x"}, headers={"Authorization": "Bearer x"})
        right = await client.post(TOKEN, data={"grant_type": "x"}, auth=(app.id, app.secret))
        none = await client.post(TOKEN, data={"grant_type": "x", "client_id": app.id})
        read = await client.get(TOKEN)
    told = [answer.json()["error"] for answer in (json, twice, both, wrong, garbled, foreign, bearer, none, right)]
    assert told == ["invalid_request"] * 3 + ["invalid_client"] * 5 + ["unsupported_grant_type"]
    assert read.status_code == 405


FORM = "application/x-www-form-urlencoded"


async def test_guessing_is_slowed_down_for_who_guesses_alone(house: House) -> None:
    app = await register(house, secret=True)
    anna = await person(house)
    answers = [await app.ask(grant_type="refresh_token", refresh_token=f"wkr_{n}") for n in range(25)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].json()["error"] == "temporarily_unavailable"
    other = await register(house, name="Other")
    assert "access_token" in await other.let_in(anna)


async def test_more_scope_than_was_granted_is_refused_and_costs_nothing(house: House) -> None:
    app = await register(house)
    tokens = await app.let_in(await person(house), "sessions:read account:read")
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await app.ask(**again, scope="account:write")).json()["error"] == "invalid_scope"
    fresh = (await app.ask(**again, scope="sessions:read")).json()
    assert fresh["scope"] == "account:read sessions:read"


async def test_an_app_is_ended_by_its_person_at_once(house: House) -> None:
    app = await register(house)
    sam = await person(house, "sam", Role.OPERATOR)
    tokens = await app.let_in(sam, "stations:read sessions:read cards:read orders:read")
    token = tokens["access_token"]
    (listed,) = (await sam.get("/api/v1/account/apps")).json()["items"]
    assert (listed["name"], listed["used_at"]) == ("Volt", None)
    assert listed["may"][0]["words"] == IN_WORDS[Scope.CARDS_READ]
    assert await app.status(token) == 200
    (listed,) = (await sam.get("/api/v1/account/apps")).json()["items"]
    assert listed["used_at"] is not None
    assert (await sam.delete(f"/api/v1/account/apps/{listed['id']}")).status_code == 204
    assert await app.status(token) == 401
    assert (await app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await sam.get("/api/v1/account/apps")).json()["items"] == []
    assert (await sam.delete(f"/api/v1/account/apps/{listed['id']}")).status_code == 404


async def test_an_app_is_ended_in_the_middle_of_a_stream(house: House) -> None:
    app = await register(house)
    sam = await person(house, "sam", Role.OPERATOR)
    every = "stations:read sessions:read cards:read orders:read account:write"
    token = (await app.let_in(sam, every))["access_token"]
    (listed,) = (await sam.get("/api/v1/account/apps")).json()["items"]
    async with served(house.app) as address, listening(address, token) as ear:
        await ear.begun()
        assert (await sam.delete(f"/api/v1/account/apps/{listed['id']}")).status_code == 204
        with pytest.raises(EOFError):
            await ear.event()


async def test_an_app_of_another_person_is_not_there(house: House) -> None:
    app = await register(house)
    anna, bert = await person(house), await person(house, "bert@example.org")
    tokens = await app.let_in(anna)
    (listed,) = (await anna.get("/api/v1/account/apps")).json()["items"]
    foreign = await bert.delete(f"/api/v1/account/apps/{listed['id']}")
    nothing = await bert.delete(f"/api/v1/account/apps/{'0' * 16}")
    assert (foreign.status_code, foreign.text) == (nothing.status_code, nothing.text)
    assert foreign.status_code == 404
    assert await app.status(tokens["access_token"]) == 200
    assert (await bert.get("/api/v1/account/apps")).json()["items"] == []


async def test_a_removed_app_is_in_no_account_any_more(house: House) -> None:
    app = await register(house)
    anna = await person(house)
    tokens = await app.let_in(anna)
    staff = await owner(house)
    assert (await staff.delete(f"/api/v1/app-clients/{app.id}")).status_code == 204
    assert await app.status(tokens["access_token"]) == 401
    assert (await app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_client"
    assert (await anna.get(url(app))).status_code == 422
    assert (await staff.get("/api/v1/app-clients")).json()["items"] == []
    assert (await staff.delete(f"/api/v1/app-clients/{app.id}")).status_code == 404


async def test_an_access_token_given_back_ends_alone_and_never_anothers(house: House) -> None:
    app, other = await register(house), await register(house, name="Other")
    tokens = await app.let_in(await person(house))
    async with house.client() as client:
        stolen = await client.post(REVOKE, data={"client_id": other.id, "token": tokens["refresh_token"]})
        unknown = await client.post(REVOKE, data={"client_id": app.id, "token": "wkr_nobody's"})
        assert (stolen.status_code, unknown.status_code) == (400, 200)
        assert await app.status(tokens["access_token"]) == 200
        own = await client.post(REVOKE, data={"client_id": app.id, "token": tokens["access_token"]})
    assert own.status_code == 200
    assert await app.status(tokens["access_token"]) == 401
    assert (await app.refresh(tokens["refresh_token"])).status_code == 200


async def test_tokens_end_by_themselves(house: House) -> None:
    app = await register(house)
    tokens = await app.let_in(await person(house))
    clock = house.rooms.store.clock
    assert await app.status(tokens["access_token"]) == 200
    house.rooms.store.clock = lambda: clock() + timedelta(minutes=10)
    await until_gone(app, tokens["access_token"])
    house.rooms.store.clock = lambda: clock() + timedelta(days=29)
    fresh = (await app.refresh(tokens["refresh_token"])).json()
    house.rooms.store.clock = lambda: clock() + timedelta(days=60)
    assert (await app.refresh(fresh["refresh_token"])).json()["error"] == "invalid_grant"


async def test_an_app_stays_a_year_at_most_however_often_it_refreshes(house: House) -> None:
    app = await register(house)
    tokens = await app.let_in(await person(house))
    clock, passed = house.rooms.store.clock, timedelta()
    house.rooms.store.clock = lambda: clock() + passed
    while "refresh_token" in tokens and passed < timedelta(days=1000):
        passed += timedelta(days=29)
        tokens = (await app.refresh(tokens["refresh_token"])).json()
    assert timedelta(days=365) <= passed < timedelta(days=365 + 29)


async def until_gone(app: App, token: str) -> None:
    """Wait until a token is no longer known: a look is remembered for half a second."""

    async def gone() -> bool:
        return await app.status(token) == 401

    await until(gone, "the end of the token")


UNFIT = (
    *("http://volt.example/back", "javascript:alert(1)", "data:text/html,x", "volt:/back", "https://", "/back"),
    *("https://volt.example/back#x", "https://u:p@volt.example/", "https://VOLT.example/", "http://localhost/back"),
    *("https://volt.example/a b", "https://volt.example/;'\"", "com.example.volt", "https://volt.example;x/", ""),
    *("https://volt.example/" + "x" * 500, "http://127.0.0.1.evil.example/", "https://volt.example:0/"),
)


async def test_what_is_registered_leads_to_one_app_alone(house: House) -> None:
    staff = await owner(house)
    for redirect in UNFIT:
        new = {"name": "Volt", "redirects": ["https://volt.example/", redirect]}
        assert (await staff.post("/api/v1/app-clients", json=new)).status_code == 422, redirect
    fit = {"name": "Volt", "redirects": ["https://volt.example/", REDIRECT], "confidential": True}
    made = (await staff.post("/api/v1/app-clients", json=fit)).json()
    assert made["secret"].startswith("wks_")
    (listed,) = (await staff.get("/api/v1/app-clients")).json()["items"]
    assert listed == {name: made[name] for name in made if name != "secret"}


async def test_only_who_may_give_programs_access_registers_apps(house: House) -> None:
    async with await house.with_scopes(Scope.TOKENS_READ) as reader:
        new = {"name": "Volt", "redirects": [REDIRECT]}
        assert (await reader.post("/api/v1/app-clients", json=new)).status_code == 403
        assert (await reader.delete(f"/api/v1/app-clients/{'0' * 16}")).status_code == 403
        assert (await reader.get("/api/v1/app-clients")).json() == {"items": []}
    anna = await person(house)
    assert (await anna.get("/api/v1/app-clients")).status_code == 403
    staff = await owner(house)
    for name in ("", " Volt", "V\x07", "V" * 61):
        wrong = await staff.post("/api/v1/app-clients", json={"name": name, "redirects": [REDIRECT]})
        assert wrong.status_code == 422, name


async def test_nothing_that_opens_is_kept(house: House) -> None:
    app = await register(house, secret=True)
    anna = await person(house)
    code = await code_of(app, anna)
    tokens = (await exchange(app, code)).json()
    kept = str([await house.door.rows(table) for table in (app_client, app_code, app_grant, app_token)])
    for secret in (code, app.secret, tokens["access_token"], tokens["refresh_token"], PASSWORD):
        assert secret[4:] not in kept
