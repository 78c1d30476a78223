"""The language of an answer: what a person chose here, else the first of their browser's that we speak."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wattkeeper.language import SPOKEN, chosen
from wattkeeper.settings import Settings

COOKIE = "wattkeeper-language"
"""Keeps what was chosen; it says nothing about anybody."""
YEAR_S = 31_536_000


class Tongue:
    """Lets whatever answers a request know the language to answer in, and says it in the answer's head."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, in the language asked for."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        language = language_of(Request(scope))

        async def with_language(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("Content-Language", language)
            await send(message)

        token = SPOKEN.set(language)
        try:
            await self._app(scope, receive, with_language)
        finally:
            SPOKEN.reset(token)


def language_of(request: Request) -> str:
    """The language that who asks wants: the one chosen here, else the first of their browser's that we speak."""
    kept = request.cookies.get(f"__Host-{COOKIE}") or request.cookies.get(COOKIE)
    return chosen(kept, *_accepted(request.headers.get("accept-language", "")))


def _accepted(told: str) -> list[str]:
    """The languages of an Accept-Language header, the most wanted first (RFC 9110 12.5.4)."""
    ranked = list[tuple[float, str]]()
    for part in told[:500].split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        if weight > 0:
            ranked.append((-weight, name))
    return [name for _, name in sorted(ranked, key=lambda one: one[0])]


def keep_language(response: Response, settings: Settings, language: str) -> None:
    """Let the browser remember the language that was chosen."""
    name, secure = f"__Host-{COOKIE}" if settings.is_secure else COOKIE, settings.is_secure
    response.set_cookie(name, chosen(language), max_age=YEAR_S, path="/", secure=secure, httponly=True, samesite="lax")
