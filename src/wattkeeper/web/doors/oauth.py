"""The authorization server's door (OAuth 2.1): the page of consent, and what apps ask for tokens. Needs no script."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote_plus, urlencode

import orjson
from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import IN_WORDS, Role, Scope, Viewer
from wattkeeper.charging.phrase import joined, phrase
from wattkeeper.operations.people.apps.oauth import ACCESS_LASTS, Asked, Fault, Tokens, grantable, refused
from wattkeeper.operations.people.apps.redirects import place, source, with_answer
from wattkeeper.operations.policy import grants
from wattkeeper.store.people.oauth import ClientRow
from wattkeeper.web.guards.headers import CONTENT_POLICY
from wattkeeper.web.operator.paper import Paper, routes_of
from wattkeeper.web.rooms import Rooms

AUTHORIZE, TOKEN, REVOKE = "/oauth/authorize", "/oauth/token", "/oauth/revoke"
METADATA = "/.well-known/oauth-authorization-server"
CARRIED = (
    *("response_type", "response_mode", "client_id", "redirect_uri"),
    *("scope", "state", "code_challenge", "code_challenge_method"),
)
"""What the page of consent sends back as it came."""
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
FORM = "application/x-www-form-urlencoded"
TWICE = phrase("A parameter came twice.")


class Consent:
    """The page on which a person lets an app in, or does not."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request) -> Response:
        """Ask the person, after they signed in."""
        pairs = request.query_params.multi_items()
        given, client, redirect = await self._from(pairs)
        try:
            asked = self._rooms.oauth.asked(client, redirect, _single(pairs))
        except Refusal as refusal:
            return self._answer(redirect, given, _fault(refusal))
        viewer = await self._paper.viewer(request)
        if viewer is None:
            return RedirectResponse(_sign_in(request, asked.scopes), 303)
        return await self._ask(request, viewer, asked, given)

    async def decide(self, request: Request) -> Response:
        """Send the person back with a code, or with their no. The form came from our own page (`routes_of`)."""
        form = [(name, str(value)) for name, value in (await request.form()).multi_items()]
        given, client, redirect = await self._from(form)
        try:
            asked = self._rooms.oauth.asked(client, redirect, _single(form))
            viewer = await self._paper.need_viewer(request)
            if given.get("account") != viewer.account:
                return await self._ask(request, viewer, asked, given)
            if given.get("answer") != "allow":
                raise refused(Fault.ACCESS_DENIED, phrase("The person did not agree."))
            code = await self._rooms.oauth.allow(viewer, asked)
        except Refusal as refusal:
            if "oauth" not in refusal.details:
                raise
            return self._answer(redirect, given, _fault(refusal))
        return self._answer(redirect, given, {"code": code})

    async def _from(self, pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], ClientRow, str]:
        """What was given, which app asks, and where its answer goes; Refusal where it may go nowhere."""
        listed = list(pairs)
        given = dict(listed)
        if any(sum(name == one for name, _ in listed) > 1 for one in ("client_id", "redirect_uri")):
            raise Refusal(
                Code.INVALID,
                joined((phrase("The app that sent you here asked in a way that is not clear."), TWICE)),
            )
        client, redirect = await self._rooms.oauth.client_of(given)
        return given, client, redirect

    async def _ask(self, request: Request, viewer: Viewer, asked: Asked, given: Mapping[str, str]) -> Response:
        """The page itself; its form may lead where the app is, and nowhere else."""
        names = await self._rooms.names.of(viewer, [viewer.account])
        scopes = sorted(grantable(viewer, asked.scopes), key=list(Scope).index)
        refuse = with_answer(asked.redirect, self._query(given, {"error": Fault.ACCESS_DENIED.value}))
        page = self._paper.page(
            request,
            "consent.html",
            viewer,
            app=asked.client.name,
            who=names.get(viewer.account, ""),
            sends_to=place(asked.redirect),
            may=[IN_WORDS[scope] for scope in scopes],
            carried={name: given[name] for name in CARRIED if name in given},
            refuse=refuse,
        )
        leads = f"form-action 'self' {source(asked.redirect)}"
        page.headers["Content-Security-Policy"] = CONTENT_POLICY.replace("form-action 'self'", leads)
        return page

    def _answer(self, redirect: str, given: Mapping[str, str], answer: Mapping[str, str]) -> Response:
        """Send the person back to the app (303: what the form held is not sent along, RFC 9700 4.12)."""
        leads = with_answer(redirect, self._query(given, answer))
        return Response(status_code=303, headers={"Location": leads, **NO_STORE})

    def _query(self, given: Mapping[str, str], answer: Mapping[str, str]) -> str:
        """An answer with the app's ``state`` and who gives it (RFC 9207)."""
        state = {"state": given["state"]} if "state" in given else {}
        return urlencode({**answer, **state, "iss": self._rooms.settings.address}, quote_via=quote)


def _sign_in(request: Request, scopes: frozenset[Scope]) -> str:
    """Where to sign in for what is asked: the drivers' door, or that of staff where drivers may do none of it."""
    wanted = quote(f"{request.url.path}?{request.url.query}", safe="")
    door = "/app/sign-in" if scopes & grants(Role.DRIVER).own else "/login"
    return f"{door}?next={wanted}"


# --- for apps -------------------------------------------------------------------------------------------


class Counter:
    """Where apps get tokens and give them back."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def token(self, request: Request) -> Response:
        """A code or a refresh token for fresh tokens (RFC 6749 3.2)."""
        try:
            given = await _body(request)
            address = request.client.host if request.client else ""
            client = await self._rooms.oauth.authenticate(*_credentials(request, given), address)
            tokens = await self._tokens(client, given)
        except Refusal as refusal:
            return _problem(request, refusal)
        self._rooms.oauth.forgive(client, address)
        return Response(orjson.dumps(_told(tokens)), headers=NO_STORE, media_type="application/json")

    async def revoke(self, request: Request) -> Response:
        """Give a token back (RFC 7009); one that is unknown is no fault."""
        try:
            given = await _body(request)
            address = request.client.host if request.client else ""
            client = await self._rooms.oauth.authenticate(*_credentials(request, given), address)
            good = await self._rooms.oauth.revoke(client, _need(given, "token"))
        except Refusal as refusal:
            return _problem(request, refusal)
        if good:
            self._rooms.oauth.forgive(client, address)
        return Response(headers=NO_STORE)

    async def metadata(self) -> Response:
        """What this server can do (RFC 8414)."""
        return Response(orjson.dumps(_metadata(self._rooms.settings.address)), media_type="application/json")

    async def _tokens(self, client: ClientRow, given: Mapping[str, str]) -> Tokens:
        kind = _need(given, "grant_type")
        if kind == "authorization_code":
            verifier, code = _need(given, "code_verifier"), _need(given, "code")
            return await self._rooms.oauth.exchange(client, code, verifier, given.get("redirect_uri"))
        if kind == "refresh_token":
            return await self._rooms.oauth.refresh(client, _need(given, "refresh_token"), given.get("scope", ""))
        raise refused(Fault.UNSUPPORTED_GRANT_TYPE, phrase("Known are authorization_code and refresh_token."))


def router(paper: Paper) -> APIRouter:
    """The page of consent and the apps' counter."""
    consent, counter, routes = Consent(paper), Counter(paper.rooms), APIRouter(include_in_schema=False)
    pages = routes_of(paper)
    pages.add_api_route(AUTHORIZE, consent.show, methods=["GET"])
    pages.add_api_route(AUTHORIZE, consent.decide, methods=["POST"])
    routes.include_router(pages)
    routes.add_api_route(TOKEN, counter.token, methods=["POST"])
    routes.add_api_route(REVOKE, counter.revoke, methods=["POST"])
    routes.add_api_route(METADATA, counter.metadata, methods=["GET"])
    return routes


def _metadata(address: str) -> dict[str, object]:
    methods = ["none", "client_secret_basic", "client_secret_post"]
    return {
        "issuer": address,
        "authorization_endpoint": address + AUTHORIZE,
        "token_endpoint": address + TOKEN,
        "revocation_endpoint": address + REVOKE,
        "scopes_supported": [scope.value for scope in Scope],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


async def _body(request: Request) -> dict[str, str]:
    """The form that an app sent; Refusal (invalid_request) where it is none, or names something twice."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise refused(Fault.INVALID_REQUEST, phrase("Send a form: {form}.", form=FORM))
    try:
        form = await request.form()
    except HTTPException:  # more fields than a form has
        raise refused(Fault.INVALID_REQUEST, phrase("Send a form: {form}.", form=FORM)) from None
    return _single([(name, str(value)) for name, value in form.multi_items()])


def _single(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Parameters, none of which may come twice (RFC 6749 3.1 and 3.2)."""
    given = dict(pairs)
    if len(given) < len(pairs):
        raise refused(Fault.INVALID_REQUEST, TWICE)
    return given


def _need(given: Mapping[str, str], name: str) -> str:
    """A parameter that must be there (one without a value is not, RFC 6749 3.2)."""
    if not given.get(name):
        raise refused(Fault.INVALID_REQUEST, phrase("The parameter {name} is missing.", name=name))
    return given[name]


def _credentials(request: Request, given: Mapping[str, str]) -> tuple[str, str]:
    """The app's id and secret, from the header or the form, never from both (RFC 6749 2.3)."""
    header = request.headers.get("authorization")
    if header is None:
        return _need(given, "client_id"), given.get("client_secret", "")
    if "client_secret" in given:
        raise refused(Fault.INVALID_REQUEST, phrase("The secret came in the header and in the form."))
    kind, _, pair = header.partition(" ")
    try:
        identifier, _, secret = base64.b64decode(pair.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, no ASCII or no UTF-8
        identifier, secret = "", ""
    identifier = unquote_plus(identifier)
    if kind.lower() != "basic" or given.get("client_id", identifier) != identifier:
        raise refused(Fault.INVALID_CLIENT, phrase("There is no such app, or its secret is wrong."))
    return identifier, unquote_plus(secret)


def _told(tokens: Tokens) -> dict[str, object]:
    """Tokens as apps are told (RFC 6749 5.1)."""
    return {
        "access_token": tokens.access,
        "token_type": "Bearer",
        "expires_in": int(ACCESS_LASTS.total_seconds()),
        "refresh_token": tokens.refresh,
        "scope": " ".join(sorted(tokens.scopes)),
    }


def _fault(refusal: Refusal) -> dict[str, str]:
    """A refusal in the words of OAuth."""
    fault = refusal.details.get("oauth", Fault.INVALID_REQUEST)
    return {"error": str(fault), "error_description": refusal.why.replace('"', "'")}  # English: RFC 6749 5.2


def _problem(request: Request, refusal: Refusal) -> Response:
    """A refusal as apps are told (RFC 6749 5.2)."""
    headers, status = dict(NO_STORE), 400
    if refusal.code is Code.UNAUTHENTICATED:
        status, headers["WWW-Authenticate"] = 401, "Basic"
    retry_s = refusal.details.get("retry_s")
    if isinstance(retry_s, int | float):
        status, headers["Retry-After"] = 429, str(max(1, round(retry_s)))
    return Response(orjson.dumps(_fault(refusal)), status, headers, "application/json")
