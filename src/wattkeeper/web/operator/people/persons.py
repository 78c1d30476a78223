"""Drivers, one by one: found by their whole address, opened for a purpose and a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.privacy.looking import (
    CHOSEN,
    EMERGENCY_WORDS,
    LONGEST,
    LONGEST_CASE,
    MAY_SEE,
    PARTS,
    PURPOSES,
    LookPurpose,
    Part,
)
from wattkeeper.operations.privacy.looking import Given
from wattkeeper.store.money.tariffs import subject
from wattkeeper.store.sessions import session as sessions
from wattkeeper.web.operator.money.payments.accounts import path_of as account_of
from wattkeeper.web.operator.paper import Paper, Word, form_of, look_path, routes_of
from wattkeeper.web.operator.people import looks
from wattkeeper.web.operator.people.looks import HERE
from wattkeeper.web.operator.people.names import placed, places
from wattkeeper.web.operator.tariffs.whom import masked_of
from wattkeeper.web.problem import STATUS

MOST = 50
NO_RIGHT = phrase("You may not see who drivers are.")
DID: Mapping[str, Word] = {"reviewed": Word(phrase("Reviewed."), phrase("The driver sees what you found."))}
EMPTY = {"purpose": "", "reason": "", "case": ""}


def person_of(key: str) -> str:
    """Of whom an address tells."""
    return f"person:{key}"


def path_of(person: str) -> str:
    """Where a driver's page is."""
    return f"{HERE}/{person.removeprefix('person:')}"


def back_of(wanted: str, person: str) -> str:
    """Where to go once a person is open: a page of ours, never another site."""
    ours = wanted.startswith("/") and "//" not in wanted.partition("?")[0] and "\\" not in wanted
    return wanted if ours and wanted.isprintable() else path_of(person)


class Persons:
    """``/persons``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def _viewer(self, request: Request) -> Viewer:
        viewer = await self._paper.need_viewer(request)
        if not (viewer.may(Scope.PERSONS_READ) or viewer.may(Scope.PERSONS_EMERGENCY)):
            raise Refusal(Code.FORBIDDEN, NO_RIGHT, scope=Scope.PERSONS_READ)
        return viewer

    # --- finding, and who looked --------------------------------------------------------------------------

    async def show(self, request: Request, did: str = "") -> Response:
        """Find a driver; and for who answers for privacy, who looked at whom."""
        return await self._list(request, await self._viewer(request), word=DID.get(did))

    async def _list(self, request: Request, viewer: Viewer, status: int = 200, **given: Any) -> Response:
        context = {"typed": "", "minutes": self._rooms.settings.look_minutes} | await looks.given(self._rooms, viewer)
        return self._paper.page(request, "persons.html", viewer, status=status, **(context | given))

    async def find(self, request: Request) -> Response:
        """Whoever signs in with an address; it stands in no address of a page."""
        viewer = await self._viewer(request)
        typed = (await form_of(request)).get("email", "")
        try:
            person = await self._rooms.looking.find(viewer, typed)
        except Refusal as refusal:
            word = Word(phrase("Nobody was found."), refusal.why, "look")
            return await self._list(request, viewer, STATUS[refusal.code], word=word, typed=typed[:200])
        return RedirectResponse(path_of(person), 303)

    async def review(self, request: Request, look: str) -> Response:
        """Say whether breaking the glass was right."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_WRITE)
        said = (await form_of(request)).get("right", "")
        if said not in ("yes", "no"):
            raise Refusal(Code.INVALID, phrase("The answer is yes or no. Nothing was changed."))
        await self._rooms.looks.review(viewer, look, was_right=said == "yes")
        return RedirectResponse(f"{HERE}?did=reviewed", 303)

    # --- one of them --------------------------------------------------------------------------------------

    async def ask(self, request: Request, key: str, next: str = "") -> Response:
        """For what and why?"""
        return self._ask(request, await self._viewer(request), person_of(key), next)

    def _ask(
        self, request: Request, viewer: Viewer, person: str, next: str, status: int = 200, **given: Any
    ) -> Response:
        context: dict[str, Any] = {
            "at": look_path(person),
            "next": back_of(next, person),
            "is_emergency": not viewer.may(Scope.PERSONS_READ),
            "purposes": {one.value: PURPOSES[one] for one in CHOSEN},
            "minutes": self._rooms.settings.look_minutes,
            "least": EMERGENCY_WORDS,
            "longest": LONGEST,
            "longest_case": LONGEST_CASE,
            "typed": EMPTY,
        }
        return self._paper.page(request, "look.html", viewer, status=status, **(context | given))

    async def open(self, request: Request, key: str) -> Response:
        """Open them, or say why not and keep what was typed."""
        viewer, person, form = await self._viewer(request), person_of(key), await form_of(request)
        try:
            if viewer.may(Scope.PERSONS_READ):
                await self._rooms.looking.open(viewer, person, _given(form))
            else:
                await self._rooms.looking.break_glass(viewer, person, form.get("reason", ""))
        except Refusal as refusal:
            word = Word(phrase("Nobody was opened."), refusal.why, "harm")
            typed = {name: form.get(name, "")[:LONGEST] for name in EMPTY}
            to = form.get("next", "")
            return self._ask(request, viewer, person, to, STATUS[refusal.code], word=word, typed=typed)
        return RedirectResponse(back_of(form.get("next", ""), person), 303)

    async def one(self, request: Request, key: str, part: str = "") -> Response:
        """What names them; of the rest what was asked for, each written down when it is first seen."""
        viewer, person = await self._viewer(request), person_of(key)
        who = await self._rooms.looking.see(viewer, person)
        rows = await self._rows(viewer, person, part)
        context: dict[str, Any] = {"who": who, "at": path_of(person), "account": account_of(person), "part": part}
        return self._paper.page(request, "driver.html", viewer, parts=_parts(viewer), rows=rows, **context)

    async def _rows(self, viewer: Viewer, person: str, part: str) -> list[Any]:
        """Their cards, or their newest sessions; nothing of what was not asked for."""
        if part not in (Part.CARDS, Part.SESSIONS):
            return []
        async with self._rooms.looking.at(viewer, person, Part(part)) as unit:
            if part == Part.CARDS:
                held = await subject.cards_of(unit.connection, viewer, [person])
                return [masked for one in held.get(person, []) if (masked := masked_of(one))]
            found = await sessions.of_person(unit.connection, viewer, person, MOST)
            return placed(found, await places(unit.connection, viewer))


def _parts(viewer: Viewer) -> dict[str, str]:
    """What more of a driver this viewer may open here."""
    allowed = MAY_SEE[viewer.role] if viewer.may(Scope.PERSONS_READ) else {Part.CARDS, Part.SESSIONS}
    return {one.value: PARTS[one] for one in (Part.CARDS, Part.SESSIONS, Part.MONEY) if one in allowed}


def _given(form: Mapping[str, str]) -> Given:
    """What a form says; Refusal INVALID where it chose no purpose."""
    purpose = form.get("purpose", "")
    if purpose not in {one.value for one in CHOSEN}:
        raise Refusal(Code.INVALID, phrase("Choose for what you look."))
    return Given(LookPurpose(purpose), form.get("reason", ""), form.get("case", ""))


def router(paper: Paper) -> APIRouter:
    """``/persons``."""
    pages, routes = Persons(paper), routes_of(paper)
    routes.add_api_route(HERE, pages.show, methods=["GET"])
    routes.add_api_route(HERE, pages.find, methods=["POST"])
    routes.add_api_route(f"{HERE}/looks/{{look}}/review", pages.review, methods=["POST"])
    routes.add_api_route(f"{HERE}/{{key}}", pages.one, methods=["GET"])
    routes.add_api_route(f"{HERE}/{{key}}/look", pages.ask, methods=["GET"])
    routes.add_api_route(f"{HERE}/{{key}}/look", pages.open, methods=["POST"])
    return routes
