"""What rules are measured by, now: for each rule, every thing that it is about with its value and figures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.alerts.rule import Kind, Rule, Where
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.exact import seconds
from wattkeeper.charging.money.tariffs.assignment import Spot
from wattkeeper.charging.money.tariffs.offered import offered
from wattkeeper.charging.money.tariffs.tariff import Dimension, Tariff, with_tax
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.charging.statistics.attempt import SOON
from wattkeeper.charging.statistics.terms import terms_at
from wattkeeper.charging.statistics.uptime import Uptime
from wattkeeper.operations.money.tariffs.choosing import choose
from wattkeeper.store.alerts import measure
from wattkeeper.store.alerts.rule import RuleRow
from wattkeeper.store.money import worklist
from wattkeeper.store.people import mail
from wattkeeper.store.statistics import reliability, share, terms

HOUR = timedelta(hours=1)
QUARTER = measure.QUARTER
FEWEST_ENDED = 5
"""Of how many sessions at least a share says anything."""
ZERO = Decimal(0)
LATELY = timedelta(days=30)
EVERYBODY = Viewer("alerts", Role.OWNER, EVERYTHING)
"""Who looks: the watch, which decides for everybody."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert is about: a station with its site, a site alone, or neither."""

    station: str = ""
    site: str = ""

    @property
    def key(self) -> str:
        """What it is kept by."""
        if self.station:
            return f"station:{self.station}"
        return f"site:{self.site}" if self.site else ""


@dataclass(frozen=True, slots=True)
class Measured:
    """A value in the unit of its rule's kind; None where it could not be measured."""

    subject: Subject
    value: Decimal | None
    figures: Mapping[str, str] = field(default_factory=dict)
    """What else an alert tells, by name."""


Look = Callable[[AsyncConnection, datetime, Mapping[str, str]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found: which stations there are, at which sites, and what each kind that was asked for reads."""

    sites: Mapping[str, str]
    read: Mapping[Kind, Any]
    at: datetime

    def stations(self, rule: Rule) -> Iterable[Subject]:
        """The stations that a rule is about."""
        for name, site in self.sites.items():
            if rule.where is Where.EVERYWHERE or rule.subject == (site if rule.where is Where.SITE else name):
                yield Subject(name, site)

    def places(self, rule: Rule) -> Iterable[Subject]:
        """The sites that a rule is about, where stations stand at them."""
        known = sorted({site for site in self.sites.values() if site})
        return [Subject(site=site) for site in known if rule.where is Where.EVERYWHERE or rule.subject == site]


async def look(
    connection: AsyncConnection, rules: Sequence[RuleRow], at: datetime, zone: tzinfo
) -> dict[str, list[Measured]]:
    """What every rule measures now, by its id; days are those of a zone."""
    sites = await measure.sites(connection)
    kinds = {_looks_at(row.rule.kind) for row in rules} - {Kind.PRICE_OF_HOUR}
    seen = Seen(sites, {kind: await LOOKS[kind](connection, at.astimezone(zone)) for kind in kinds}, at)
    found = await asyncio.to_thread(_values, rules, seen)
    priced = [row for row in rules if row.rule.kind is Kind.PRICE_OF_HOUR]
    return found | await _prices(connection, priced, sites, at)


def _values(rules: Sequence[RuleRow], seen: Seen) -> dict[str, list[Measured]]:
    """What rules measure by what was seen: beside everything else, for there may be thousands of stations."""
    return {row.id: VALUES[row.rule.kind](row.rule, seen) for row in rules if row.rule.kind in VALUES}


def _looks_at(kind: Kind) -> Kind:
    """By which look a kind is measured."""
    return Kind.FAILED_STARTS if kind is Kind.FAILED_SHARE else kind


# --- looks --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Loads:
    """What sites draw, and what their connections bear where their terms say so, W."""

    power_w: Mapping[str, Decimal]
    limit_w: Mapping[str, Decimal]
    is_partial: bool
    """Whether sessions are being counted anew: then a site may have drawn more."""


async def _loads(connection: AsyncConnection, here: datetime) -> Loads:
    """The power that counts of each site: what flows now, or the mean of the last whole quarter hour."""
    at = here.astimezone(UTC)
    begin = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) - QUARTER
    now, before = await measure.power(connection, at - QUARTER), await measure.last_quarter(connection, begin)
    drawn = {site: max(now.get(site, ZERO), before.get(site, ZERO)) for site in now.keys() | before.keys()}
    entered = await terms.of_sites(connection)
    held = {site: terms_at(told, here.date()) for site, told in entered.items()}
    limits = {site: one.limit_w for site, one in held.items() if one is not None and one.limit_w}
    return Loads(drawn, limits, is_partial=await share.behind(connection, at) > 0)


async def limited(connection: AsyncConnection, day: date) -> tuple[int, int]:
    """At how many sites of stations terms tell what the connection bears on a day, and how many sites there are."""
    sites = {site for site in (await measure.sites(connection)).values() if site}
    held = [terms_at(told, day) for told in (await terms.of_sites(connection, sites)).values()]
    return sum(one is not None and bool(one.limit_w) for one in held), len(sites)


async def _risen(connection: AsyncConnection, at: datetime) -> dict[str, measure.Risen]:
    return await measure.risen(connection, at.astimezone(UTC) - HOUR, at.astimezone(UTC) + QUARTER)


async def _starts(connection: AsyncConnection, at: datetime) -> dict[str, measure.Starts]:
    return await measure.starts(connection, at.astimezone(UTC) - HOUR, SOON)


async def _away(connection: AsyncConnection, _at: datetime) -> dict[str, datetime | None]:
    return await measure.away(connection)


@dataclass(frozen=True, slots=True)
class Bought:
    """What a kWh costs a site, major units of money."""

    price: Decimal
    currency: str


async def _bought(connection: AsyncConnection, here: datetime) -> dict[str, Bought]:
    """What a kWh costs each site now, where its terms say so."""
    held = {site: terms_at(told, here.date()) for site, told in (await terms.of_sites(connection)).items()}
    priced = {site: (one, one.energy_price_at(here)) for site, one in held.items() if one is not None}
    return {
        site: Bought(minor.scaleb(-digits_of(one.currency)), one.currency)
        for site, (one, minor) in priced.items()
        if minor is not None
    }


async def _up(connection: AsyncConnection, here: datetime) -> dict[tuple[str, str], Decimal]:
    """How much of the last thirty days the ports of each station were up where it stands, percent, by both."""
    until = here.astimezone(UTC)
    since = until - LATELY
    down = await reliability.down(connection, EVERYBODY, since, until)
    found: dict[tuple[str, str], Uptime] = {}
    for one in await reliability.ports(connection, EVERYBODY, until):
        known_s = seconds(one.known(since, until))
        own = replace(down.get(one.spot, Uptime()), known_s=known_s)
        found[one.site, one.station] = found.get((one.site, one.station), Uptime()) + own
    return {key: round(100 * one.nevi, 2) for key, one in found.items() if one.nevi is not None}


async def _held(connection: AsyncConnection, _at: datetime) -> Decimal:
    return Decimal(await worklist.count(connection))


async def _stuck(connection: AsyncConnection, at: datetime) -> Decimal:
    return _minutes_since(await mail.oldest(connection), at)


LOOKS: Mapping[Kind, Callable[[AsyncConnection, datetime], Awaitable[Any]]] = {
    Kind.STATION_OFFLINE: _away,
    Kind.PEAK_NEAR_LIMIT: _loads,
    Kind.FAILED_STARTS: _starts,
    Kind.ENERGY_WITHOUT_SESSION: _risen,
    Kind.BOUGHT_PRICE: _bought,
    Kind.UPTIME: _up,
    Kind.BILLS_WAITING: _held,
    Kind.LETTERS_WAITING: _stuck,
}


# --- values -------------------------------------------------------------------------------------------


def _offline(rule: Rule, seen: Seen) -> list[Measured]:
    """Minutes without a connection; of a station that never had one nothing can be said."""
    away = seen.read[Kind.STATION_OFFLINE]
    known = [one for one in seen.stations(rule) if one.station in away]
    return [Measured(one, _minutes_since(away[one.station], seen.at)) for one in known]


def _minutes_since(since: datetime | None, at: datetime) -> Decimal:
    return ZERO if since is None else Decimal(max(0, (at - since) // timedelta(minutes=1)))


def _peaks(rule: Rule, seen: Seen) -> list[Measured]:
    """Percent of the rule's limit, else of what the site's terms say; nothing can be said where neither does.

    Nor that it is less than what raises an alert while sessions are counted anew.
    """
    loads: Loads = seen.read[Kind.PEAK_NEAR_LIMIT]
    found = []
    for one in seen.places(rule):
        power_kw = loads.power_w.get(one.site, ZERO) / 1000
        limit_kw = rule.limit_kw or loads.limit_w.get(one.site, ZERO) / 1000
        if limit_kw:
            figures = {"power": str(round(power_kw, 1)), "limit": f"{limit_kw.normalize():f}"}
            percent = round(100 * power_kw / limit_kw, 1)
            is_known = not loads.is_partial or percent >= rule.raise_at
            found.append(Measured(one, percent if is_known else None, figures))
        else:
            found.append(Measured(one, None))
    return found


def _failed(rule: Rule, seen: Seen) -> list[Measured]:
    found = []
    for one in seen.stations(rule):
        its = seen.read[Kind.FAILED_STARTS].get(one.station, NONE)
        found.append(Measured(one, Decimal(its.failed), _began(its, seen.at)))
    return found


NONE = measure.Starts()


def _began(its: measure.Starts, at: datetime) -> dict[str, str]:
    """From when to when starts are listed, where that is not the hour of ours: their station's clock is wrong."""
    if its.first is None or its.last is None or at - HOUR <= its.first <= its.last <= at:
        return {}
    return _by_its_clock(its.first, its.last)


def _by_its_clock(since: datetime, until: datetime) -> dict[str, str]:
    """A span by the clock of a station, as an alert tells it."""
    return {"since": since.isoformat(timespec="seconds"), "until": until.isoformat(timespec="seconds")}


def _share(rule: Rule, seen: Seen) -> list[Measured]:
    """Percent; of too few sessions nothing can be said, but that it is well where none of them failed."""
    found = []
    for one in seen.stations(rule):
        its = seen.read[Kind.FAILED_STARTS].get(one.station, NONE)
        share = ZERO if its.failed == 0 else None
        if its.ended >= FEWEST_ENDED:
            share = round(Decimal(100 * its.failed) / its.ended, 1)
        found.append(Measured(one, share, {"ended": str(its.ended)} | _began(its, seen.at)))
    return found


def _without(rule: Rule, seen: Seen) -> list[Measured]:
    found = []
    for one in seen.stations(rule):
        its = seen.read[Kind.ENERGY_WITHOUT_SESSION].get(one.station, NOTHING)
        until = seen.at - its.behind
        figures = _by_its_clock(until - HOUR, until) if its.behind else {}
        found.append(Measured(one, round(its.energy_wh / 1000, 3), figures))
    return found


NOTHING = measure.Risen(ZERO, timedelta(0))


def _bought_at(rule: Rule, seen: Seen) -> list[Measured]:
    """What a kWh costs each site; nothing can be said where no terms say it."""
    known: Mapping[str, Bought] = seen.read[Kind.BOUGHT_PRICE]
    found = []
    for one in seen.places(rule):
        its = known.get(one.site)
        found.append(Measured(one, None) if its is None else Measured(one, its.price, {"currency": its.currency}))
    return found


def _uptime(rule: Rule, seen: Seen) -> list[Measured]:
    """Percent; nothing can be said of a station that never told of a port."""
    up = seen.read[Kind.UPTIME]
    return [Measured(one, up.get((one.site, one.station))) for one in seen.stations(rule)]


def _whole(rule: Rule, seen: Seen) -> list[Measured]:
    """What is of everything together."""
    return [Measured(Subject(), seen.read[rule.kind])]


VALUES: Mapping[Kind, Callable[[Rule, Seen], list[Measured]]] = {
    Kind.STATION_OFFLINE: _offline,
    Kind.PEAK_NEAR_LIMIT: _peaks,
    Kind.FAILED_STARTS: _failed,
    Kind.FAILED_SHARE: _share,
    Kind.ENERGY_WITHOUT_SESSION: _without,
    Kind.BOUGHT_PRICE: _bought_at,
    Kind.UPTIME: _uptime,
    Kind.BILLS_WAITING: _whole,
    Kind.LETTERS_WAITING: _whole,
}


async def _prices(
    connection: AsyncConnection, rules: Sequence[RuleRow], sites: Mapping[str, str], at: datetime
) -> dict[str, list[Measured]]:
    """What a kWh costs now where each rule looks, for whoever comes."""
    spots = [_spot(row.rule, sites) for row in rules]
    asked = [one for one in spots if one is not None]
    chosen = iter(await choose(connection, asked, at) if asked else [])
    found: dict[str, list[Measured]] = {}
    for row, spot in zip(rules, spots, strict=True):
        choice = None if spot is None else next(chosen)
        if spot is not None and choice is not None:
            tariff = None if choice.row is None else choice.row.tariff
            value = None if tariff is None else price_of(tariff, at)
            figures = {} if tariff is None else {"currency": tariff.currency}
            found[row.id] = [Measured(Subject(spot.station, spot.site), value, figures)]
        else:
            found[row.id] = []
    return found


def _spot(rule: Rule, sites: Mapping[str, str]) -> Spot | None:
    """Where a rule looks at the price; None where that is not there any more."""
    if rule.where is Where.EVERYWHERE:
        return Spot()
    if rule.where is Where.SITE:
        return Spot(site=rule.subject) if rule.subject in sites.values() else None
    return Spot(station=rule.subject, site=sites[rule.subject]) if rule.subject in sites else None


def price_of(tariff: Tariff, at: datetime) -> Decimal:
    """What a kWh costs with tax for who begins at an instant; nothing where energy has no price then."""
    tariff = tariff.on(at)
    held = (one for one in offered(tariff, at) if one.is_now and one.when.reservation is None)
    energy = next((one for one in held if one.component.dimension is Dimension.ENERGY), None)
    return ZERO if energy is None else with_tax(energy.component, tariff)
