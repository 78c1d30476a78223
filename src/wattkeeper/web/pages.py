"""What the operator's pages and the drivers' app do alike: how they are printed, refused and found missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.phrase import counted, joined, phrase
from wattkeeper.language import NAMES, spoken, tell
from wattkeeper.settings import Settings
from wattkeeper.web.guards.origin import need_same_origin

PROBLEMS: Mapping[int, tuple[str, str]] = {
    400: (phrase("That could not be read"), phrase("The form arrived damaged. Go back and send it again.")),
    404: (phrase("Nothing is here"), phrase("The address may be mistyped, or what was here is gone.")),
    405: (phrase("Nothing is here"), phrase("This address only takes a form. Go back to the page it is on.")),
    413: (phrase("That was too large"), phrase("Send it in smaller parts.")),
    422: (phrase("That could not be understood"), phrase("Go back, check what was typed, and send it again.")),
    500: (phrase("Something went wrong here"), phrase("It is recorded. Trying again may help.")),
}
"""What the framework itself refuses, and what to do, by status."""
ODD = (phrase("That did not work"), phrase("Go back and try again."))
"""What is said of any other status."""
PASSKEY: Mapping[str, str] = {
    "cancelled": phrase("That was cancelled, or it took too long. Try again."),
    "known": phrase("This device has a passkey for your account already."),
    "failed": phrase("That did not work. Try again, or use another way."),
    "codes": phrase(
        "Keep these recovery codes where only you find them. Each replaces your passkey once; they are not shown again."
    ),
    "kept": phrase("I have kept them"),
}
"""What a page's script says of passkeys."""


def passkey_words() -> str:
    """What a form's script says of passkeys (its ``data-words``): JSON, in the language spoken."""
    return orjson.dumps({name: tell(words) for name, words in PASSKEY.items()}).decode()


def here(request: Request) -> str:
    """The path and query of what was asked for."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def printer(folder: Path, **known: object) -> Environment:
    """What prints a folder's templates: strict, escaping, in the language spoken, with these names known to all."""
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=tell,
    )
    made.globals.update(
        known, _=phrase, counted=counted, joined=joined, language=spoken, languages=NAMES, passkey_words=passkey_words
    )
    return made


def part(printed: Environment, template: str, macro: str, *given: object) -> Markup:
    """One macro of a template, printed."""
    return Markup(str(getattr(printed.get_template(template).module, macro)(*given)).strip())


def routes_of(
    settings: Settings,
    refused: Callable[[Request, Refusal], Awaitable[Response]],
    astray: type[Exception],
    led_back: Callable[[Request], Awaitable[Response]],
) -> APIRouter:
    """An empty router whose forms must come from our own pages and whose refusals become pages.

    ``astray`` is raised where somebody came to pages that are not for them; ``led_back`` says so.
    """

    class Answer(APIRoute):
        """What a page answers."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """The page's deed with its refusals put into words."""
            answer = super().get_route_handler()

            async def to_page(request: Request) -> Response:
                try:
                    need_same_origin(request, settings)
                    return await answer(request)
                except Refusal as refusal:
                    return await refused(request, refusal)
                except astray:
                    return await led_back(request)

            return to_page

    return Pages(Answer)


class Pages(APIRouter):
    """An empty router for pages that answer alike."""

    def __init__(self, answer: type[APIRoute]) -> None:
        super().__init__()
        self._answer = answer

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **how: Any) -> None:
        """Add a page; ``how`` names its ``methods`` and what else FastAPI is told."""
        told: dict[str, Any] = {"include_in_schema": False, "response_class": HTMLResponse} | how
        page = Page(partial(self._answer, path, endpoint, **told), endpoint)
        self.routes.append(Route(path, page, methods=how["methods"], include_in_schema=False))


class Page:
    """A page's answer; what it takes from a request is worked out when it is first asked for, for that is slow."""

    def __init__(self, answer: Callable[[], APIRoute], deed: Callable[..., Any]) -> None:
        self._answer = cache(answer)
        self.deed = deed
        """Which function of ours it comes to; several addresses may come to one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that came to its address."""
        await self._answer().handle(scope, receive, send)
