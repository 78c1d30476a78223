"""Where a request of a browser comes from: the sign-in cookie, and whether a form was sent by one of our own pages."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.security import Case, again, note
from wattkeeper.operations.people.sign_in.attempts import Attempts, neighbourhood
from wattkeeper.settings import Settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name(settings: Settings) -> str:
    """The sign-in cookie's name; by https it is bound to this very host (RFC 6265bis 4.1.3.2)."""
    return "__Host-wattkeeper" if settings.is_secure else "wattkeeper"


def keep_cookie(response: Response, settings: Settings, value: str) -> None:
    """Hand the browser its sign-in."""
    response.set_cookie(
        cookie_name(settings),
        value,
        max_age=int(max(settings.login_lasts(is_staff=True), settings.login_lasts(is_staff=False)).total_seconds()),
        path="/",
        secure=settings.is_secure,
        httponly=True,
        samesite="lax",
    )


def drop_cookie(response: Response, settings: Settings) -> None:
    """Take the sign-in from the browser."""
    response.delete_cookie(cookie_name(settings), path="/", secure=settings.is_secure, httponly=True, samesite="lax")


def browser_of(request: Request, settings: Settings) -> str:
    """What this browser alone knows, from when it signed up; a fresh one where it never did."""
    return request.cookies.get(_browser_name(settings)) or secrets.token_urlsafe(32)


def keep_browser(response: Response, settings: Settings, value: str) -> None:
    """Hand the browser what it shows when it opens the link of its letter, which is good for a day."""
    name, secure = _browser_name(settings), settings.is_secure
    response.set_cookie(name, value, max_age=86_400, path="/", secure=secure, httponly=True, samesite="lax")


def _browser_name(settings: Settings) -> str:
    return "__Host-wattkeeper-browser" if settings.is_secure else "wattkeeper-browser"


def need_same_origin(request: Request, settings: Settings) -> None:
    """Raise Refusal (FORBIDDEN) where a browser sends a change from a page that is not ours.

    Sec-Fetch-Site decides where the browser sends it, else Origin, which every browser sends with a POST. A request
    with neither comes from a program: it may sign in, but what a cookie authorises is refused to it.
    """
    if request.method in SAFE:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None and origin is None and cookie_name(settings) not in request.cookies:
        return
    if site is not None:
        ours = site == "same-origin"
    else:
        place = _place(origin or "")  # "null", of a sandboxed page, has none
        ours = place != "" and place in {_place(settings.address), request.headers.get("host", "")}
    if not ours:
        _note_foreign(request)
        why = phrase("This came from another site, so nothing was changed. Open the page here and try again.")
        raise Refusal(Code.FORBIDDEN, why)


class Foreign(Attempts):
    """Forms from other sites by address: a storm of them is one event, until it was quiet for a minute."""

    def __init__(self) -> None:
        super().__init__(free=1, longest_s=60)


def _note_foreign(request: Request) -> None:
    """Write down that another site tried something with a browser; whose it is was not asked."""
    seen: Foreign = request.app.state.foreign
    place = neighbourhood(request.client.host if request.client else "")
    if seen.count(place):
        note(Case.FOREIGN_FORM, place=place)
    else:
        again(Case.FOREIGN_FORM, place=place)


def _place(address: str) -> str:
    """Host and port of an address."""
    return urlsplit(address).netloc
