"""How figures and times read on a page: kWh with two decimals, kW with one, times in the place's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal

from markupsafe import Markup

NOTHING = "–"
_THIN = "\N{NARROW NO-BREAK SPACE}"

LATEST = datetime(9990, 1, 1, tzinfo=UTC)
"""What lies beyond has no clock time everywhere."""


def _figure(value: Decimal, places: str) -> str:
    """A decimal as written, thousands set apart by a thin space."""
    return f"{value.quantize(Decimal(places), ROUND_HALF_EVEN):,f}".replace(",", _THIN)


def kwh(energy_wh: Decimal | None) -> str:
    """Wh as the figure of kWh with two decimals."""
    return NOTHING if energy_wh is None else _figure(energy_wh / 1000, "0.01")


def kw(power_w: Decimal | None) -> str:
    """W as the figure of kW with one decimal."""
    return NOTHING if power_w is None else _figure(power_w / 1000, "0.1")


def duration(span: timedelta | None) -> str:
    """A duration as people say it: ``3 h 20 min``, ``4 min``, ``12 s``; days where it lasts that long."""
    return NOTHING if span is None else duration_s(max(0, int(span.total_seconds())))


def duration_s(seconds: int) -> str:
    """A number of seconds as people say it."""
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


def ago(at: datetime, now: datetime) -> str:
    """How long ago in one unit: ``just now``, ``3 min ago``, ``5 d ago``; ``in 3 min`` where it lies ahead."""
    seconds = int((now - at).total_seconds())
    size = abs(seconds)
    if size < 45:
        return "just now"
    units = ((5400, 60, "min"), (129_600, 3600, "h"))
    one, unit = next(((one, unit) for limit, one, unit in units if size < limit), (86_400, "d"))
    count = max(1, round(size / one))
    return f"{count} {unit} ago" if seconds > 0 else f"in {count} {unit}"


@dataclass(frozen=True, slots=True)
class Times:
    """Instants as the people at one place read them."""

    zone: tzinfo
    key: str
    """The zone's name, such as ``Europe/Vienna``."""

    @property
    def name(self) -> str:
        """The zone as people say it."""
        return self.key.rpartition("/")[2].replace("_", " ") + " time" if "/" in self.key else self.key

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
        return element.format(at.isoformat(), self.exact(at), attribute, text)

    def clock(self, at: datetime | None) -> Markup | str:
        """Hours and minutes."""
        return NOTHING if at is None else self.time(at, f"{self.local(at):%H:%M}")

    def day(self, at: datetime, now: datetime) -> str:
        """The day: today, yesterday, a weekday within the week, else the date (with the year where it is another)."""
        there, here = self.local(at), self.local(now)
        apart = (here.date() - there.date()).days
        if apart in (0, 1):
            return "today" if apart == 0 else "yesterday"
        if 1 < apart < 7:
            return f"{there:%A}"
        return f"{there.day} {there:%b}" if there.year == here.year else f"{there.day} {there:%b %Y}"

    def when(self, at: datetime | None, now: datetime) -> Markup | str:
        """Day and time: ``14:02`` where it is today, ``yesterday 14:02``, ``12 Nov 14:02``."""
        if at is None:
            return NOTHING
        day = self.day(at, now)
        return self.time(at, f"{self.local(at):%H:%M}" if day == "today" else f"{day} {self.local(at):%H:%M}")

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
