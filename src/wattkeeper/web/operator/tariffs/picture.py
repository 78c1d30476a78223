"""A week's prices as a picture: blocks of hours and days, the darker the dearer, with figures; and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from wattkeeper.charging.cards.limits import DAY_WORDS, WEEK, Day
from wattkeeper.charging.money.exact import divided
from wattkeeper.charging.money.tariffs.tariff import Dimension, Tariff
from wattkeeper.charging.money.tariffs.week import DAY_MIN, Offer, Stretch, week
from wattkeeper.charging.phrase import Figure, Money, Said, joined, phrase
from wattkeeper.operations.money.tariffs.conditions import WORKDAYS, conditions

LEVELS = 5
CHARACTER_PX, MARGIN_PX = 8, 600
WIDE_PX, PHONE_PX = 40, 22
"""Hundredths of a pixel that a minute has, at least: about 580 and 320 for a day."""
ROW = 34
"""How high a day is, pixels."""
SHORT = (
    *(phrase("Mon"), phrase("Tue"), phrase("Wed"), phrase("Thu")),
    *(phrase("Fri"), phrase("Sat"), phrase("Sun")),
)
FOR = {
    Dimension.ENERGY: phrase("for a kWh"),
    Dimension.TIME: phrase("for an hour of charging"),
    Dimension.PARKING_TIME: phrase("for an hour plugged in without charging"),
    Dimension.FLAT: phrase("once for each session"),
}
ORDER = (Dimension.ENERGY, Dimension.TIME, Dimension.PARKING_TIME, Dimension.FLAT)
NO_PRICE, FREE = phrase("no price"), phrase("free")
DAILY, WORKDAY, WEEKEND = phrase("every day"), phrase("Monday to Friday"), phrase("Saturday and Sunday")
ALL_DAY = phrase("all day")
ALWAYS = phrase("always")


@dataclass(frozen=True, slots=True)
class Block:
    """Days beside each other on which the same holds from one hour to another, where it lies in the picture."""

    left: Decimal
    """Percent of the width."""
    wide: Decimal
    top: int
    """Pixels."""
    high: int
    level: str
    """How dear it is among all: ``1`` to ``5``; ``0`` free, ``none`` without a price."""
    label: Said
    told: Said
    """All that can hold, in words, for who points at it or cannot see it."""
    bare: Said
    """The figure alone, where there is little room."""
    wide_way: str
    """How the figure is written on a wide screen: ``full``, ``turned``, ``bare`` or ``none``."""
    phone_way: str

    @property
    def ways(self) -> str:
        """How the figure is written, for the style."""
        return f"w-{self.wide_way} p-{self.phone_way}"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the same as a table."""

    days: Said
    hours: Said
    prices: tuple[tuple[Said, Said], ...]
    """Each price that can hold, and under which condition; the first whose condition is met does."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A week of one kind of price."""

    dimension: Dimension
    title: Said
    """The answer: from what to what."""
    blocks: tuple[Block, ...]
    rows: tuple[Row, ...]
    first: date
    is_even: bool
    """Whether one price holds all week."""

    @property
    def height(self) -> int:
        """Pixels, with the hours beneath."""
        return 7 * ROW + 20


def pictures(tariff: Tariff, day: date) -> tuple[Picture, ...]:
    """The week of a day, of energy and of whatever else changes with the clock."""
    first = day - timedelta(days=day.weekday())
    made = [_picture(tariff, first, one) for one in ORDER if any(each.dimension is one for each in tariff.components)]
    kept = [one for one in made if not one.is_even or one.dimension is Dimension.ENERGY]
    return tuple(kept) or tuple(made[:1])


def _picture(tariff: Tariff, first: date, dimension: Dimension) -> Picture:
    """The week from a Monday on, of one kind of price."""
    days = week(tariff, first, dimension)
    levels = _levels(one.opening for day in days for one in day)
    blocks = tuple(_blocks(tariff, days, levels))
    is_even = len({one.offers for day in days for one in day}) == 1
    return Picture(dimension, title_of(tariff, days, dimension), blocks, tuple(_rows(tariff, days)), first, is_even)


def span(tariff: Tariff, day: date, dimension: Dimension = Dimension.ENERGY) -> Said | None:
    """From what to what a kind of price goes in the week of a day; None where there is none."""
    return span_of(tariff, prices_of(tariff, day, dimension))


def prices_of(tariff: Tariff, day: date, dimension: Dimension = Dimension.ENERGY) -> set[Decimal]:
    """Every price of a kind that can hold in the week of a day."""
    return _prices_in(week(tariff, day - timedelta(days=day.weekday()), dimension))


def _prices_in(days: Sequence[Sequence[Stretch]]) -> set[Decimal]:
    return {offer.price for day in days for one in day for offer in one.offers}


def span_of(tariff: Tariff, prices: set[Decimal]) -> Said | None:
    """From what to what some prices go, in a tariff's currency; None where there are none."""
    if not prices:
        return None
    low, high = (_money(tariff, one) for one in (min(prices), max(prices)))
    return low if low == high else phrase("{low} to {high}", low=low, high=high)


def title_of(tariff: Tariff, days: Sequence[Sequence[Stretch]], dimension: Dimension) -> Said:
    """The answer of a picture: from what to what, for what."""
    prices = span_of(tariff, _prices_in(days))
    if prices is None:
        return phrase("No price {each}", each=FOR[dimension])
    return joined((prices, FOR[dimension]))


def _levels(prices: Iterable[Decimal | None]) -> dict[Decimal, str]:
    """How dear each price is among all, the dearest 5; that of a single one is 3."""
    dear = sorted({one for one in prices if one})
    last = len(dear) - 1
    found = {one: str(1 + (place * (LEVELS - 1) + last // 2) // last if last else 3) for place, one in enumerate(dear)}
    return {Decimal(0): "0", **found}


def _blocks(tariff: Tariff, days: Sequence[Sequence[Stretch]], levels: dict[Decimal, str]) -> Iterator[Block]:
    """The blocks of a week: what holds alike on days beside each other is one."""
    taken: set[tuple[int, Stretch]] = set()
    for place, stretches in enumerate(days):
        for one in stretches:
            if (place, one) in taken:
                continue
            last = place
            while last + 1 < 7 and one in days[last + 1]:
                last += 1
                taken.add((last, one))
            yield _block(tariff, place, last, one, levels)


def _block(tariff: Tariff, first: int, last: int, one: Stretch, levels: dict[Decimal, str]) -> Block:
    lasting = one.until_min - one.since_min
    price = one.opening
    days = said_days(frozenset(Day(place) for place in range(first, last + 1)))
    prices = [joined(pair, " ") for pair in _prices(tariff, one)]
    label, bare, high = *labels_of(tariff, one.offers), (last + 1 - first) * ROW
    return Block(
        left=_percent(one.since_min),
        wide=_percent(lasting),
        top=first * ROW,
        high=high,
        level="none" if price is None else levels[price],
        label=label,
        bare=bare,
        told=joined((joined((days, said_hours(one)), ", "), joined(prices, "; ")), ": "),
        wide_way=_way(label, bare, lasting * WIDE_PX, high),
        phone_way=_way(label, bare, lasting * PHONE_PX, high),
    )


def _percent(minutes: int) -> Decimal:
    """A time of the day as a share of it."""
    return divided(Decimal(minutes * 100), DAY_MIN).quantize(Decimal("0.001"))


def _way(label: Said, bare: Said, room: int, high: int) -> str:
    """How a figure is written in so many hundredths of a pixel, and so many pixels of height."""
    if len(label) * CHARACTER_PX * 100 + MARGIN_PX <= room:
        return "full"
    if len(label) * CHARACTER_PX <= high - 8 and room >= 1600:
        return "turned"
    return "bare" if len(bare) * CHARACTER_PX * 100 + MARGIN_PX <= room else "none"


def labels_of(tariff: Tariff, offers: Sequence[Offer]) -> tuple[Said, Said]:
    """A block's figure: its price, or from what to what; and the same as short as can be."""
    prices = {one.price for one in offers}
    if not prices:
        return NO_PRICE, NO_PRICE
    if prices == {0}:
        return FREE, Figure(Decimal(0), 0)
    low, high = (_bare(tariff, one) for one in (min(prices), max(prices)))
    if low == high:
        return _money(tariff, min(prices)), low
    both = phrase("{low}–{high}", low=low, high=high)
    return both, both


# --- as a table -------------------------------------------------------------------------------------------------


def _rows(tariff: Tariff, days: Sequence[Sequence[Stretch]]) -> Iterator[Row]:
    """What holds from one hour to another, with all the days on which it does."""
    found: dict[Stretch, set[Day]] = {}
    for place, stretches in enumerate(days):
        for one in stretches:
            found.setdefault(one, set()).add(Day(place))
    order = sorted(found.items(), key=lambda each: (min(each[1]), each[0].since_min))
    for one, on in order:
        yield Row(said_days(frozenset(on)), said_hours(one), tuple(_prices(tariff, one)))


def _prices(tariff: Tariff, one: Stretch) -> Iterator[tuple[Said, Said]]:
    """Each price that can hold, and under which condition."""
    for offer in one.offers:
        yield _money(tariff, offer.price), joined(conditions(offer.when), ", ")
    if not one.offers:
        yield NO_PRICE, joined(())


def said_days(days: frozenset[Day]) -> Said:
    """Days of the week, as short as can be."""
    known = {WEEK: DAILY, WORKDAYS: WORKDAY, WEEK - WORKDAYS: WEEKEND}
    return known.get(days) or joined([DAY_WORDS[one] for one in sorted(days)], ", ")


def said_hours(one: Stretch) -> Said:
    """From when to when."""
    if (one.since_min, one.until_min) == (0, DAY_MIN):
        return ALL_DAY
    since, until = (f"{at // 60:02}:{at % 60:02}" for at in (one.since_min, one.until_min))
    return phrase("{since} to {until}", since=since, until=until)


def _places(tariff: Tariff, value: Decimal) -> int:
    """How many places a price needs, four at most after those of its currency."""
    shown = round(value, max(4, tariff.digits)).normalize()
    return max(tariff.digits, -int(shown.as_tuple().exponent))


def _money(tariff: Tariff, value: Decimal) -> Money:
    """A price with its currency: every digit it has, and no fewer than the currency's."""
    return Money(value, tariff.currency, _places(tariff, value))


def _bare(tariff: Tariff, value: Decimal) -> Figure:
    """A price without its currency."""
    return Figure(value, _places(tariff, value))


def plain(value: Decimal) -> Figure:
    """A number with as many places as it has."""
    return Figure(value, max(0, -int(value.normalize().as_tuple().exponent)))
