"""Tariffs as pages list them: what holds now, what comes, and who gets them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from wattkeeper.charging.money.tariffs.assignment import STANDARD, Assignment, Rank, standing
from wattkeeper.charging.money.tariffs.tariff import Dimension
from wattkeeper.charging.phrase import Phrase, Said, joined, phrase, plural
from wattkeeper.store.money.tariffs.tariff import TariffRow, valid_at
from wattkeeper.web.operator.tariffs.picture import FOR, FREE, NO_PRICE, prices_of, span, span_of

OTHERS = (Dimension.FLAT, Dimension.TIME, Dimension.PARKING_TIME)
COUNTS: dict[Rank, Phrase] = {
    Rank.DRIVER: plural("1 driver", "{count} drivers"),
    Rank.GROUP: plural("1 group", "{count} groups"),
    Rank.CONNECTOR: plural("1 connector", "{count} connectors"),
    Rank.STATION: plural("1 station", "{count} stations"),
    Rank.SITE: plural("1 site", "{count} sites"),
}
NAMED: dict[Rank, Phrase] = {
    Rank.GROUP: phrase("the group {subject}"),
    Rank.CONNECTOR: phrase("the connector {subject}"),
    Rank.STATION: phrase("the station {subject}"),
    Rank.SITE: phrase("the site {subject}"),
}
EVERYONE = phrase("everyone")
ELSE = phrase("wherever nothing else is assigned")
NOBODY = phrase("nobody yet")


@dataclass(frozen=True, slots=True)
class Listed:
    """A tariff as a line of the list."""

    name: str
    row: TariffRow
    """The version that holds now, else the first that will."""
    is_valid: bool
    following: TariffRow | None
    """The next version that will hold."""
    kwh: Said
    others: Said
    """What else costs something."""
    where: Said


def listed(rows: Sequence[TariffRow], assignments: Iterable[Assignment], now: datetime) -> list[Listed]:
    """Every tariff, by name, the standard one first."""
    counting = standing(assignments, now).values()
    found = []
    for name, versions in groupby(rows, key=lambda row: row.id):
        some = list(versions)
        valid = valid_at(some, now, name)
        coming = sorted((row for row in some if row.valid_from > now), key=lambda row: (row.valid_from, -row.version))
        row = valid or coming[0]
        following = next((one for one in coming if one is not row), None)
        day = max(now, row.valid_from).astimezone(row.tariff.zone).date()
        kwh = FREE if row.tariff.is_free else span(row.tariff, day) or NO_PRICE
        others = joined(filter(None, (_also(row, day, one) for one in OTHERS)), ", ")
        found.append(Listed(name, row, valid is not None, following, kwh, others, where(name, counting)))
    return sorted(found, key=lambda one: (one.name != STANDARD, one.name))


def _also(row: TariffRow, day: date, dimension: Dimension) -> Said | None:
    """What a kind of price beside energy costs; None where nothing."""
    prices = span(row.tariff, day, dimension)
    return None if prices is None else joined((prices, FOR[dimension]))


def where(name: str, counting: Iterable[Assignment]) -> Said:
    """Whom a tariff is assigned to: counted, or by name where it is one."""
    mine = [one for one in counting if one.tariff == name]
    told = list(_counted(mine))
    if any(one.rank is Rank.EVERYONE for one in mine):
        told.append(EVERYONE)
    if name == STANDARD:
        told.append(ELSE)
    return joined(told or [NOBODY], ", ")


def _counted(mine: Sequence[Assignment]) -> Iterator[Said]:
    """How many of each rank."""
    numbers = Counter(one.rank for one in mine)
    for rank, words in COUNTS.items():
        if numbers[rank] == 1 and rank in NAMED:
            yield NAMED[rank].filled(subject=next(one.subject for one in mine if one.rank is rank))
        elif numbers[rank]:
            yield words.filled(count=numbers[rank])


def answer(tariffs: Sequence[Listed], now: datetime) -> Said:
    """What a kWh costs, over all of them."""
    valid = [one.row.tariff for one in tariffs if one.is_valid]
    if not valid:
        return phrase("No price holds yet") if tariffs else phrase("No price is set")
    if len({one.currency for one in valid}) > 1:
        return phrase("What a kWh costs, by tariff")
    prices = {price for one in valid for price in prices_of(one, now.astimezone(one.zone).date())}
    price = span_of(valid[0], prices)
    if price is None:
        return phrase("A kWh costs nothing")
    is_free = any(one.is_free for one in valid)
    return (phrase("A kWh costs {price}, or nothing") if is_free else phrase("A kWh costs {price}")).filled(price=price)
