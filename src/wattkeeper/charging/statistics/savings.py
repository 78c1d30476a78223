"""What the numbers of a month suggest, in words with an amount: what could be saved, what stands idle, what is near.

Amounts are whole minor units, rounded down; nothing is said below the thresholds that stand here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum

from wattkeeper.charging.money.currency import digits_of, priced
from wattkeeper.charging.money.exact import HOUR_S, divided, exactly
from wattkeeper.charging.phrase import Dated, Figure, Phrase, Said, counted, joined, phrase
from wattkeeper.charging.statistics.load import Peak, peak_of
from wattkeeper.charging.statistics.peak import LATEST_H, MOST_PERCENT, Days, Month, best_shift
from wattkeeper.charging.statistics.terms import DAY_MIN, QUARTER_MIN, Terms

LEAST_MAJOR = 5
"""Less of the currency's major unit a month is not said."""
LEAST_IDLE_PERCENT = 20
LEAST_LIMIT_PERCENT = 80
UNUSED = timedelta(days=30)
MOST_NAMES = 20
MOST = 5
"""More are not said at once."""
ZERO, HUNDRED = Decimal(0), Decimal(100)
OF_DAY = DAY_MIN // QUARTER_MIN
QUARTER = timedelta(minutes=QUARTER_MIN)

LOADS: Mapping[Days, Phrase] = {
    Days.MONDAY: phrase("Monday’s load"),
    Days.TUESDAY: phrase("Tuesday’s load"),
    Days.WEDNESDAY: phrase("Wednesday’s load"),
    Days.THURSDAY: phrase("Thursday’s load"),
    Days.FRIDAY: phrase("Friday’s load"),
    Days.SATURDAY: phrase("Saturday’s load"),
    Days.SUNDAY: phrase("Sunday’s load"),
    Days.WORKING: phrase("the load from Monday to Friday"),
    Days.ALL: phrase("each day’s load"),
}
SHIFT = phrase("Shifting {percent} of {load} by {hours} saves {amount} a month in peak charge")
SHIFT_SPREAD = phrase(
    "Had energy come evenly, shifting {percent} of {load} by {hours} would save {amount} a month in peak charge"
)
SHIFT_HOW = phrase(
    "The highest quarter hour of {month} was {before} on {at}. Had {percent} of each quarter hour of {load} flowed "
    "{hours} later and the rest as it did, the highest would have been {after}; a kW costs {price} a month. "
    "Up to {most} % and {latest} hours were tried; only energy counts, not how long cars stand there."
)
DEAR = phrase("Charging all {energy} of {dear} between {since} and {until} instead would save {amount} a month")
DEAR_SPREAD = phrase(
    "Had energy come evenly, charging all {energy} of {dear} between {since} and {until} instead would save {amount} "
    "a month"
)
DEAR_HOW = phrase(
    "{energy} were charged from {dear} in {month}, where a kWh costs {price}. From {cheap} it costs {less}. "
    "The amount is for all of that energy; how much of it can flow then, cars and drivers decide."
)
IDLE = phrase(
    "Cars stand full for {percent} of the time they are plugged in: {hours} a month at {places}, as many as {more}"
)
IDLE_HOW = phrase(
    "In {month} cars were plugged in for {plugged}, as far as it is known when they charged, and for {idle} of it "
    "after their last energy. "
    "A connector was in use for {each} on the mean."
)
NEAR = phrase("The connection was used to {percent} of its limit on {at}")
NEAR_SPREAD = phrase("Had energy come evenly, the connection would have been used to {percent} of its limit on {at}")
PEAK_SPREAD_HOW = phrase(
    "But {part} of the energy of that quarter hour came between readings that lie more than half an hour apart: nobody "
    "knows when. Stations that send their meter every 15 minutes make the peak known."
)
DEAR_SPREAD_HOW = phrase(
    "But {part} of that energy came between readings that lie more than half an hour apart: nobody knows when. "
    "Stations that send their meter every 15 minutes make it known."
)
MONTH, DAY, MOMENT = phrase("MMMM y"), phrase("d MMM y"), phrase("EEEE d MMM HH:mm")
"""How dates are written (Unicode TR 35); each language has its own."""
NEAR_HOW = phrase("The highest quarter hour of {month} was {peak} on {day}; the connection bears {limit}.")
UNUSED_HOW = phrase("No session began there since {day}. {names}")


class Kind(StrEnum):
    """What a finding is about."""

    SHIFT = "peak_charge"
    DEAR = "energy_price"
    IDLE = "standing_full"
    NEAR = "near_limit"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Behind:
    """Which sessions a finding is told from, where those are not all of its site and span."""

    peak: datetime | None = None
    """Those of the quarter hour that begins then."""
    clock: str = ""
    """Those of a time of day, such as 08:00-12:00."""
    outlets: tuple[tuple[str, int, int], ...] = ()
    """Those that these had before: station, EVSE and connector."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence with an amount."""

    kind: Kind
    site: str | None
    """At which; empty: stations without one; None: at all that were asked for."""
    title: Phrase
    how: Said
    """How it was computed."""
    since: datetime
    until: datetime
    """Of which span it is."""
    saved_minor: int | None = None
    """What it is worth a month; None where that is not money."""
    currency: str = ""
    behind: Behind = Behind()
    """Where in the span what it is told from lies."""
    is_spread: bool = False
    """Whether it rests mostly on energy that is taken to have come evenly, since readings lie far apart."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A month at a site, as findings are drawn from it."""

    site: str
    since: datetime
    until: datetime
    zone: tzinfo
    load: Mapping[datetime, Decimal] = field(default_factory=dict, hash=False, compare=False)
    """Wh by the quarter hour's beginning."""
    spread: Mapping[datetime, Decimal] = field(default_factory=dict, hash=False, compare=False)
    """Of it, what came between readings that lie far apart, Wh."""
    energy_wh: Decimal = ZERO
    """What that comes to."""
    plugged_s: Decimal = ZERO
    """By cars of which it is known when they charged."""
    idle_s: Decimal = ZERO
    unknown_s: Decimal = ZERO
    """How long those were plugged in of which it is not known."""
    outlets: int = 0
    """How many connectors had cars."""
    terms: Terms | None = None

    @property
    def peak(self) -> Peak | None:
        """Its highest quarter hour; None where it had no load."""
        return peak_of(self.load, self.spread)

    @property
    def month(self) -> Dated:
        """Such as March 2026."""
        return Dated(self.since.astimezone(self.zone), MONTH)


def findings(seen: Seen) -> Iterator[Finding]:
    """What the numbers of a month suggest."""
    for one in (_shift(seen), _dear(seen), _idle(seen), _near(seen)):
        if one is not None:
            yield one


def foremost(found: Sequence[Finding]) -> list[Finding]:
    """At most five: the greatest amount first, of each currency in turn, for nobody can compare them; then others."""
    kinds, ranks = list(Kind), Counter[str]()
    turns: list[tuple[int, str, int, Finding]] = []
    for one in sorted(found, key=lambda one: (-(one.saved_minor or 0), kinds.index(one.kind), one.site or "")):
        turn = len(found) if one.saved_minor is None else ranks[one.currency]
        turns.append((turn, one.currency, len(turns), one))
        ranks[one.currency] += 1
    return [one for *_, one in sorted(turns)][:MOST]


def unused(site: str | None, outlets: Sequence[tuple[str, int, int]], now: datetime, zone: tzinfo) -> Finding | None:
    """Connectors that had no session for thirty days; None where there is none."""
    if not outlets:
        return None
    names = [name_of(one) for one in outlets]
    title = counted(
        *("Connector {name} had no session for {days} days", "{count} connectors had no session for {days} days"),
        len(names),
        name=names[0],
        days=UNUSED.days,
    )
    since = now - UNUSED
    how = UNUSED_HOW.filled(day=Dated(since.astimezone(zone), DAY), names=_listed(names))
    return Finding(Kind.UNUSED, site, title, how, since, now, behind=Behind(outlets=tuple(outlets[:MOST_NAMES])))


def name_of(outlet: tuple[str, int, int]) -> str:
    """A connector as people call it: CP1/2."""
    station, evse, _ = outlet
    return f"{station}/{evse}" if evse else station


# --- what could be saved ------------------------------------------------------------------------------------------


def _shift(seen: Seen) -> Finding | None:
    """A part of the load that flows later, so that the peak is lower."""
    terms = seen.terms
    if terms is None or terms.peak_minor_per_kw is None or not seen.load:
        return None
    quarters = [seen.since + step * QUARTER for step in range((seen.until - seen.since) // QUARTER)]
    load = [int(seen.load.get(at, ZERO).scaleb(6)) for at in quarters]
    month = Month(load, [at.astimezone(seen.zone).weekday() for at in quarters])
    best = best_shift(month, terms.peak_minor_per_kw)
    if best is None or not _is_much(best.saved_minor, terms.currency):
        return None
    hours = counted("1 hour", "{count} hours", best.hours)
    percent, load_of = Figure(Decimal(best.percent), 0, "%"), LOADS[best.days]
    amount = priced(Decimal(best.saved_minor), terms.currency)
    is_spread, said = _spread(seen)
    title = (SHIFT_SPREAD if is_spread else SHIFT).filled(percent=percent, load=load_of, hours=hours, amount=amount)
    how = SHIFT_HOW.filled(
        month=seen.month,
        before=_kw(best.before_w),
        at=_on(quarters[month.peak], seen.zone),
        percent=percent,
        load=load_of,
        hours=hours,
        after=_kw(best.after_w),
        price=priced(terms.peak_minor_per_kw, terms.currency),
        most=MOST_PERCENT,
        latest=LATEST_H,
    )
    worth = best.saved_minor, terms.currency, Behind(peak=quarters[month.peak]), is_spread
    return Finding(Kind.SHIFT, seen.site, title, joined((how, said)), seen.since, seen.until, *worth)


def _spread(seen: Seen) -> tuple[bool, Said]:
    """Whether the peak rests mostly on energy that came between readings far apart, and how much of it does."""
    peak = seen.peak
    if peak is None or not peak.spread_w:
        return False, joined(())
    return peak.is_spread, PEAK_SPREAD_HOW.filled(part=_percent(peak.spread_w, peak.power_w))


@dataclass(frozen=True, slots=True)
class _Span:
    """Quarter hours of a day, one after the other, that cost the same."""

    first: int
    count: int
    price: Decimal

    def holds(self, of_day: int) -> bool:
        return (of_day - self.first) % OF_DAY < self.count

    @property
    def clock(self) -> str:
        """As addresses have it, such as 22:00-06:00."""
        ends = (one * QUARTER_MIN for one in (self.first, (self.first + self.count) % OF_DAY))
        return "-".join(f"{one // 60:02}:{one % 60:02}" for one in ends)

    @property
    def ends(self) -> tuple[str, str]:
        """Such as 22:00 and 6:00."""
        first, last = (
            f"{one * QUARTER_MIN // 60}:{one * QUARTER_MIN % 60:02}"
            for one in (self.first, (self.first + self.count) % OF_DAY)
        )
        return first, last

    def __str__(self) -> str:
        """Such as 22:00–6:00."""
        return "–".join(self.ends)


def _spans(terms: Terms) -> list[_Span]:
    """A day in spans of one price, those that go past midnight whole."""
    midnight = datetime(2000, 1, 1)
    prices = [terms.energy_price_at(midnight + one * QUARTER) or ZERO for one in range(OF_DAY)]
    firsts = [one for one in range(OF_DAY) if prices[one] != prices[one - 1]] or [0]
    nexts = [*firsts[1:], firsts[0] + OF_DAY]
    return [_Span(one, after - one, prices[one]) for one, after in zip(firsts, nexts, strict=True)]


def _dear(seen: Seen) -> Finding | None:
    """Energy of the span of the day that costs the most above the cheapest."""
    terms = seen.terms
    if terms is None or not terms.has_energy_prices or not seen.load:
        return None
    spans = _spans(terms)
    cheap = min(spans, key=lambda one: (one.price, -one.count))
    with exactly():
        taken = _by_span(seen.load, spans, seen.zone)
        dear = max(spans, key=lambda one: taken[one] * (one.price - cheap.price))
        energy_wh = taken[dear]
        saved_minor = int((energy_wh * (dear.price - cheap.price)).scaleb(-3))
        spread_wh = _by_span(seen.spread, [dear], seen.zone)[dear]
    if not _is_much(saved_minor, terms.currency):
        return None
    amount = priced(Decimal(saved_minor), terms.currency)
    prices = {"price": priced(dear.price, terms.currency), "less": priced(cheap.price, terms.currency)}
    energy = Figure(energy_wh.scaleb(-3), 2, "kWh")
    since, until = cheap.ends
    is_spread = spread_wh * 2 > energy_wh
    title = (DEAR_SPREAD if is_spread else DEAR).filled(
        energy=energy, dear=str(dear), since=since, until=until, amount=amount
    )
    how = DEAR_HOW.filled(energy=energy, dear=str(dear), month=seen.month, cheap=str(cheap), **prices)
    said = DEAR_SPREAD_HOW.filled(part=_percent(spread_wh, energy_wh)) if spread_wh else ""
    worth = saved_minor, terms.currency, Behind(clock=dear.clock), is_spread
    return Finding(Kind.DEAR, seen.site, title, joined((how, said)), seen.since, seen.until, *worth)


def _by_span(load: Mapping[datetime, Decimal], spans: Sequence[_Span], zone: tzinfo) -> dict[_Span, Decimal]:
    """The energy of each span of the day in the whole month, Wh."""
    by_quarter = [ZERO] * OF_DAY
    for at, wh in load.items():
        by_quarter[_of_day(at.astimezone(zone))] += wh
    return {one: sum((wh for of_day, wh in enumerate(by_quarter) if one.holds(of_day)), ZERO) for one in spans}


def _of_day(local: datetime) -> int:
    return (local.hour * 60 + local.minute) // QUARTER_MIN


# --- what stands idle, what is near -------------------------------------------------------------------------------


def _idle(seen: Seen) -> Finding | None:
    """How long cars stand after their last energy, and how many connectors that is."""
    if (
        seen.plugged_s <= 0
        or seen.unknown_s > seen.plugged_s
        or seen.idle_s * HUNDRED < seen.plugged_s * LEAST_IDLE_PERCENT
    ):
        return None
    more = int(seen.idle_s * seen.outlets // seen.plugged_s)
    if more < 1:
        return None
    each = divided(seen.plugged_s, seen.outlets)
    title = IDLE.filled(
        percent=_percent(seen.idle_s, seen.plugged_s),
        hours=_hours(seen.idle_s),
        places=counted("1 connector", "{count} connectors", seen.outlets),
        more=counted("1 more connector", "{count} more connectors", more),
    )
    told = {"plugged": _hours(seen.plugged_s), "idle": _hours(seen.idle_s), "each": _hours(each)}
    return Finding(Kind.IDLE, seen.site, title, IDLE_HOW.filled(month=seen.month, **told), seen.since, seen.until)


def _near(seen: Seen) -> Finding | None:
    """How much of what the connection bears was used at most."""
    limit_w = None if seen.terms is None else seen.terms.limit_w
    if limit_w is None or not seen.load:
        return None
    at = max(sorted(seen.load), key=lambda one: seen.load[one])
    peak_w = seen.load[at] * 4
    if peak_w * HUNDRED < limit_w * LEAST_LIMIT_PERCENT:
        return None
    is_spread, said = _spread(seen)
    title = (NEAR_SPREAD if is_spread else NEAR).filled(percent=_percent(peak_w, limit_w), at=_on(at, seen.zone))
    how = NEAR_HOW.filled(month=seen.month, peak=_kw(peak_w), day=_on(at, seen.zone), limit=_kw(limit_w))
    where = Behind(peak=at)
    return Finding(
        Kind.NEAR, seen.site, title, joined((how, said)), seen.since, seen.until, behind=where, is_spread=is_spread
    )


# --- words --------------------------------------------------------------------------------------------------------


def _is_much(minor: int, currency: str) -> bool:
    return Decimal(minor).scaleb(-digits_of(currency)) >= LEAST_MAJOR


def _kw(power_w: Decimal) -> Figure:
    return Figure(power_w.scaleb(-3), 1, "kW")


def _hours(lasting_s: Decimal) -> Figure:
    return Figure(divided(lasting_s, HOUR_S), 0, "h")


def _percent(part: Decimal, whole: Decimal) -> Figure:
    return Figure(divided(part * HUNDRED, whole), 0, "%")


def _listed(names: Sequence[str]) -> str:
    """Names one after the other, as many as can be read."""
    return ", ".join([*names[:MOST_NAMES], *(["…"] if len(names) > MOST_NAMES else [])])


def _on(at: datetime, zone: tzinfo) -> Dated:
    """An instant by the site's clock."""
    return Dated(at.astimezone(zone), MOMENT)
