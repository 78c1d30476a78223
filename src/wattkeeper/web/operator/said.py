"""How figures and times read on a page: kWh with two decimals, kW with one, times in the place's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal

import orjson
from babel.dates import format_date, get_timezone, get_timezone_location
from markupsafe import Markup

from wattkeeper.charging.phrase import Figure, Money, Phrase, phrase
from wattkeeper.language import locale, tell

NOTHING = "–"

TODAY, YESTERDAY = phrase("today"), phrase("yesterday")
WEEKDAY, DAY, DAY_AND_YEAR = phrase("EEEE"), phrase("d MMM"), phrase("d MMM y")
WHOLE_DAY = phrase("EEEE d MMMM y")
"""How dates are written (Unicode TR 35 patterns); each language has its own."""
LATEST = datetime(9990, 1, 1, tzinfo=UTC)
"""What lies beyond has no clock time everywhere."""


def kwh(energy_wh: Decimal | None) -> str:
    """Wh as the figure of kWh with two decimals."""
    return NOTHING if energy_wh is None else Figure(energy_wh / 1000, 2)


def kw(power_w: Decimal | None) -> str:
    """W as the figure of kW with one decimal."""
    return NOTHING if power_w is None else Figure(power_w / 1000, 1)


def amount(value: Decimal) -> Figure:
    """A sum of money without its currency."""
    return Figure(value, 2)


def money(minor: int, currency: str, digits: int) -> Money:
    """An amount of minor units with its currency."""
    return Money(Decimal(minor).scaleb(-digits), currency, digits)


def percent_up(share: Decimal | None, places: int = 2) -> str:
    """A share of one in percent; never rounded to nothing or to all of it."""
    if share is None:
        return NOTHING
    least = Decimal(1).scaleb(-places)
    told = share * 100
    return Figure(told if share in (0, 1) else min(max(told, least), 100 - least), places, "%")


def duration(span: timedelta | None) -> str:
    """A duration as people say it: ``3 h 20 min``, ``4 min``, ``12 s``; days where it lasts that long."""
    return NOTHING if span is None else duration_s(max(0, int(span.total_seconds())))


def duration_s(seconds: int) -> str:
    """A number of seconds as people say it; the units are the same in every language of ours."""
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (0 if days else minutes, "min")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"


def figure_of_duration(span: timedelta) -> Markup:
    """A duration with its units set small, for a large figure."""
    words = duration(span).split(" ")
    pairs = zip(words[::2], words[1::2], strict=True)
    return Markup("").join(Markup("{}<small>{}</small> ").format(count, unit) for count, unit in pairs)


JUST_NOW = phrase("just now")
AGO = {
    "min": (phrase("{count} min ago"), phrase("in {count} min")),
    "h": (phrase("{count} h ago"), phrase("in {count} h")),
    "d": (phrase("{count} d ago"), phrase("in {count} d")),
}
"""By unit: what was, and what will be."""


def ago(at: datetime, now: datetime) -> Phrase:
    """How long ago in one unit: ``just now``, ``3 min ago``, ``5 d ago``; ``in 3 min`` where it lies ahead."""
    seconds = int((now - at).total_seconds())
    size = abs(seconds)
    if size < 45:
        return JUST_NOW
    units = ((5400, 60, "min"), (129_600, 3600, "h"))
    one, unit = next(((one, unit) for limit, one, unit in units if size < limit), (86_400, "d"))
    was, will = AGO[unit]
    return (was if seconds > 0 else will).filled(count=max(1, round(size / one)))


def ago_patterns() -> str:
    """The same words for the page's script, which keeps them true: JSON, in the language spoken."""
    told: dict[str, object] = {unit: [tell(was), tell(will)] for unit, (was, will) in AGO.items()}
    return orjson.dumps({"now": tell(JUST_NOW), **told}).decode()


def dated(day: date, pattern: Phrase) -> str:
    """A day by a pattern of Unicode TR 35, in the language spoken."""
    return format_date(day, str(tell(pattern)), locale=locale())


@dataclass(frozen=True, slots=True)
class Times:
    """Instants as the people at one place read them."""

    zone: tzinfo
    key: str
    """The zone's name, such as ``Europe/Vienna``."""

    @property
    def name(self) -> str:
        """The zone as people say it."""
        if "/" not in self.key:
            return self.key
        city = get_timezone_location(get_timezone(self.key), locale=locale(), return_city=True)
        return phrase("{city} time", city=city)

    def local(self, at: datetime) -> datetime:
        """The instant on the place's clock."""
        return min(at, LATEST).astimezone(self.zone)

    def exact(self, at: datetime) -> str:
        """Date and time to the second with the zone: what a pointer finds."""
        return f"{self.local(at):%Y-%m-%d %H:%M:%S %Z}"

    def time(self, at: datetime, text: str, mark: str = "") -> Markup:
        """A text that stands for an instant, the exact time on demand."""
        attribute = Markup(" ") + mark if mark else ""
        element = Markup('<time datetime="{}" title="{}"{}>{}</time>')
        return element.format(at.isoformat(), self.exact(at), attribute, tell(text))

    def clock(self, at: datetime | None) -> Markup | str:
        """Hours and minutes."""
        return NOTHING if at is None else self.time(at, f"{self.local(at):%H:%M}")

    def day(self, at: datetime, now: datetime) -> str:
        """The day: today, yesterday, a weekday within the week, else the date (with the year where it is another)."""
        there, here = self.local(at), self.local(now)
        apart = (here.date() - there.date()).days
        if apart in (0, 1):
            return TODAY if apart == 0 else YESTERDAY
        if 1 < apart < 7:
            return dated(there, WEEKDAY)
        return dated(there, DAY if there.year == here.year else DAY_AND_YEAR)

    def when(self, at: datetime | None, now: datetime) -> Markup | str:
        """Day and time: ``14:02`` where it is today, ``yesterday 14:02``, ``12 Nov 14:02``."""
        if at is None:
            return NOTHING
        day, clock = self.day(at, now), f"{self.local(at):%H:%M}"
        return self.time(at, clock if day is TODAY else phrase("{day} {clock}", day=day, clock=clock))

    def seconds(self, at: datetime) -> str:
        """Hours, minutes and seconds as text."""
        return f"{self.local(at):%H:%M:%S}"

    def until(self, at: datetime, since: datetime, now: datetime) -> Markup | str:
        """The end of a span: the day only where it is another than the beginning's."""
        same = self.local(at).date() == self.local(since).date()
        return self.clock(at) if same else self.when(at, now)

    def ago(self, at: datetime | None, now: datetime) -> Markup | str:
        """How long ago; the page's script keeps it true."""
        return NOTHING if at is None else self.time(at, ago(at, now), "data-ago")
