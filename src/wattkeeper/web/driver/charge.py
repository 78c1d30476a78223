"""Charge: what is near or found by words, the code on a plug, the price, and the start."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Figure, counted, joined, phrase
from wattkeeper.operations.starts import OPEN
from wattkeeper.operations.stations.places import Outlet, Place, Use
from wattkeeper.store.sessions import session as sessions
from wattkeeper.store.sessions.session import Sought
from wattkeeper.web.device import address_of
from wattkeeper.web.driver import charging
from wattkeeper.web.driver.money import tags
from wattkeeper.web.driver.money.guess import Guess, guess_of
from wattkeeper.web.driver.paper import Look, Paper, Word, routes_of

USES = {
    Use.FREE: Look(phrase("Free"), "done"),
    Use.IN_USE: Look(phrase("In use"), "half"),
    Use.OUT_OF_ORDER: Look(phrase("Out of order"), "none"),
}
IN_ADDRESS = re.compile(r"^https?://[^/]+/app/at/([^/?#]+)$", re.IGNORECASE)
NO_CODE = phrase("No plug has this code. Check it letter by letter; it stands beside the plug.")
DECIMAL = re.compile(r"-?\d{1,3}(\.\d{1,6})?")


@dataclass(frozen=True, slots=True)
class Row:
    """A place in the list."""

    href: str
    name: str
    far: str
    address: str
    about: str
    look: Look


@dataclass(frozen=True, slots=True)
class Spot:
    """A plug, before charging starts."""

    name: str
    where: str
    look: Look
    plug: str
    price: tags.Tag | None
    start: str
    key: str
    """Makes a start that is told twice one start."""
    can_start: bool
    advice: str
    is_unpaid: bool
    """Whether its driver has to see to how they pay first."""


def row_of(place: Place) -> Row:
    """A place as listed: one with one plug leads straight to it."""
    free = sum(outlet.use is Use.FREE for outlet in place.outlets)
    count, alone = len(place.outlets), place.outlets[0] if len(place.outlets) == 1 else None
    href = f"/app/at/{quote(alone.code, safe='')}" if alone else f"/app/stations/{quote(place.station, safe='')}"
    if count > 1:
        look = Look(phrase("{free} of {count} free", free=free, count=count), "done" if free else "half")
    else:
        look = USES[alone.use] if alone else Look(phrase("Not known"), "none")
    powers = [outlet.max_power_w for outlet in place.outlets if outlet.max_power_w]
    about = _power(max(powers)) if powers else ""
    return Row(href, place.name, far(place.distance_m), place.address, about, look)


def _power(watts: Decimal) -> str:
    """The most a plug gives: whole kilowatts as such."""
    kilowatts = Figure(watts / 1000, 1, "kW")
    return Figure(kilowatts.value, 0, "kW") if kilowatts.value % 1 == 0 else kilowatts


def far(metres: int | None) -> str:
    """A distance as people say it."""
    if metres is None:
        return ""
    if metres < 950:
        return f"{max(10, round(metres, -1))} m"
    return Figure(Decimal(metres) / 1000, 1 if metres < 9950 else 0, "km")


def plug_of(outlet: Outlet) -> str:
    """Plug and power."""
    power = _power(outlet.max_power_w) if outlet.max_power_w else ""
    return joined((outlet.plug_words, power), ", ")


def spot_of(place: Place, outlet: Outlet, blocked: str = "") -> Spot:
    """The plug with its price, and whether it makes sense to start; ``blocked``: why its driver cannot pay."""
    many = phrase("Plug {evse}", evse=outlet.evse) if len(place.outlets) > 1 else ""
    return Spot(
        name=place.name,
        where=joined((place.address, many), " · "),
        look=USES[outlet.use],
        plug=plug_of(outlet),
        price=tags.tag_of(outlet.price),
        start=f"/app/at/{quote(outlet.code, safe='')}",
        key=secrets.token_urlsafe(16),
        can_start=outlet.can_start and not blocked,
        advice=blocked if outlet.can_start and blocked else _advice(outlet),
        is_unpaid=bool(blocked),
    )


def _advice(outlet: Outlet) -> str:
    """What to do, or why nothing can be done."""
    if not outlet.can_start:
        return phrase("{why}: it cannot be started now.", why=outlet.words)
    if outlet.use is Use.FREE:
        return phrase("Plug the cable into the car first, then start.")
    return phrase("A cable is plugged in. If it is yours, start.")


def code_in(typed: str) -> str:
    """The code that was typed, or the one in an address that was pasted."""
    found = IN_ADDRESS.match(typed.strip())
    return unquote(found[1]) if found else "".join(typed.replace("-", " ").split())[:100]


class Charge:
    """``/app/`` and what leads to a start."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, q: str = "") -> Response:
        """What charges now, and what is found."""
        viewer = await self._paper.need_viewer(request)
        asked = q.strip()[:100]
        return await self._page(request, viewer, await self._rooms.places.find(viewer, asked), asked=asked)

    async def near(
        self, request: Request, latitude: Annotated[str, Form()] = "", longitude: Annotated[str, Form()] = ""
    ) -> Response:
        """What is near; where the phone is stands in no address and is kept by nobody."""
        viewer = await self._paper.need_viewer(request)
        try:
            here = _degrees(latitude, 90), _degrees(longitude, 180)
        except ValueError:
            raise Refusal(
                Code.INVALID, phrase("Your phone did not tell where it is. Search for a street instead.")
            ) from None
        found = await self._rooms.places.near(viewer, *here)
        return await self._page(request, viewer, found, title=phrase("Near you"))

    async def _page(
        self, request: Request, viewer: Viewer, found: list[Place], status: int = 200, **given: Any
    ) -> Response:
        asked = given.get("asked", "")
        context = {
            "running": await self._running(viewer),
            "stations": [row_of(place) for place in found],
            "title": _title(len(found)) if asked and found else phrase("Stations"),
            "nothing": _nothing(asked),
            "asked": asked,
            "fault": "",
            "typed": "",
        }
        return await self._paper.page(request, "charge.html", viewer, status=status, **context | given)

    async def _running(self, viewer: Viewer) -> list[charging.Strip]:
        """What charges now, and what was asked to."""
        async with self._rooms.store.read() as connection:
            rows = await sessions.find(connection, viewer, Sought(live=True), 5)
        live = [charging.strip_of(await self._rooms.prices.receipt(viewer, row.id)) for row in rows]
        starts = [one for one in await self._rooms.starts.mine(viewer, 5) if one.state in OPEN]
        return [charging.strip_of_start(one) for one in starts] + live

    async def typed(self, request: Request, code: Annotated[str, Form()] = "") -> Response:
        """The code that was typed leads to its plug, or says that it is none."""
        viewer, wanted = await self._paper.need_viewer(request), code_in(code)
        try:
            _, outlet = await self._rooms.places.at(viewer, wanted, address_of(request))
        except Refusal as refusal:
            fault = NO_CODE if refusal.code is Code.NOT_FOUND else refusal.why
            found = await self._rooms.places.find(viewer)
            return await self._page(request, viewer, found, 422, fault=fault, typed=code[:100])
        return RedirectResponse(f"/app/at/{quote(outlet.code, safe='')}", 303)

    async def at(self, request: Request, code: str) -> Response:
        """A plug with its price."""
        viewer = await self._paper.need_viewer(request)
        place, outlet = await self._rooms.places.at(viewer, code, address_of(request))
        guess = guess_of(request, outlet.price)
        status = 422 if guess.fault else 200
        spot = spot_of(place, outlet, await self._rooms.payments.wallets.blocked(viewer))
        return await self._paper.page(request, "at.html", viewer, status=status, spot=spot, guess=guess)

    async def start(self, request: Request, code: str, key: Annotated[str, Form()] = "") -> Response:
        """Start there; the same page sent twice starts once. What cannot be started says why on the same page."""
        viewer = await self._paper.need_viewer(request)
        address = address_of(request)
        try:
            began = await self._rooms.starts.start(viewer, code, key=key[:100], address=address)
        except Refusal as refusal:
            if refusal.code in (Code.NOT_FOUND, Code.UNAUTHENTICATED, Code.BUSY):
                raise
            word = Word(phrase("It was not started."), refusal.why, "look")
            place, outlet = await self._rooms.places.at(viewer, code, address)
            spot = spot_of(place, outlet, await self._rooms.payments.wallets.blocked(viewer))
            return await self._paper.page(request, "at.html", viewer, status=409, spot=spot, word=word, guess=Guess())
        return RedirectResponse(f"/app/charging/{began.id}", 303)

    async def station(self, request: Request, station: str) -> Response:
        """A place with its plugs."""
        viewer = await self._paper.need_viewer(request)
        place = await self._rooms.places.place(viewer, station)
        spots = [
            {
                "href": f"/app/at/{quote(outlet.code, safe='')}",
                "evse": outlet.evse,
                "plug": plug_of(outlet),
                "look": USES[outlet.use],
            }
            for outlet in place.outlets
        ]
        shown = {"name": place.name, "address": place.address, "spots": spots, "price": tags.tag_of(place.price)}
        return await self._paper.page(request, "station.html", viewer, station=shown)


def _degrees(text: str, most: int) -> Decimal:
    """A latitude or longitude; ValueError."""
    if not DECIMAL.fullmatch(text.strip()):
        raise ValueError
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError from None
    if abs(found) > most:
        raise ValueError
    return found


def _title(count: int) -> str:
    """Over what was found."""
    return counted("{count} found", "{count} found", count)


def _nothing(asked: str) -> Word:
    """Why the list is empty."""
    if asked:
        why = phrase("No station’s name or address has “{asked}” in it. Try only the street or the town.", asked=asked)
        return Word(phrase("Nothing found."), why)
    return Word(phrase("No station is listed yet."), phrase("Type the code that stands beside the plug."))


def router(paper: Paper) -> APIRouter:
    """``/app/`` and what leads to a start."""
    pages, routes = Charge(paper), routes_of(paper)
    routes.add_api_route("/app/", pages.show, methods=["GET"])
    routes.add_api_route("/app/near", pages.near, methods=["POST"])
    routes.add_api_route("/app/near", pages.show, methods=["GET"])
    routes.add_api_route("/app/at", pages.typed, methods=["POST"])
    routes.add_api_route("/app/at", pages.show, methods=["GET"])
    routes.add_api_route("/app/at/{code}", pages.at, methods=["GET"])
    routes.add_api_route("/app/at/{code}", pages.start, methods=["POST"])
    routes.add_api_route("/app/stations/{station:path}", pages.station, methods=["GET"])
    return routes
