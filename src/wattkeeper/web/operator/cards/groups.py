"""Groups of cards: what binds each card of one, its parent id, and the passes that stop any session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.cards.token import Group
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Said, counted, phrase
from wattkeeper.operations.cards import listing
from wattkeeper.operations.cards.groups import subject_of
from wattkeeper.store.cards import card_change
from wattkeeper.store.cards import group as store
from wattkeeper.store.cards.group import GroupRow
from wattkeeper.web.operator.cards.card import MOST_CHANGES, changes, named
from wattkeeper.web.operator.cards.limits import FIELDS, in_words, limits_of, typed
from wattkeeper.web.operator.hours import say_hours
from wattkeeper.web.operator.paper import Paper, Word, form_of, routes_of
from wattkeeper.web.problem import STATUS

PER_PAGE = 100
EMPTY = dict.fromkeys(("name", "parent_id", "is_master_pass", *FIELDS), "")
DID = {
    "made": Word(phrase("The group is made."), phrase("Put cards into it on their own pages, or by a list.")),
    "changed": Word(
        phrase("The group is changed."), phrase("Its cards follow at once, and stations’ own lists after them.")
    ),
    "removed": Word(phrase("The group is removed.")),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A group as a line of the list."""

    row: GroupRow
    limits: str
    """What binds each of its cards, in words; empty where nothing does."""


class Groups:
    """``/cards/groups``, the page of one group, and what can be done with it."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, did: str = "", after: str = "") -> Response:
        """The groups there are, by name."""
        return await self._list(request, after, word=DID.get(did))

    async def _list(self, request: Request, after: str = "", status: int = 200, **given: Any) -> Response:
        viewer = await self._paper.need_viewer(request, Scope.CARDS_READ)
        async with self._rooms.store.read() as connection:
            rows = await store.find(connection, viewer, PER_PAGE + 1, after or None)
        kept = rows[:PER_PAGE]
        context: dict[str, Any] = {
            "rows": [Listed(row, in_words(row.group.limits)) for row in kept],
            "answer": _answer(len(rows), bool(after)),
            "next": kept[-1].group.name if len(rows) > PER_PAGE else "",
            "may_write": viewer.may(Scope.GROUPS_WRITE),
            "typed": EMPTY,
        }
        return self._paper.page(request, "groups.html", viewer, status=status, **(context | given))

    async def one(self, request: Request, name: str = "", did: str = "") -> Response:
        """One group, its life, and what can be changed of it."""
        if not name:
            return RedirectResponse("/cards/groups", 303)
        return await self._one(request, name, word=DID.get(did))

    async def _one(self, request: Request, name: str, status: int = 200, **given: Any) -> Response:
        viewer = await self._paper.need_viewer(request, Scope.CARDS_READ)
        async with self._rooms.store.read() as connection:
            row = await store.one(connection, viewer, name)
            life = await card_change.find(connection, viewer, subject_of(name), MOST_CHANGES)
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such group. It may have been removed."))
        group = row.group
        rules = {"name": name, "parent_id": group.parent_id or "", "is_master_pass": "on" * group.is_master_pass}
        context: dict[str, Any] = {
            "row": row,
            "hours": say_hours(group.limits.hours),
            "changes": changes(self._paper, await named(self._paper, viewer, life)),
            "may_write": viewer.may(Scope.GROUPS_WRITE),
            "typed": rules | typed(group.limits),
        }
        return self._paper.page(request, "group.html", viewer, status=status, **(context | given))

    # --- what can be done -------------------------------------------------------------------------------

    async def make(self, request: Request) -> Response:
        """Make a group; or say why not, and keep what was typed."""
        viewer, form = await self._asked(request)
        try:
            await self._rooms.groups.put(viewer, _group_of(form), is_new=True)
        except Refusal as refusal:
            word = Word(phrase("No group was made."), refusal.why, "harm")
            return await self._list(request, status=STATUS[refusal.code], word=word, typed=form)
        return RedirectResponse("/cards/groups?did=made", 303)

    async def change(self, request: Request) -> Response:
        """Give a group these rules; or say why not, and keep what was typed."""
        viewer, form = await self._asked(request)
        try:
            await self._rooms.groups.put(viewer, _group_of(form))
        except Refusal as refusal:
            word = Word(phrase("Nothing was changed."), refusal.why, "harm")
            return await self._one(request, form["name"], STATUS[refusal.code], word=word, typed=form)
        return RedirectResponse(f"/cards/group?name={quote(form['name'], safe='')}&did=changed", 303)

    async def remove(self, request: Request, name: Annotated[str, Form()] = "") -> Response:
        """Forget a group that no card belongs to."""
        viewer = await self._paper.need_viewer(request, Scope.GROUPS_WRITE)
        try:
            await self._rooms.groups.remove(viewer, name)
        except Refusal as refusal:
            if refusal.code is not Code.CONFLICT:
                raise
            word = Word(phrase("The group was not removed."), refusal.why, "harm")
            return await self._one(request, name, STATUS[refusal.code], word=word)
        return RedirectResponse("/cards/groups?did=removed", 303)

    async def _asked(self, request: Request) -> tuple[Viewer, dict[str, str]]:
        """Who asks for which rules."""
        viewer = await self._paper.need_viewer(request, Scope.GROUPS_WRITE)
        return viewer, EMPTY | await form_of(request)


def _answer(count: int, is_further: bool) -> Said:
    """How many groups there are."""
    if is_further:
        return phrase("Further groups of cards")
    if count > PER_PAGE:
        return phrase("More than {count} groups of cards", count=PER_PAGE)
    return counted("1 group of cards", "{count} groups of cards", count) if count else phrase("No groups of cards")


def _group_of(form: dict[str, str]) -> Group:
    """The rules that a form asks for; Refusal INVALID says which field."""
    if not form["name"]:
        raise Refusal(Code.INVALID, phrase("The group needs a name."))
    name = str(listing.cell("group", form["name"]))
    return Group(name, form["parent_id"] or None, bool(form["is_master_pass"]), limits_of(form))


def router(paper: Paper) -> APIRouter:
    """``/cards/groups``, the page of one group, and what can be done with it."""
    pages, routes = Groups(paper), routes_of(paper)
    routes.add_api_route("/cards/groups", pages.show, methods=["GET"])
    routes.add_api_route("/cards/groups", pages.make, methods=["POST"])
    routes.add_api_route("/cards/group", pages.one, methods=["GET"])
    routes.add_api_route("/cards/group", pages.change, methods=["POST"])
    routes.add_api_route("/cards/group/remove", pages.remove, methods=["POST"])
    routes.add_api_route("/cards/group/remove", pages.one, methods=["GET"])
    return routes
