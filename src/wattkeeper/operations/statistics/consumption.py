"""What a driver used and paid, by month, place and time of day, and against their own past: their own alone.

Nothing is kept for it: every figure is worked out of their sessions and their bills when they ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.privacy.rights import Use as Purpose
from wattkeeper.charging.statistics.carbon import Emitted
from wattkeeper.charging.statistics.used import (
    NONE,
    Currency,
    Paid,
    Place,
    Standing,
    Sum,
    Use,
    apart,
    begins,
    later,
    month_of,
    same_days,
    summed,
)
from wattkeeper.operations.privacy.restriction import is_excluded
from wattkeeper.operations.statistics.carbon import emitted_of
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.statistics import own
from wattkeeper.store.statistics.own import Issued, Ran

MONTHS = 13
"""How many months are shown: the same month of the year before is among them."""
QUARTER = 6
"""How many hours a part of the day has."""
BATCH = 2_000
"""How many sessions are asked of at once."""
SETTLED = (Standing.BILLED, Standing.FREE)
EARLIEST = 1971
LATEST = 8999
NOT_YET = phrase("That month is still to come.")
NO_MONTH = phrase("A month is written like 2026-03.")


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier month of one's own, as far on as the month that is shown."""

    month: date
    sum: Sum


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """A month, and what came before it."""

    month: date
    """Its first day."""
    is_running: bool
    """Whether the month is not over: then earlier months count as far as it is on."""
    sum: Sum
    past: tuple[Past, ...]
    """The month before, and the same month of the year before; none where its person objects to comparing."""
    months: Mapping[date, Sum]
    """The thirteen months that end with it, the oldest first."""
    places: Mapping[Place, Sum]
    """Over these months, where most energy came from first."""
    parts: Mapping[int, Sum]
    """Over these months, by the quarter of the day in which sessions began: 0, 6, 12 and 18."""
    carbon: Emitted
    """Carbon dioxide of the month, as far as that of the grid is known."""
    first: date | None
    """The month of the first session there is; None: there is none."""
    now: date
    """The month that it is."""

    @property
    def years(self) -> Sequence[int]:
        """The years of which there is anything, the newest first."""
        return () if self.first is None else range(self.now.year, self.first.year - 1, -1)


@dataclass(frozen=True, slots=True)
class Behind:
    """Of which sum the sessions are asked for."""

    month: str
    """The last month, such as 2026-03."""
    months: int = 1
    """How many months end with it; at most those that are shown."""
    address: str | None = None
    """At which address; of a place without one, its name."""
    station: str | None = None
    """By its name."""
    part: int | None = None
    """A quarter of the day, by its first hour."""


class OwnConsumption:
    """Works it out."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._zone: tzinfo = settings.zone

    async def of(self, viewer: Viewer, month: str = "") -> Consumption:
        """One's own month such as 2026-03, or the one that it is (scopes sessions:read and bills:read, one's own).

        Refusal FORBIDDEN; INVALID where it is no month, or one that is still to come.
        """
        person = need_own(viewer)
        now = self._store.clock()
        running = month_of(now, self._zone)
        wanted = running if not month else read_month(month)
        if wanted > running:
            raise Refusal(Code.INVALID, NOT_YET)
        first = later(wanted, 1 - MONTHS)
        async with self._store.read() as connection:
            uses = await uses_of(connection, person, self._at(first), self._at(later(wanted, 1)))
            began_at = await own.first(connection, person)
            newest = [one for one in uses if one.began_at >= self._at(wanted)]
            carbon = await carbon_by_month(connection, newest, self._zone)
            compares = not await is_excluded(connection, person, Purpose.PROFILING)
        by_month = apart(uses, lambda one: month_of(one.began_at, self._zone))
        by_part = apart(uses, lambda one: one.began_at.astimezone(self._zone).hour // QUARTER * QUARTER)
        return Consumption(
            month=wanted,
            is_running=wanted == running,
            sum=by_month.get(wanted, NONE),
            past=tuple(self._past(uses, wanted, now)) if compares else (),
            months={one: by_month.get(one, NONE) for one in (later(first, place) for place in range(MONTHS))},
            places=dict(sorted(apart(uses, lambda one: one.place).items(), key=most_first)),
            parts={part: by_part.get(part, NONE) for part in range(0, 24, QUARTER)},
            carbon=carbon.get(wanted, Emitted()),
            first=None if began_at is None else month_of(began_at, self._zone),
            now=running,
        )

    async def behind(self, viewer: Viewer, asked: Behind) -> list[Use]:
        """The settled sessions that make up a sum of one's own, the newest first (scopes as above, one's own).

        Refusal FORBIDDEN; INVALID where the month is none.
        """
        person = need_own(viewer)
        last = read_month(asked.month)
        since, until = self._at(later(last, 1 - asked.months)), self._at(later(last, 1))
        async with self._store.read() as connection:
            uses = await uses_of(connection, person, since, until)
        return [one for one in reversed(uses) if one.standing in SETTLED and self._is_meant(one, asked)]

    def _is_meant(self, one: Use, asked: Behind) -> bool:
        part = one.began_at.astimezone(self._zone).hour // QUARTER * QUARTER
        is_there = asked.address in (None, one.place.address or one.place.name)
        return is_there and asked.station in (None, one.place.name) and asked.part in (None, part)

    def _at(self, day: date) -> datetime:
        return begins(day, self._zone).astimezone(UTC)

    def _past(self, uses: Sequence[Use], wanted: date, now: datetime) -> list[Past]:
        """Earlier months, as far on as the wanted one is."""
        found = []
        for month in (later(wanted, -1), later(wanted, -12)):
            until = begins(later(month, 1), self._zone)
            if month_of(now, self._zone) == wanted:
                until = same_days(now, month, self._zone)
            since = begins(month, self._zone)
            within = (one for one in uses if since.astimezone(UTC) <= one.began_at < until.astimezone(UTC))
            found.append(Past(month, summed(within)))
        return found


def most_first(item: tuple[Place, Sum]) -> tuple[Decimal, Place]:
    """In which order places are told."""
    place, total = item
    return -total.energy_wh - total.waiting_wh, place


def need_own(viewer: Viewer) -> str:
    """The person whose own sessions and bills these are; Refusal FORBIDDEN."""
    viewer.need_own(Scope.BILLS_READ)
    return viewer.need_own(Scope.SESSIONS_READ)


def read_month(text: str) -> date:
    """The first day of a month such as 2026-03; Refusal INVALID where it is none."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Refusal(Code.INVALID, NO_MONTH) from None
    if len(text) != len("2026-03") or not EARLIEST < first.year < LATEST:
        raise Refusal(Code.INVALID, NO_MONTH)
    return first


async def uses_of(connection: AsyncConnection, person: str, since: datetime, until: datetime) -> list[Use]:
    """A person's sessions that began in a span of time, with what was billed for them, the oldest first."""
    sessions = {one.id: one for one in await own.ran(connection, person, since, until)}
    documents: dict[str, list[Issued]] = {}
    for one in await own.issued(connection, person, since, until):
        documents.setdefault(one.session, []).append(one)
    found = [use_of(one, documents.pop(one.id, [])) for one in sessions.values()]
    found += [replace(billed(some), is_held=False) for some in documents.values()]
    return sorted(found, key=lambda one: (one.began_at, one.session))


def use_of(ran: Ran, documents: Sequence[Issued]) -> Use:
    """A session that was held, with its documents."""
    if documents:
        return billed(documents)
    standing = Standing.RUNNING if ran.live else Standing.WAITING if ran.waits else Standing.FREE
    place = Place(ran.name, ran.address)
    return Use(session=ran.id, began_at=ran.began_at, place=place, energy_wh=ran.energy_wh, standing=standing)


def billed(documents: Sequence[Issued]) -> Use:
    """A session by its documents."""
    last, paid = documents[-1], dict[Currency, Paid]()
    for one in documents:
        money = Currency(one.currency, one.digits)
        paid[money] = paid.get(money, Paid()) + Paid(one.net_minor, one.vat_minor, one.energy_wh)
    return Use(
        session=last.session,
        began_at=last.began_at,
        place=Place(last.name, last.address),
        energy_wh=sum((one.energy_wh for one in documents), Decimal(0)),
        standing=Standing.BILLED,
        paid=paid,
    )


async def carbon_by_month(connection: AsyncConnection, uses: Iterable[Use], zone: tzinfo) -> dict[date, Emitted]:
    """The carbon dioxide of sessions by month, as far as that of the grid is known; where nothing is, left out."""
    months = {one.session: month_of(one.began_at, zone) for one in uses if one.standing in SETTLED}
    names, found = list(months), dict[date, Emitted]()
    for place in range(0, len(names), BATCH):
        for name, came in (await emitted_of(connection, names[place : place + BATCH], zone)).items():
            found[months[name]] = found.get(months[name], Emitted()) + came
    return found


def span_of_year(year: int, zone: tzinfo) -> tuple[datetime, datetime]:
    """The instants at which a calendar year begins and ends by the clock of a place."""
    ends = [begins(date(one, 1, 1), zone).astimezone(UTC) for one in (year, year + 1)]
    return ends[0], ends[1]
