"""A window that goes through pages, has each looked at, and knows which of all the pages it was not at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import ModuleType

from playwright.async_api import Page as Window
from starlette.routing import Route, compile_path

from tests.pages.everybody import axe
from tests.pages.everybody.keys import UNSEEN
from tests.pages.site import Person
from wattkeeper.web.pages import Page


@dataclass(slots=True)
class Visit:
    """Where one window was, and what the rules found there."""

    script: str
    been: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    async def to(self, person: Person, *paths: str) -> None:
        """Go to these pages and look at each."""
        for path in paths:
            answer = await person.page.goto(path)
            assert answer is not None and answer.ok, (path, answer and answer.status)
            self.been.append(path.partition("?")[0])
            await self.look(person.page, path)

    async def sees(self, page: Window, *paths: str) -> None:
        """Look at pages that say that nothing is there, or that it is not for them."""
        for path in paths:
            await page.goto(path)
            await self.look(page, path)

    async def sends(self, page: Window, label: str, text: str, button: str) -> None:
        """Type something into the page that is open, press a button, and look at what comes."""
        await page.get_by_label(label, exact=True).fill(text)
        async with page.expect_navigation():
            await page.get_by_role("button", name=button).click()
        await self.look(page, f"{page.url}, {button}")

    async def look(self, page: Window, what: str) -> None:
        """Look at what is open, as somebody who uses keys."""
        await page.keyboard.press("Tab")
        self.faults += [f"{what}: nobody sees that it has the focus: {one}" for one in await page.evaluate(UNSEEN)]
        self.faults += [f"{what}: {fault}" for fault in await axe.check(page, self.script)]


def pages_of(nouns: Iterable[ModuleType], paper: object) -> list[Route]:
    """What these nouns answer to who looks, but for the streams."""
    routes = [one for noun in nouns for one in noun.router(paper).routes]
    return [one for one in routes if "GET" in one.methods and "live" not in one.path.split("/")]


def unseen(routes: Iterable[Route], been: Iterable[str]) -> set[str]:
    """Which addresses nobody was at, nor at another one of the same deed."""
    listed = list(routes)
    first = [next((one for one in listed if compile_path(one.path)[0].match(path)), None) for path in been]
    seen = {_deed(one) for one in first if one}
    return {one.path for one in listed if _deed(one) not in seen}


def _deed(route: Route) -> str:
    """Which function answers at an address."""
    page = route.endpoint
    assert isinstance(page, Page)
    return page.deed.__qualname__


async def missed(person: Person, routes: Iterable[Route], been: Iterable[str]) -> set[str]:
    """Which pages a window was not at. Two addresses of one deed are one page; an address that leads on is none."""
    left = unseen(routes, been)
    for path in [one for one in left if "{" not in one]:
        answer = await person.context.request.get(path, max_redirects=0)
        if answer.status == 303:
            left.discard(path)
    return left
