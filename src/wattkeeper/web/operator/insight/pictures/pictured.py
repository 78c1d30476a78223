"""Pages of pictures: each with its answer, a text, the same as a table, and as files (SVG, CSV) to take along."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cache
from typing import Any

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Said, joined, phrase
from wattkeeper.charging.statistics.span import Span, Usual
from wattkeeper.language import tell
from wattkeeper.operations.money.papers.sheet import Cell, written
from wattkeeper.operations.statistics.use import Known
from wattkeeper.web.bundle import SOURCES
from wattkeeper.web.operator.insight.asked import WITHOUT, Asked, asked_of, said_asked, span_name
from wattkeeper.web.operator.insight.desks import page, partly
from wattkeeper.web.operator.insight.pictures.drawing import Drawing
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.operator.sessions.sessions import NO_SITE
from wattkeeper.web.problem import STATUS
from wattkeeper.web.rooms import Rooms

MILLIONTH, MEASURED = Decimal("0.000001"), ("kwh", "kw")
FILES = {"csv": "text/csv; charset=utf-8", "svg": "image/svg+xml"}
TO_COME = phrase("These days are still to come")
MARGIN_PX, HEAD_PX = 24, 100
"""Of a picture as a file: around it, and above it for its title."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What pictures are drawn of: what was asked, by whom, and what there is."""

    rooms: Rooms
    viewer: Viewer
    asked: Asked
    known: Known
    today: date
    zone_name: str
    linked: bool = True
    """Whether marks lead to what is behind them."""

    @property
    def zone(self) -> tzinfo:
        """The installation's."""
        return self.rooms.settings.zone

    @property
    def currency(self) -> tuple[str, int]:
        """The installation's money, and the digits of its minor unit."""
        one = self.rooms.settings.pay_currency
        return one, digits_of(one)

    @property
    def about(self) -> Said:
        """Days and place, and whose clock."""
        clock = phrase("hours are in {zone}", zone=self.zone_name)
        return joined((said_asked(self.asked, self.known), clock), ", ")

    @property
    def sites(self) -> Sequence[str]:
        """The sites that it is about: the one that is asked for, or all that the viewer sees."""
        site = self.asked.part.site
        return self.known.sites if site is None else (site,)

    def over(self, span: Span) -> Asked:
        """The same of other days."""
        return replace(self.asked, span=span, usual=None)

    def sessions(self, **also: str) -> str:
        """Where the sessions behind a mark are; nowhere in a file."""
        return self.asked.sessions(**also) if self.linked else ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell of the table beside a picture, and where what is behind it can be found."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The same exactly, for spreadsheets."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    ending: str = ""
    """What the name of its file ends with: what it has where that is not all."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in all its forms."""

    key: str
    """What its files are called."""
    title: Said
    """Its answer."""
    note: Said
    """What is drawn, with its unit and its source."""
    wide: Drawing
    narrow: Drawing
    heads: Sequence[str]
    rows: Sequence[Sequence[Shown]]
    """The same as a table."""
    sheet: Callable[[], Sheet]
    pick: Sequence[tuple[str, str, bool]] = ()
    """What else can be drawn: its name, its address, whether it is this."""
    href: str = ""
    """Where what its answer is about is listed."""
    lacks: Sequence[Shown] = ()
    """What nobody told and it would need, and where that can be entered."""
    narrow_note: Said | None = None
    """What is drawn on narrow screens, where that is something else; None: the same."""


Drawn = Callable[[Scene], Awaitable[Sequence[Picture]]]


class Desk:
    """A place under Insight whose page is made of pictures."""

    def __init__(
        self, paper: Paper, path: str, also: Mapping[str, str], drawn: Drawn, *, by_station: bool = False
    ) -> None:
        self._paper = paper
        self._path = path
        self._also = also
        self._drawn = drawn
        self._by_station = by_station

    async def show(self, request: Request, template: str, **more: Any) -> Response:
        """The page."""
        scene, refusal = await self.scene(request)
        pictures = to_come(scene, await self._drawn(scene))
        word = word_of(refusal)
        context = {
            "pictures": pictures,
            "path": self._path,
            "about": scene.about,
            **chosen(scene.asked, scene.known, scene.today),
        } | more
        status = 200 if refusal is None else STATUS[refusal.code]
        return await page(self._paper, request, self._path, template, scene.viewer, status=status, word=word, **context)

    def router(self) -> APIRouter:
        """A page of pictures alone, and its files."""
        routes = routes_of(self._paper)
        routes.add_api_route(self._path, self.alone, methods=["GET"])
        routes.add_api_route(self._path + "/{picture}.{kind}", self.file, methods=["GET"])
        return routes

    async def alone(self, request: Request) -> Response:
        """The page, where it is pictures alone."""
        return await self.show(request, "insight_pictures.html")

    async def file(self, request: Request, picture: str, kind: str) -> Response:
        """One of its pictures as a file; Refusal where the days make no sense or there is no such picture."""
        scene, refusal = await self.scene(request)
        if refusal is not None:
            raise refusal
        pictures = to_come(scene, await self._drawn(replace(scene, linked=False)))
        return await file_of(pictures, scene, (self._path, picture), kind)

    async def scene(self, request: Request) -> tuple[Scene, Refusal | None]:
        """What an address asks for; Refusal where it is not the viewer's to see."""
        rooms, times = self._paper.rooms, self._paper.times
        viewer = await self._paper.need_viewer(request)
        viewer.reach(Scope.SESSIONS_READ)
        today = times.local(rooms.store.clock()).date()
        asked, refusal = asked_of(request, today, self._also)
        asked = asked if self._by_station else replace(asked, station="")
        known = await rooms.statistics.use.known(viewer)
        known.need(asked.part)
        return Scene(rooms, viewer, asked, known, today, times.name), refusal


def to_come(scene: Scene, pictures: Sequence[Picture]) -> Sequence[Picture]:
    """Pictures of days that have not come say so, and not that nothing happened."""
    is_ahead = scene.asked.span.first > scene.today
    return [replace(one, title=TO_COME) for one in pictures] if is_ahead else pictures


def word_of(refusal: Refusal | None) -> Word | None:
    """Why a page is not about what was asked."""
    return None if refusal is None else Word(phrase("These are the last 28 days instead."), refusal.why, "look")


def chosen(asked: Asked, known: Known, today: date) -> dict[str, Any]:
    """What the form of days and sites is printed from."""
    spans = [(one, span_name(one, today), asked.over(one, today)) for one in Usual]
    return {"asked": asked, "sites": known.sites, "no_site": NO_SITE, "without": WITHOUT, "spans": spans}


# --- files --------------------------------------------------------------------------------------------------------


async def file_of(pictures: Sequence[Picture], scene: Scene, which: tuple[str, str], kind: str) -> Response:
    """One of some pictures as a file; Refusal NOT_FOUND where there is none of this kind.

    ``which``: the place, and the picture.
    """
    desk, key = which
    stem = f"{key}-{scene.asked.stem}{await partly(scene.rooms.statistics, desk)}"
    return made_of(pictures, scene.about, (stem, key), kind)


def made_of(pictures: Sequence[Picture], about: Said, named: tuple[str, str], kind: str) -> Response:
    """The same; ``named``: what the file is called, and the picture."""
    found = [one for one in pictures if one.key == named[1]]
    if not found or kind not in FILES:
        raise Refusal(Code.NOT_FOUND, phrase("There is no such picture; each is there as svg and as csv."))
    if kind == "svg":
        return taken(as_svg(found[0], about), named[0], kind)
    sheet = found[0].sheet()
    return taken(as_csv(sheet), named[0] + sheet.ending, kind)


def at_place(at: datetime, zone: tzinfo) -> str:
    """An instant as files tell it: by the clock of the place, with how far that is from UTC."""
    return at.astimezone(zone).isoformat(timespec="minutes")


def taken(made: str, name: str, kind: str) -> Response:
    """A file to take along; never kept by a cache."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "no-store"}
    return Response(made.encode(), media_type=FILES[kind], headers=headers)


def as_csv(sheet: Sheet) -> str:
    """A sheet as CSV; energy and power with six places, whatever they are."""
    heads = sheet.heads
    rows = ([_cell(*one) for one in zip(heads, row, strict=True)] for row in sheet.rows)
    return written(heads, rows)


def _cell(head: str, cell: Cell) -> Cell:
    return cell.quantize(MILLIONTH) if isinstance(cell, Decimal) and head.endswith(MEASURED) else cell


def as_svg(picture: Picture, about: Said) -> str:
    """A picture that stands for itself: with its title, its unit, its source, its style, light and dark."""
    drawing = picture.wide
    width, height = drawing.width + 2 * MARGIN_PX, drawing.height + HEAD_PX + MARGIN_PX
    frame = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="drawn" role="img" aria-labelledby="t d" width="{0}" '
        'height="{1}" viewBox="0 0 {0} {1}"><title id="t">{2}</title><desc id="d">{3} {8}</desc><style>{4}</style>'
        '<rect class="paper" width="{0}" height="{1}"/><text class="title" x="{5}" y="36">{2}</text>'
        '<text x="{5}" y="60">{3}</text><text x="{5}" y="78">{8}</text>'
        '<g transform="translate({5} {6})">{7}</g></svg>\n'
    )
    words = tell(picture.title), tell(picture.note)
    given = (width, height, *words, Markup(style()), MARGIN_PX, HEAD_PX, drawing.marks, tell(about))
    return str(frame.format(*given))


@cache
def style() -> str:
    """The rules that pictures are drawn by, on pages and in files."""
    return "".join((SOURCES / name).read_text() for name in ("tokens.css", "drawn.css"))
