"""Cards: named, blocked and reported lost in two taps; added by a tap at a station, or by the code they came with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.cards.token import CardKind, CardState
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import joined, phrase
from wattkeeper.operations.cards.enrolment import EnrolmentView
from wattkeeper.operations.stations.places import Place
from wattkeeper.store.cards import card as store
from wattkeeper.store.cards.card import CardRow
from wattkeeper.store.cards.enrolment import EnrolmentState
from wattkeeper.web.device import address_of
from wattkeeper.web.driver import stream
from wattkeeper.web.driver.charge import code_in
from wattkeeper.web.driver.paper import Look, Paper, Word, routes_of
from wattkeeper.web.problem import STATUS

MOST = 100
LONGEST = 60
"""Characters of what a card is called."""
LOOKS = {
    CardState.ORDERED: Look(phrase("On its way"), "half"),
    CardState.ACTIVE: Look(phrase("Active"), "done"),
    CardState.BLOCKED: Look(phrase("Blocked"), "none"),
    CardState.LOST: Look(phrase("Lost"), "harm", "harm"),
    CardState.REPLACED: Look(phrase("Replaced"), "none"),
    CardState.RETURNED: Look(phrase("Returned"), "none"),
}
SAFE_NOW = phrase(
    "Nobody charges with it any more. Stations that are connected know it at once; others as soon as they are."
)
DID: Mapping[str, Word] = {
    "block": Word(phrase("Blocked."), SAFE_NOW),
    "lost": Word(phrase("Reported lost."), joined((SAFE_NOW, phrase("Ask for a new one, or start from this phone.")))),
    "unblock": Word(phrase("Unblocked."), phrase("You can charge with it again.")),
    "name": Word(phrase("Saved."), ""),
    "added": Word(phrase("It is yours."), phrase("Tap it at any of our stations to charge.")),
    "answered-yes": Word(
        phrase("Thank you."), phrase("Tap your card again now, or wait for the station to try by itself.")
    ),
    "answered-no": Word(phrase("Thank you. The card is blocked."), phrase("No energy flows. Support was told.")),
}
"""What was done, said on the page that follows."""
NO_STATION = phrase("No station has this code or name. Type it as it stands on the station.")
SEVERAL = phrase("Several stations are called that. Type the code beside the plug instead.")


@dataclass(frozen=True, slots=True)
class Mine:
    """A card in the list."""

    id: str
    ref: str
    name: str
    label: str
    about: str
    look: Look
    why: str
    can_block: bool
    can_unblock: bool
    can_lose: bool


@dataclass(frozen=True, slots=True)
class Tap:
    """A wait for a tap, as the page shows it."""

    id: str
    station: str
    waits: bool
    until: datetime
    left: str
    title: str
    why: str
    next: str

    @property
    def aloud(self) -> str:
        """What is read out when it changes."""
        return phrase("Tap your card now.") if self.waits else joined((self.title, self.why))


def mine_of(row: CardRow, label: str, now: datetime) -> Mine:
    """A card as its holder sees it."""
    number = number_of(row)
    expired = row.expires_at is not None and row.expires_at <= now
    is_good = row.state is CardState.ACTIVE
    return Mine(
        id=row.ref.replace(":", "-"),
        ref=row.ref,
        name=label or number,
        label=label,
        about=number if label else "",
        look=Look(phrase("Expired"), "none") if expired and is_good else LOOKS[row.state],
        why=phrase("It is good no more. Ask for a new one.") if expired and is_good else "",
        can_block=is_good,
        can_unblock=row.state is CardState.BLOCKED,
        can_lose=row.state in (CardState.ACTIVE, CardState.BLOCKED),
    )


def number_of(row: CardRow) -> str:
    """What a card is called that nobody gave a name: its kind, and what may be shown of its number."""
    is_fob = row.kind is CardKind.FOB
    if not row.last2:
        return phrase("Key fob") if is_fob else phrase("Card")
    told = phrase("Key fob ••{last2}") if is_fob else phrase("Card ••{last2}")
    return told.filled(last2=row.last2)


class Cards:
    """``/app/cards`` and what can be done with one's cards."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, did: str = "") -> Response:
        """The viewer's cards."""
        return await self._page(request, await self._paper.need_viewer(request), word=DID.get(did))

    async def _page(self, request: Request, viewer: Viewer, status: int = 200, **given: Any) -> Response:
        async with self._rooms.store.read() as connection:
            rows = await store.find(connection, viewer, MOST)
        labels = await self._rooms.cards.labels(viewer, rows)
        now = self._rooms.store.clock()
        cards = [mine_of(row, labels.get(row.ref, ""), now) for row in rows]
        context = {"cards": cards, "opened": "", "word": None, **given}
        return await self._paper.page(request, "cards.html", viewer, status=status, **context)

    async def change(self, request: Request, ref: str, deed: str) -> Response:
        """Block, unblock or report lost; a second tap does nothing more. What cannot be done is said on the page."""
        viewer, cards = await self._paper.need_viewer(request), self._rooms.cards
        deeds = {"block": cards.block, "unblock": cards.unblock, "lost": cards.report_lost}
        if deed not in deeds:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such deed."))
        try:
            await deeds[deed](viewer, ref)
        except Refusal as refusal:
            if refusal.code is not Code.CONFLICT:
                raise
            word = Word(phrase("Nothing was changed."), refusal.why, "look")
            return await self._page(request, viewer, 409, word=word, opened=ref.replace(":", "-"))
        return RedirectResponse(f"/app/cards?did={deed}", 303)

    async def name(self, request: Request, ref: str, label: Annotated[str, Form()] = "") -> Response:
        """Call a card something."""
        viewer = await self._paper.need_viewer(request)
        try:
            await self._rooms.cards.name(viewer, ref, label)
        except Refusal as refusal:
            if refusal.code is not Code.INVALID:
                raise
            word = Word(phrase("The name was not saved."), refusal.why, "harm")
            return await self._page(request, viewer, 422, word=word, opened=ref.replace(":", "-"))
        return RedirectResponse("/app/cards?did=name", 303)

    # --- adding one -------------------------------------------------------------------------------------

    async def add(self, request: Request) -> Response:
        """The two ways."""
        return await self._add(request)

    async def _add(self, request: Request, status: int = 200, **given: Any) -> Response:
        viewer = await self._paper.need_viewer(request)
        typed = {"station": "", "label": "", "code": "", **given.pop("typed", {})}
        stations = await self._rooms.places.find(viewer, "", 50)
        context = {"fault": "", "code_fault": "", "typed": typed, "stations": stations, **given}
        return await self._paper.page(request, "add.html", viewer, status=status, **context)

    async def begin(
        self, request: Request, station: Annotated[str, Form()] = "", label: Annotated[str, Form()] = ""
    ) -> Response:
        """Wait for a tap at a station."""
        viewer = await self._paper.need_viewer(request)
        try:
            place = await self._place(request, viewer, station.strip())
            wish = await self._rooms.enrolments.open(viewer, place.station, label.strip()[:LONGEST])
        except Refusal as refusal:
            if refusal.code is Code.FORBIDDEN:
                raise
            typed = {"station": station[:100], "label": label[:LONGEST]}
            return await self._add(request, STATUS[refusal.code], fault=refusal.why, typed=typed)
        return RedirectResponse(f"/app/cards/add/{wish.id}", 303)

    async def _place(self, request: Request, viewer: Viewer, typed: str) -> Place:
        """The station that was meant: by the code on a plug, else by its name; Refusal INVALID."""
        found = await self._rooms.places.find(viewer, typed, 20) if typed else []
        exactly = [one for one in found if typed.casefold() in (one.name.casefold(), one.station.casefold())]
        if len(exactly) == 1 or len(found) == 1:
            return exactly[0] if exactly else found[0]
        if found:
            raise Refusal(Code.INVALID, SEVERAL)
        try:
            place, _ = await self._rooms.places.at(viewer, code_in(typed), address_of(request))
        except Refusal as refusal:
            raise Refusal(Code.INVALID, NO_STATION if refusal.code is Code.NOT_FOUND else refusal.why) from None
        return place

    async def activate(
        self, request: Request, code: Annotated[str, Form()] = "", label: Annotated[str, Form()] = ""
    ) -> Response:
        """Add a card by the code that came with it."""
        viewer = await self._paper.need_viewer(request)
        try:
            await self._rooms.enrolments.activate(viewer, code, label.strip()[:LONGEST], address_of(request))
        except Refusal as refusal:
            if refusal.code is Code.FORBIDDEN:
                raise
            return await self._add(request, STATUS[refusal.code], code_fault=refusal.why, typed={"code": code[:100]})
        return RedirectResponse("/app/cards?did=added", 303)

    async def tap(self, request: Request, id: str) -> Response:
        """The wait, with what is left of it."""
        viewer = await self._paper.need_viewer(request)
        tap = await self._tap(viewer, id)
        if tap.next:
            return RedirectResponse(tap.next, 303)
        return await self._paper.page(request, "tap.html", viewer, id=id, part=self._part(tap))

    async def _tap(self, viewer: Viewer, identifier: str) -> Tap:
        wish = await self._rooms.enrolments.view(viewer, identifier)
        return tap_of(wish, await self._name_of(viewer, wish.station), self._rooms.store.clock())

    async def _name_of(self, viewer: Viewer, station: str) -> str:
        """A station's name for people; its id where it is listed no more."""
        try:
            return (await self._rooms.places.place(viewer, station)).name
        except Refusal:
            return station

    def _part(self, tap: Tap) -> Markup:
        return self._paper.part("tap_parts.html", "now", tap)

    def _looking(self, identifier: str) -> stream.Looking:
        async def look(viewer: Viewer) -> Markup:
            return self._part(await self._tap(viewer, identifier))

        return look

    async def now(self, request: Request, id: str) -> Response:
        """How the wait stands."""
        return await stream.now(self._paper, request, self._looking(id))

    async def live(self, request: Request, id: str) -> Response:
        """How the wait stands, whenever that changes."""
        return await stream.answer(self._paper, request, self._looking(id))

    async def end(self, request: Request, id: str) -> Response:
        """Wait no longer."""
        await self._rooms.enrolments.withdraw(await self._paper.need_viewer(request), id)
        return RedirectResponse("/app/cards", 303)


def tap_of(wish: EnrolmentView, station: str, now: datetime) -> Tap:
    """A wait as the page shows it."""
    titles = {
        EnrolmentState.TAKEN: phrase("This card was not added"),
        EnrolmentState.EXPIRED: phrase("No card was tapped"),
    }
    left = max(0, int((wish.expires_at - now).total_seconds()))
    waits = wish.state is EnrolmentState.WAITING
    return Tap(
        id=wish.id,
        station=station,
        waits=waits,
        until=wish.expires_at,
        left=f"{left // 60}:{left % 60:02}" if waits else "",
        title=titles.get(wish.state, ""),
        why=wish.words,
        next="/app/cards?did=added" if wish.state is EnrolmentState.DONE else "",
    )


def router(paper: Paper) -> APIRouter:
    """``/app/cards`` and what can be done with one's cards."""
    pages, routes = Cards(paper), routes_of(paper)
    routes.add_api_route("/app/cards", pages.show, methods=["GET"])
    routes.add_api_route("/app/cards/add", pages.add, methods=["GET"])
    routes.add_api_route("/app/cards/add", pages.begin, methods=["POST"])
    routes.add_api_route("/app/cards/activate", pages.add, methods=["GET"])
    routes.add_api_route("/app/cards/activate", pages.activate, methods=["POST"])
    routes.add_api_route("/app/cards/add/{id}", pages.tap, methods=["GET"])
    routes.add_api_route("/app/cards/add/{id}/now", pages.now, methods=["GET"])
    routes.add_api_route("/app/cards/add/{id}/live", pages.live, methods=["GET"])
    routes.add_api_route("/app/cards/add/{id}/end", pages.end, methods=["POST"])
    routes.add_api_route("/app/cards/{ref}/name", pages.name, methods=["POST"])
    routes.add_api_route("/app/cards/{ref}/{deed}", pages.change, methods=["POST"])
    return routes
