"""Terms in words: what holds at a site, and which sites have any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from wattkeeper.charging.money.currency import priced
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Figure, Money, Phrase, Said, counted, phrase
from wattkeeper.charging.statistics.terms import Terms, clock, terms_at
from wattkeeper.store.statistics import terms as kept
from wattkeeper.web.operator.insight.desks import TERMS
from wattkeeper.web.operator.insight.place import Place, named
from wattkeeper.web.operator.said import NOTHING
from wattkeeper.web.rooms import Rooms

BY_HOUR = phrase("by the hour, from a file")


@dataclass(frozen=True, slots=True)
class Told:
    """What terms say."""

    peak: Money | str = NOTHING
    energy: Sequence[Said | str] = (NOTHING,)
    limit: Figure | str = NOTHING
    carbon: Said | str = NOTHING


@dataclass(frozen=True, slots=True)
class Site:
    """What holds at a site."""

    name: str | Phrase
    href: str
    told: Told


@dataclass(frozen=True, slots=True)
class Sites:
    """All of them, those with terms first."""

    answer: Phrase
    lead: Phrase
    sites: list[Site]


def told_of(terms: Terms) -> Told:
    """Terms in words."""

    def price(minor: Decimal | None) -> Money | str:
        return NOTHING if minor is None else priced(minor, terms.currency)

    spans = [
        phrase(
            "{since}–{until}: {price}",
            since=clock(w.since_min),
            until=clock(w.until_min),
            price=price(w.minor_per_kwh),
        )
        for w in terms.windows
    ]
    limit = NOTHING if terms.limit_w is None else Figure(terms.limit_w.scaleb(-3), 1, "kW")
    energy = [price(terms.energy_minor_per_kwh), *spans]
    return Told(price(terms.peak_minor_per_kw), energy, limit, _carbon(terms.carbon_g_per_kwh))


def _carbon(told: Sequence[Decimal]) -> Said | str:
    if not told:
        return NOTHING
    low, high = (Figure(one, 0) for one in (min(told), max(told)))
    return low if len(told) == 1 else phrase("{low} to {high} by hour", low=low, high=high)


async def sites_of(rooms: Rooms, viewer: Viewer, sites: Sequence[str], today: date) -> Sites:
    """What holds today at each of these sites (scope bills:read)."""
    async with rooms.store.read() as connection:
        entered = await kept.held(connection, viewer, sites)
        filed = await kept.carbon_sites(connection)
    held = {site: terms_at(entered.get(site, ()), today) for site in sites}
    some = [site for site in sites if held[site] is not None]
    untold = sum(not (site in filed or ((one := held[site]) and one.carbon_g_per_kwh)) for site in sites)
    answer = counted("1 of {all} sites has terms", "{count} of {all} sites have terms", len(some), all=len(sites))
    lead = phrase("All tell the carbon of their grid.")
    if untold:
        lead = counted("1 tells no carbon of its grid.", "{count} tell no carbon of their grid.", untold)
    rows = [*some, *(site for site in sites if held[site] is None)]
    return Sites(answer, lead, [_site(site, held[site], is_filed=site in filed) for site in rows])


def _site(site: str, terms: Terms | None, *, is_filed: bool) -> Site:
    told = Told() if terms is None else told_of(terms)
    if is_filed:
        told = Told(told.peak, told.energy, told.limit, BY_HOUR)
    return Site(named(site), Place(site, []).address(TERMS), told)
