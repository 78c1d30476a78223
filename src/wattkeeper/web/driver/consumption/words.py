"""How a driver's sums read: figures, what changed against their own past, times of day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from wattkeeper.charging.phrase import Figure, Money, Phrase, Said, counted, joined, phrase
from wattkeeper.charging.statistics.carbon import Emitted
from wattkeeper.charging.statistics.used import NONE, Change, Currency, Paid, Place, Sum, change
from wattkeeper.operations.statistics.consumption import Consumption, Past
from wattkeeper.web.operator import said

MONTH, MONTH_ONLY, SHORT, LETTER = phrase("LLLL y"), phrase("LLLL"), phrase("LLL y"), phrase("LLLLL")
"""How months are written (Unicode TR 35 patterns)."""
PARTS: Mapping[int, Phrase] = {
    0: phrase("Night, from 0:00 to 6:00"),
    6: phrase("Morning, from 6:00 to 12:00"),
    12: phrase("Afternoon, from 12:00 to 18:00"),
    18: phrase("Evening, from 18:00 to 24:00"),
}
MOST_IN: Mapping[int, Phrase] = {
    0: phrase("Most energy at night"),
    6: phrase("Most energy in the morning"),
    12: phrase("Most energy in the afternoon"),
    18: phrase("Most energy in the evening"),
}
MUCH = 200
"""More percent than this are told as so many times as much."""


@dataclass(frozen=True, slots=True)
class Changes:
    """How one measure is told to have changed."""

    less: Phrase
    more: Phrase
    same: Phrase
    times: Phrase


SINCE_MONTH = Changes(
    phrase("{percent} less energy than in {month}"),
    phrase("{percent} more energy than in {month}"),
    phrase("As much energy as in {month}"),
    phrase("{times} times as much energy as in {month}"),
)
SINCE_DAYS = Changes(
    phrase("{percent} less energy than in the same days of {month}"),
    phrase("{percent} more energy than in the same days of {month}"),
    phrase("As much energy as in the same days of {month}"),
    phrase("{times} times as much energy as in the same days of {month}"),
)
COST = Changes(
    phrase("{percent} less to pay"),
    phrase("{percent} more to pay"),
    phrase("as much to pay"),
    phrase("{times} times as much to pay"),
)
PRICE = Changes(
    phrase("each kWh {percent} cheaper"),
    phrase("each kWh {percent} dearer"),
    phrase("each kWh at the same price"),
    phrase("each kWh {times} times as dear"),
)
NOTHING_THEN = phrase("Nothing was charged in {month} to compare with.")
NOTHING_THEN_DAYS = phrase("Nothing was charged in the same days of {month} to compare with.")
SENTENCE = phrase("{changes}.")
THEN = phrase("In {month} it was {figures}.")
THEN_DAYS = phrase("In the same days of {month} it was {figures}.")
EACH = phrase("{price} for each kWh")
SO_FAR = phrase("They come to {cost} so far; the list of sessions counts that too.")
FREE = phrase("Nothing is to be paid for {energy} of it.")


CARBON = phrase("{mass} of CO₂ from the grid, {each} for each kWh.")
CARBON_OF = phrase("{mass} of CO₂ from the grid, {each} for each kWh; it is known for {known} of {energy}.")


def kwh(energy_wh: Decimal) -> Figure:
    """Energy with its unit."""
    return Figure(energy_wh.scaleb(-3), 2, "kWh")


def money(minor: int, currency: Currency) -> Money:
    """An amount of minor units."""
    return Money(Decimal(minor).scaleb(-currency.digits), currency.code, currency.digits)


def cost(total: Sum) -> str:
    """What was billed, one currency after the other."""
    return joined((money(paid.gross_minor, each) for each, paid in total.paid.items()), " + ") or said.NOTHING


def price(total: Sum) -> str:
    """What a kWh came to on average, by currency."""
    return joined(prices(total.paid), " / ") or said.NOTHING


def prices(paid: Mapping[Currency, Paid]) -> Iterator[Money]:
    """The average of each currency, to a tenth of its minor unit."""
    for each, one in paid.items():
        exact = one.price(each.digits)
        if exact is not None:
            yield Money(exact, each.code, each.digits + 1)


def figures(total: Sum) -> Said:
    """Energy, cost and average price as one line."""
    each = [EACH.filled(price=one) for one in prices(total.paid)]
    return joined((kwh(total.energy_wh), *(money(one.gross_minor, of) for of, one in total.paid.items()), *each), ", ")


def name_of(month: date, shown: date) -> str:
    """A month as it is called beside another: with its year where that is another."""
    return said.dated(month, MONTH_ONLY if month.year == shown.year else MONTH)


# --- against the past -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Against:
    """How a month stands against an earlier one."""

    what: Said
    then: str
    """What it was then; empty where it was nothing."""


def against(one: Consumption, past: Past) -> Against:
    """A month against an earlier one of one's own, in words."""
    name = name_of(past.month, one.month)
    if not past.sum.sessions:
        return Against((NOTHING_THEN_DAYS if one.is_running else NOTHING_THEN).filled(month=name), "")
    then = (THEN_DAYS if one.is_running else THEN).filled(month=name, figures=figures(past.sum))
    if not one.sum.sessions:
        return Against(then, "")
    words = [*_changes(one.sum, past.sum, SINCE_DAYS if one.is_running else SINCE_MONTH, name)]
    return Against(SENTENCE.filled(changes=joined(words, ", ")) if words else then, then if words else "")


def _changes(now: Sum, then: Sum, energy: Changes, month: str) -> Iterator[Phrase]:
    """What changed: energy, and money where both were paid in one and the same currency."""
    of_energy = change(now.energy_wh, then.energy_wh)
    if of_energy is None:
        return
    yield _told(of_energy, energy, month=month)
    if len(now.paid) != 1 or now.paid.keys() != then.paid.keys():
        return
    (currency, paid), (_, before) = next(iter(now.paid.items())), next(iter(then.paid.items()))
    of_cost = change(Decimal(paid.gross_minor), Decimal(before.gross_minor))
    if of_cost is not None:
        yield _told(of_cost, COST)
    exact, was = paid.price(currency.digits), before.price(currency.digits)
    of_price = change(exact, was) if exact is not None and was is not None else None
    if of_price is not None:
        yield _told(of_price, PRICE)


def _told(one: Change, words: Changes, **given: str) -> Phrase:
    """A change in words."""
    if one.percent == 0:
        return words.same.filled(**given)
    if one.percent > MUCH:
        return words.times.filled(times=Figure(one.times, 1), **given)
    percent = Figure(Decimal(abs(one.percent)), 0, "%")
    return (words.less if one.percent < 0 else words.more).filled(percent=percent, **given)


# --- what is counted apart ------------------------------------------------------------------------------------


def apart(total: Sum) -> Iterator[Said]:
    """What is not in a sum, and what of it cost nothing."""
    if total.running:
        yield counted(
            "{count} session is still running and not in it.",
            "{count} sessions are still running and not in it.",
            total.running,
        )
    if total.waiting:
        yield counted(
            "{count} session with {energy} was not billed yet and is not in it.",
            "{count} sessions with {energy} were not billed yet and are not in it.",
            total.waiting,
            energy=kwh(total.waiting_wh),
        )
    if total.free_wh > 0:
        yield FREE.filled(energy=kwh(total.free_wh))


def so_far(costs: Mapping[Currency, int]) -> Iterator[Said]:
    """What sessions come to that are in no sum yet, minor units; nothing where they cost nothing."""
    if costs:
        yield SO_FAR.filled(cost=joined([money(costs[each], each) for each in sorted(costs)], " + "))


def carbon(one: Emitted) -> Said | str:
    """Carbon dioxide, where anything is known of it; else nothing."""
    each = one.g_per_kwh
    if each is None:
        return ""
    told = {"mass": Figure(one.grams.scaleb(-3), 1, "kg"), "each": Figure(each, 0, "g")}
    if one.is_whole:
        return CARBON.filled(**told)
    return CARBON_OF.filled(**told, known=kwh(one.known_wh), energy=kwh(one.energy_wh))


SESSIONS = "/app/consumption/sessions"


def where(month: str, months: int = 1, **also: str) -> str:
    """Where the sessions of a sum are listed: of so many months up to one, at an address, in a part of the day."""
    given = {"month": month, "months": "" if months == 1 else str(months), **also}
    return f"{SESSIONS}?{urlencode({name: value for name, value in given.items() if value})}"


# --- rows -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table."""

    name: str
    more: str
    href: str
    energy: str
    cost: str
    price: str
    behind: str
    """Where the sessions of its figures are listed; empty where there are none."""
    is_chosen: bool = False
    is_part: bool = False
    """Whether it is a part of the line above."""


def row(name: str, total: Sum, behind: str, more: str = "", href: str = "", *, is_chosen: bool = False) -> Row:
    """A sum as a line of a table."""
    energy = said.kwh(total.energy_wh) if total.sessions else said.NOTHING
    its = behind if total.sessions else ""
    return Row(name, more, href, energy, cost(total), price(total), its, is_chosen)


def months(one: Consumption) -> list[Row]:
    """The months, the newest first."""
    found = [
        row(
            said.dated(month, SHORT),
            total,
            where(f"{month:%Y-%m}"),
            href=f"/app/consumption?month={month:%Y-%m}",
            is_chosen=month == one.month,
        )
        for month, total in one.months.items()
    ]
    return found[::-1]


def sessions(count: int) -> Phrase:
    """How many sessions."""
    return counted("{count} session", "{count} sessions", count)


def places(totals: Mapping[Place, Sum], last: str, months: int) -> list[Row]:
    """Addresses, where most energy came from first, each with its stations beneath; and how many sessions.

    Of so many months up to the last, such as 2026-03.
    """
    by_address: dict[str, dict[Place, Sum]] = {}
    for place, total in totals.items():
        if total.sessions:
            by_address.setdefault(place.address or place.name, {})[place] = total
    sums = {address: sum(some.values(), NONE) for address, some in by_address.items()}
    first = sorted(by_address, key=lambda one: -sums[one].energy_wh)
    return [line for one in first for line in _at(one, sums[one], by_address[one], (last, months))]


def _at(address: str, total: Sum, some: Mapping[Place, Sum], of: tuple[str, int]) -> Iterator[Row]:
    """An address with its stations."""
    only = next(iter(some)).name if len(some) == 1 else ""
    name = only if only and only != address else ""
    its = where(*of, address=address)
    yield row(address, total, its, joined(filter(None, (name, sessions(total.sessions))), " · "))
    if len(some) > 1:
        for place, part in some.items():
            its = where(*of, address=address, station=place.name)
            yield replace(row(place.name, part, its, sessions(part.sessions)), is_part=True)


def parts(totals: Mapping[int, Sum], last: str, months: int) -> list[Row]:
    """Quarters of the day."""
    return [
        row(PARTS[part], total, where(last, months, part=str(part)), sessions(total.sessions))
        for part, total in totals.items()
        if total.sessions
    ]


def best_part(totals: Mapping[int, Sum]) -> str:
    """In which quarter of the day sessions began that brought most energy."""
    return MOST_IN[max(totals, key=lambda part: totals[part].energy_wh)]


def most(totals: Mapping[date, Sum]) -> tuple[date, Sum] | None:
    """Where most energy was charged; None where none was."""
    best = max(totals.items(), key=lambda item: item[1].energy_wh, default=None)
    return best if best is not None and best[1].energy_wh > 0 else None
