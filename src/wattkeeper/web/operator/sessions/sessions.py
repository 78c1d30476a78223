"""Sessions: found by anything said on the phone; the address bar is the filter, and new ones appear as they begin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from fastapi import APIRouter
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Figure, counted, phrase
from wattkeeper.charging.phrase import Said as Words
from wattkeeper.charging.session import SessionState
from wattkeeper.charging.statistics.share import QUARTER
from wattkeeper.language import tell
from wattkeeper.store import journal
from wattkeeper.store.sessions import session as store
from wattkeeper.store.sessions.session import Listed, SortedBy
from wattkeeper.web.operator import stream
from wattkeeper.web.operator.listing import Column, address_of, headings, number_of, page_of, sorting_of
from wattkeeper.web.operator.paper import GRADES, STATES, Paper, routes_of
from wattkeeper.web.operator.people.names import Places, Row, placed, places
from wattkeeper.web.operator.region import Region
from wattkeeper.web.operator.said import duration
from wattkeeper.web.operator.sessions.understood import Said, misheard, understand
from wattkeeper.web.operator.stream import View
from wattkeeper.web.operator.within import RAN, within

PER_PAGE = 50
MOST_COUNTED = 10_000
"""Up to how many sessions are counted behind a figure."""
LIVE = "live"
PLUGGED = phrase("Plugged in now")
STATE_CHOICES = [(LIVE, PLUGGED), *((state.value, look.word) for state, look in STATES.items())]
STATE_NAMES = {state.value: state for state in SessionState}
NO_SITE = "-"
"""How an address says: stations without a site."""
NO_ENERGY, FAILED = "none", "failed"
WITHOUT_SITE = phrase("Stations without a site")
PLUGGED_IN, BEGAN_IN = phrase("Plugged in {days}"), phrase("Began {days}")
RUNNING = phrase("Running {day}, {since} to {until}")
GRADE_NAMES = {grade.value: grade for grade in Grade}
CARD = phrase("Card")
KEPT = (
    *("station", "evse", "connector", "site", "since", "until", "within", "weekday", "hour", "energy", "stay"),
    "sort",
)
"""What the form leaves as it is, for its links came from elsewhere."""
COLUMNS = (
    (phrase("Session"), None, ""),
    (phrase("Began"), SortedBy.STARTED, ""),
    (phrase("Station"), SortedBy.STATION, ""),
    (CARD, None, "fold-1"),
    (phrase("State"), None, ""),
    ("kWh", SortedBy.ENERGY, "number"),
    (phrase("Duration"), None, "number fold-1 fold-2"),
    (phrase("Evidence"), None, "fold-1"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address bar asks for, as typed."""

    q: str = ""
    state: str = ""
    grade: str = ""
    day: str = ""
    station: str = ""
    evse: str = ""
    connector: str = ""
    site: str = ""
    since: str = ""
    """With ``until``: the days, or two instants."""
    until: str = ""
    within: str = ""
    """Whether those are meant whose car was plugged in in these days, or those that began in them."""
    weekday: str = ""
    hour: str = ""
    energy: str = ""
    stay: str = ""
    """How long the car stayed, in whole quarter hours: from, or from and until under, such as ``4-8``."""
    sort: str = ""
    page: int = 1

    def address(self, **changes: object) -> str:
        """The address of this list, changed."""
        return address_of("/sessions", self, changes)


def asked_of(request: Request) -> Asked:
    """What this address asks for; what makes no sense is not asked for."""
    given = {name: request.query_params.get(name, "").replace("\0", "").strip()[:200] for name in Asked.__slots__}
    return Asked(**given | {"page": page_of(given["page"])})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, and how that reads."""

    wanted: Listed
    said: Said
    reads: list[str]
    nothing: str = ""
    """Why nothing can be found, where that is clear before looking."""


def search(paper: Paper, asked: Asked, known: Places, now: datetime) -> Search:
    """Filters and words together."""
    times = paper.times
    said = understand(asked.q, times.local(now).date())
    state, grade = asked.state or said.state or "", asked.grade or said.grade or ""
    days = within(asked.since, asked.until, asked.hour, asked.weekday, times.zone)
    is_plugged = asked.within == RAN
    evse, connector = _place(asked.evse), _place(asked.connector)
    found = known.called(said.words) if said.words else None
    wanted = Listed(
        station=asked.station or None,
        stations=found,
        state=STATE_NAMES.get(state),
        live=True if state == LIVE else None,
        grade=GRADE_NAMES.get(grade),
        last2=said.card,
        windows=said.windows(now, times.zone) or _whole_day(paper, asked.day),
        began=days.windows if days and not is_plugged else None,
        plugged=days.windows if days and is_plugged else None,
        stayed=stay_of(asked.stay),
        place=None if evse is None else (evse, connector),
        site="" if asked.site == NO_SITE else asked.site or None,
        is_empty=asked.energy in (NO_ENERGY, FAILED),
        is_failed=asked.energy == FAILED,
        by=_sorting(asked)[0],
        upwards=_sorting(asked)[1],
    )
    return Search(wanted, said, _reads(paper, asked, said, known, found, now), _hopeless(asked, said, found))


def _place(typed: str) -> int | None:
    """The number of an EVSE or a connector; 0 where the station told none, None where nothing is asked for."""
    return 0 if typed == "0" else number_of(typed)


def stay_of(typed: str) -> tuple[int, int | None] | None:
    """How long a car stayed, in whole quarter hours; None where that makes no sense."""
    least, dash, under = typed.partition("-")
    low, high = _place(least), number_of(under)
    return None if low is None or not dash or (under and (high is None or high <= low)) else (low, high)


def said_stay(low: int, high: int | None) -> Words:
    """How long a car stayed, from so many whole quarter hours until under so many."""
    if high is None:
        return phrase("{since} and longer", since=duration(low * QUARTER))
    if low == 0:
        return phrase("under {until}", until=duration(high * QUARTER))
    return phrase("{since} to {until}", since=duration(low * QUARTER), until=duration(high * QUARTER))


def _sorting(asked: Asked) -> tuple[SortedBy, bool]:
    return sorting_of(asked.sort, SortedBy, (SortedBy.STARTED, False))


def _whole_day(paper: Paper, day: str) -> tuple[tuple[datetime, datetime], ...]:
    """The day of the date field."""
    try:
        start = datetime.combine(date.fromisoformat(day), time(), paper.times.zone)
        return ((start, start + timedelta(days=1)),) if 1970 <= start.year < 9990 else ()
    except ValueError:
        return ()


def _reads(
    paper: Paper, asked: Asked, said: Said, known: Places, found: tuple[str, ...] | None, now: datetime
) -> list[str]:
    """What was understood of the words, for the person to check."""
    reads: list[str] = []
    reads += _reads_place(asked, known)
    days = within(asked.since, asked.until, asked.hour, asked.weekday, paper.times.zone)
    if days:
        reads.append((PLUGGED_IN if asked.within == RAN else BEGAN_IN).filled(days=days.words))
    stay = stay_of(asked.stay)
    if stay is not None:
        reads.append(phrase("Stayed {stay}", stay=said_stay(*stay)))
    if asked.energy == NO_ENERGY:
        reads.append(phrase("Ended without energy"))
    if asked.energy == FAILED:
        reads.append(phrase("Ended within 5 minutes without energy"))
    if said.card:
        reads.append(phrase("Card ending in {last}", last=said.card))
    if said.state:
        reads.append(PLUGGED if said.state == LIVE else STATES[SessionState(said.state)].word)
    if said.grade:
        reads.append(GRADES[said.grade].word)
    for start, end in said.windows(now, paper.times.zone):
        day = paper.times.day(start, now)
        span = {"day": day, "since": f"{start:%H:%M}", "until": f"{end:%H:%M}"}
        whole = end - start == timedelta(days=1)
        reads.append(phrase("Running {day}", day=day) if whole else RUNNING.filled(**span))
    if found is not None:
        words = " ".join(said.words)
        reads.append(
            counted("Station {words}: {count} found", "Station {words}: {count} found", len(found), words=words)
        )
    return reads


def _reads_place(asked: Asked, known: Places) -> Iterator[str]:
    """Where, as it was understood."""
    if asked.site:
        yield WITHOUT_SITE if asked.site == NO_SITE else phrase("Site {site}", site=asked.site)
    if asked.station:
        yield phrase("Station {station}", station=known[asked.station].name)
    evse = _place(asked.evse)
    if evse:
        number = number_of(asked.connector) or 1
        spoken = f"{evse}" if number == 1 else f"{evse}.{number}"
        yield phrase("Connector {number}", number=spoken)
    elif evse == 0:
        yield phrase("Connector not told")


def _hopeless(asked: Asked, said: Said, found: tuple[str, ...] | None) -> str:
    """Why nothing can be found."""
    if said.session:
        return phrase("No session has the id {session}.", session=shown(said.session))
    if misheard(asked.q):
        wrong = phrase("{words} is not the id of any session: a character was misheard or mistyped. Ask for it again.")
        return wrong.filled(words=asked.q)
    return phrase("No station is called “{words}”.", words=" ".join(said.words)) if found == () else ""


async def look(paper: Paper, connection: AsyncConnection, viewer: Viewer, asked: Asked) -> tuple[View, Search, bool]:
    """The list at one position of the journal, what was searched, and whether there are more."""
    now = paper.rooms.store.clock()
    n = await journal.newest(connection)
    known = await places(connection, viewer)
    sought = search(paper, asked, known, now)
    rows, count = [], 0
    if not sought.nothing:
        skip = (asked.page - 1) * PER_PAGE
        rows = await store.listed(connection, viewer, sought.wanted, PER_PAGE + 1, skip)
        count = await store.how_many(connection, viewer, sought.wanted, MOST_COUNTED) if asked.since else 0
    region = _region(paper, viewer, placed(rows[:PER_PAGE], known), sought, asked, now)
    regions = [region, _counted(count)] if asked.since else [region]
    return View(n, regions), sought, len(rows) > PER_PAGE


def _counted(count: int) -> Region:
    """How many sessions are behind a figure that led here, on all pages together."""
    if not count:
        return Region("counted", {}, "span")
    told: Words = counted("1 session", "{count} sessions", count)
    if count > MOST_COUNTED:
        told = phrase("More than {count} sessions", count=Figure(Decimal(MOST_COUNTED), 0))
    return Region("counted", {"counted-all": Markup('<b id="counted-all">{}</b>').format(tell(told))}, "span")


def _region(paper: Paper, viewer: Viewer, rows: list[Row], sought: Search, asked: Asked, now: datetime) -> Region:
    """The rows, or why there are none."""
    if rows:
        keys = {f"s-{row.session.id}": row for row in rows}
        printed = {key: paper.part("sessions_parts.html", "row", key, row, now, viewer) for key, row in keys.items()}
        return Region("sessions", printed)
    text: tuple[str, str]
    if asked == Asked():
        text = phrase("No session yet."), phrase("A session appears here the moment a station reports one.")
    else:
        why = sought.nothing or phrase("No session fits all of this; leave something out.")
        text = phrase("Nothing found."), why
    return Region("sessions", {"sessions-none": paper.part("sessions_parts.html", "empty", *text)})


def columns(viewer: Viewer, asked: Asked) -> list[Column]:
    """The headings, with the way to sort by each; no card for who may not know it."""
    shown_ = [one for one in COLUMNS if one[0] is not CARD or viewer.may(Scope.CARDS_READ)]
    return headings(shown_, _sorting(asked), asked.address)


class Sessions:
    """``/sessions`` and its stream."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper

    async def show(self, request: Request) -> Response:
        """The list; a session id that was said leads straight to its page."""
        viewer, asked = await self._paper.need_viewer(request), asked_of(request)
        async with self._paper.rooms.store.read() as connection:
            view, sought, more = await look(self._paper, connection, viewer, asked)
            said = sought.said.session
            if said and await store.one(connection, viewer, said):
                return RedirectResponse(f"/sessions/{said}", 303)
        return self._page(request, viewer, asked, view, sought, more)

    def _page(self, request: Request, viewer: Viewer, asked: Asked, view: View, sought: Search, more: bool) -> Response:
        """The list as a page."""
        address = asked.address().partition("?")[2]
        return self._paper.page(
            request,
            "sessions.html",
            viewer,
            asked=asked,
            kept=KEPT,
            columns=columns(viewer, asked),
            more=asked.address(page=asked.page + 1) if more else None,
            regions=view.by_name,
            state_choices=STATE_CHOICES,
            stream=f"/live/sessions?after={view.position}&{address}" if asked.page == 1 else None,
            understood=sought.reads,
        )

    async def live(self, request: Request, after: str = "") -> Response:
        """The list's changes."""
        return await stream.listed(self._paper, request, look, replace(asked_of(request), page=1), after)


def router(paper: Paper) -> APIRouter:
    """``/sessions`` and its stream."""
    pages, routes = Sessions(paper), routes_of(paper)
    routes.add_api_route("/sessions", pages.show, methods=["GET"])
    routes.add_api_route("/live/sessions", pages.live, methods=["GET"])
    return routes
