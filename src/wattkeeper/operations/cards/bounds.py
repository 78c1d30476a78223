"""What limits ask of the store, for the cards of one unit: their month so far, and where they were presented.

Loaded at the first card that has such limits, and never otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

import orjson

from wattkeeper.charging.cards.limits import NO_LIMITS, NO_SPOT, NO_USE, ZERO, Limits, Spot, Use, month_of
from wattkeeper.charging.cards.token import Asked, Card, CardKind, start_by_phone
from wattkeeper.charging.money.payments.paying import Way
from wattkeeper.charging.money.tariffs.assignment import Spot as Where
from wattkeeper.charging.session import Session
from wattkeeper.operations.money.payments.purses import objection, ways_in_use
from wattkeeper.operations.money.tariffs.choosing import pinned
from wattkeeper.operations.money.tariffs.worth import bill_of
from wattkeeper.settings import Settings
from wattkeeper.store.cards import card as cards
from wattkeeper.store.cards import use
from wattkeeper.store.cards.use import Used
from wattkeeper.store.money import bill as bills
from wattkeeper.store.money import billable
from wattkeeper.store.money.bill import BillRow
from wattkeeper.store.money.tariffs.tariff import TariffRow
from wattkeeper.store.stations import station as stations
from wattkeeper.store.unit import Unit

FROM_PURSES = frozenset({Way.PREPAID, Way.CARD})
"""Ways to pay for which something must be there before anything begins."""


@lru_cache(maxsize=8)
def house_limits(kwh: int) -> Limits:
    """What binds every card that is only a number, by the setting's kWh a month."""
    return Limits(energy_wh_month=Decimal(kwh) * 1000) if kwh > 0 else NO_LIMITS


class Bounds:
    """What limits ask, loaded once for all the cards of a unit."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._used: dict[str, Use] | None = None
        self._by_purse: bool | None = None
        self._spots: dict[str, tuple[str, Mapping[int, str | None]] | None] = {}

    async def used(self, card: Card, cards: Iterable[Card], settings: Settings) -> Use:
        """What was used on a card this month; loaded for all of ``cards`` that have such a limit."""
        house = house_limits(settings.number_card_kwh_month)
        if not any(bound.is_monthly for _, bound in card.binding(house)):
            return NO_USE
        if self._used is None or card.ref not in self._used:
            begun = month_of(self._unit.now, settings.zone)
            self._used = await self._month([*cards, card], house, begun)
        return self._used[card.ref]

    async def _month(self, cards: list[Card], house: Limits, begun: datetime) -> dict[str, Use]:
        """What was used since an instant on each card with a monthly limit."""
        bounds = {card.ref: [bound for _, bound in card.binding(house)] for card in cards}
        monthly = [ref for ref, some in bounds.items() if any(bound.is_monthly for bound in some)]
        paid = [ref for ref in monthly if any(bound.money_month is not None for bound in bounds[ref])]
        await self._unit.flush()
        energy = await use.energy_since(self._unit, monthly, begun)
        phone = await use.energy_by_phone(self._unit, monthly, begun)
        money = await self._money(paid, begun) if paid else {}
        return {ref: Use(energy.get(ref, ZERO) + phone.get(ref, ZERO), money.get(ref, ZERO)) for ref in monthly}

    async def _money(self, refs: Collection[str], begun: datetime) -> dict[str, Decimal]:
        """What the sessions on these cards since an instant cost, with tax."""
        sums = dict.fromkeys(refs, ZERO)
        used = await use.sessions_since(self._unit, refs, begun)
        found = await billable.of(self._unit.connection, [one.whole.id for one in used])
        choices = await pinned(self._unit.connection, found)
        billed = await bills.of_sessions(self._unit.connection, list(found))
        for one in used:
            documents, version = billed.get(one.whole.id, []), choices[one.whole.id].row
            sums[one.token] += _paid(documents) if documents else await self._cost(one, version)
        return sums

    async def _cost(self, one: Used, version: TariffRow | None) -> Decimal:
        """What a session costs so far, by the prices of its start."""
        return ZERO if version is None else (await bill_of(self._unit.connection, one.whole, one.last_n, version)).gross

    async def broke(
        self, card: Card, station: str, evse: int | None, begun: Sequence[Session], settings: Settings
    ) -> str:
        """Why whoever holds a card, on which this has ``begun``, cannot pay for a session there.

        Asked only where somebody pays ahead or by card.
        """
        connection = self._unit.connection
        if self._by_purse is None:
            self._by_purse = bool(FROM_PURSES & await ways_in_use(connection, settings))
        if not self._by_purse:
            return ""
        await self._unit.flush()
        person = (await cards.owners(self._unit, [card.ref])).get(card.ref, "")
        group = card.group or ""
        if card.kind is CardKind.APP:
            group = await billable.group_of(connection, person)
        there = await _there(self._unit, person, group, station, evse)
        return await objection(connection, there, self._unit.now, settings, begun)

    async def spot(self, card: Card, station: str, evse: int | None) -> Spot:
        """Where a card is presented, where its limits ask that."""
        if all(bound.sites is None and bound.plugs is None for _, bound in card.binding()):
            return NO_SPOT
        if station not in self._spots:
            place = await stations.place(self._unit, station)
            self._spots[station] = None if place is None else (place[0], _plugs(place[1]))
        known = self._spots[station]
        if known is None:
            return NO_SPOT
        site, plugs = known
        return Spot(site, frozenset({plugs.get(evse)} if evse else plugs.values()))


async def by_phone(unit: Unit, person: str, station: str, evse: int, settings: Settings) -> tuple[str | None, int]:
    """Why a person may not start here from a phone, by the limits of the cards they hold; None where they may.

    And how many sessions the most generous of their cards lets run at once; 0 without cards.
    """
    held = await cards.ruled(unit, await cards.held_by(unit, person))
    bounds, local = Bounds(unit), unit.now.astimezone(settings.zone)
    asked = []
    for card in held:
        spot, used = await bounds.spot(card, station, evse), await bounds.used(card, held, settings)
        asked.append((card, Asked(unit.now, local, station=station, evse=evse, spot=spot, used=used)))
    there = await _there(unit, person, await _group(unit, person), station, evse)
    why = start_by_phone(asked) or await objection(unit.connection, there, unit.now, settings)
    return why or None, max((card.max_sessions for card in held), default=0)


async def _there(unit: Unit, person: str, group: str, station: str, evse: int | None) -> Where:
    """Who would start where, as tariffs are chosen by it."""
    place = await stations.place(unit, station)
    site = "" if place is None else place[0] or ""
    return Where(person=person, group=group, station=station, evse=evse or None, site=site)


async def _group(unit: Unit, person: str) -> str:
    return await billable.group_of(unit.connection, person)


def _paid(documents: Collection[BillRow]) -> Decimal:
    """What was billed for a session."""
    return sum((Decimal(one.gross_minor).scaleb(-one.digits) for one in documents), ZERO)


def _plugs(text: str | None) -> dict[int, str | None]:
    """The plug of each EVSE of a station, by its number."""
    return {int(evse): plug for evse, plug in orjson.loads(text).items()} if text else {}
