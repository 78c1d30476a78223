"""Whether an explanation holds by itself: its usage makes sense, and comes to its lines by its tariff."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise, zip_longest

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.bill import Bill, price
from wattkeeper.charging.money.line import Line
from wattkeeper.charging.money.numbered import Explanation
from wattkeeper.charging.money.tariffs.tariff import check
from wattkeeper.charging.money.usage import Interval, Known
from wattkeeper.charging.phrase import Money, Said, phrase


def faults(why: Explanation) -> Iterator[Said]:
    """What does not hold of an explanation, in words; nothing where all does."""
    yield from _times(why)
    for one in why.usage.intervals:
        if one.energy_wh < 0:
            yield phrase("Its energy runs backwards from {since} on.", since=_at(one))
    for before, one in pairwise(why.usage.intervals):
        if _falls(before, one):
            yield phrase("Its register falls at {at}.", at=_at(one))
    try:
        made = price(why.usage, check(why.tariff))
    except Refusal as refusal:
        yield refusal.why
        return
    if made != why.bill:
        yield from _unlike(made, why.bill)


def _at(one: Interval) -> str:
    """When a stretch begins, UTC."""
    return f"{one.since:%Y-%m-%d %H:%M:%S}"


def _times(why: Explanation) -> Iterator[Said]:
    """Stretches that end before they begin, or begin before the last one ended."""
    if why.ended_at < why.started_at:
        yield phrase("It ends before it begins.")
    if any(one.until < one.since for one in why.usage.intervals):
        yield phrase("A stretch of it ends before it begins.")
    if any(one.since < before.until for before, one in pairwise(why.usage.intervals)):
        yield phrase("Two stretches of it overlap, so something would be billed twice.")


def _falls(before: Interval, one: Interval) -> bool:
    """Whether a measured register is lower than where the stretch before it ended."""
    if before.register_wh is None or one.register_wh is None:
        return False
    is_measured = before.until_known is Known.MEASURED is one.since_known
    return is_measured and one.register_wh < before.register_wh + before.energy_wh


def _unlike(made: Bill, told: Bill) -> Iterator[Said]:
    """Where the lines that are told are not those that the money function makes."""
    if (made.currency, made.digits) != (told.currency, told.digits):
        yield phrase("It is told in {told}, and its tariff is in {made}.", told=told.currency, made=made.currency)
        return
    if made.gross_minor != told.gross_minor:
        yield phrase(
            "By its tariff it comes to {made}, and it says {told}.",
            made=money(made, made.gross_minor),
            told=money(told, told.gross_minor),
        )
    for place, (right, said) in enumerate(zip_longest(made.lines, told.lines), 1):
        if right != said:
            yield _line(place, right, said, told)
            return


def _line(place: int, right: Line | None, said: Line | None, bill: Bill) -> Said:
    """The first line that is not as it should be."""
    if said is None:
        return phrase("Line {place} is missing.", place=place)
    if right is None:
        return phrase("Line {place} stands for nothing that was used.", place=place)
    if right.gross_minor == said.gross_minor:
        return phrase("Line {place} is not made of what was used.", place=place)
    made, told = money(bill, right.gross_minor), money(bill, said.gross_minor)
    return phrase("Line {place} comes to {made}, and it says {told}.", place=place, made=made, told=told)


def money(bill: Bill, minor: int) -> Money:
    """An amount of minor units."""
    return Money(Decimal(minor).scaleb(-bill.digits), bill.currency, bill.digits)
