"""Something for the pages about alerts to show: rules of every kind, alerts that are on and over, told and given up."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal

from wattkeeper.charging.alerts.rule import FORMS, Kind, Rule, Where
from wattkeeper.charging.cards.limits import Span
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.alerts.rules import Wish
from wattkeeper.store.alerts import alert, hook, sending
from wattkeeper.store.alerts.alert import AlertRow, Ended
from wattkeeper.store.alerts.sending import Sent, Word
from wattkeeper.store.people import account
from wattkeeper.store.people.account import AccountState
from wattkeeper.web.rooms import Rooms

FIGURES: Mapping[Kind, tuple[str, dict[str, str]]] = {
    Kind.STATION_OFFLINE: ("15", {}),
    Kind.PEAK_NEAR_LIMIT: ("92", {"power": "18.4", "limit": "20"}),
    Kind.FAILED_STARTS: ("3", {}),
    Kind.FAILED_SHARE: ("60", {"ended": "5"}),
    Kind.ENERGY_WITHOUT_SESSION: ("0.7", {}),
    Kind.PRICE_OF_HOUR: ("0.6", {"currency": "EUR"}),
    Kind.BOUGHT_PRICE: ("0.3", {"currency": "EUR"}),
    Kind.UPTIME: ("96.5", {}),
    Kind.BILLS_WAITING: ("21", {}),
    Kind.LETTERS_WAITING: ("31", {}),
}
QUIET = (Span(time(22), time(6)),)
ANSWERS = ("", "HTTP 503", "timeout", "not_allowed", "no_address", "no_hook", "no_account", "secret")


@dataclass(frozen=True, slots=True)
class Alarmed:
    """What there is."""

    rules: list[str]
    on: list[str]
    hook: str


async def alarmed(rooms: Rooms, station: str = "CP1", site: str = "Linz") -> Alarmed:
    """Rules of every kind, each with an alert that is on and one that is over, told in every way there is."""
    there, _ = await rooms.alerts.hooks.make(VIEWER, "pager", "https://pager.example/alerts?key=hot")
    gone, _ = await rooms.alerts.hooks.make(VIEWER, "old pager", "https://old.example/")
    async with rooms.store.unit() as unit:
        await hook.end(unit, gone.id, "HTTP 410")
    async with rooms.store.read() as connection:
        staff = await account.staff(connection)
    accounts = tuple(one.id for one in staff if one.state is AccountState.ACTIVE)[:1]
    made, on = [], []
    for at, kind in enumerate(Kind):
        limit = Decimal(20) if kind is Kind.PEAK_NEAR_LIMIT else None
        value, _ = FIGURES[kind]
        rule = Rule(
            kind=kind,
            raise_at=Decimal(value),
            clear_at=Decimal(100 if kind is Kind.UPTIME else 0),
            is_below=kind is Kind.UPTIME,
            limit_kw=limit,
            raise_after=timedelta(minutes=2),
            clear_after=timedelta(minutes=90),
            apart=timedelta(hours=1),
            quiet=QUIET if at % 2 else (),
            is_harm=at == 1,
        )
        row = await rooms.alerts.rules.make(VIEWER, Wish(f"watch {at}", rule, (there.id,), accounts))
        made.append(row.id)
        place = ("", site) if FORMS[kind].grain is Where.SITE else (station, site)
        place = ("", "") if FORMS[kind].grain is None else place
        for is_over in (True, False):
            on += [] if is_over else [await _episode(rooms, row.id, kind, place, is_over=False, at=at)]
            if is_over:
                await _episode(rooms, row.id, kind, place, is_over=True, at=at)
    await rooms.alerts.rules.pause(VIEWER, made[-1])
    await rooms.alerts.episodes.acknowledge(VIEWER, on[0])
    await rooms.alerts.rules.test(VIEWER, made[0])
    return Alarmed(made, on[1:-1], there.id)


async def _episode(rooms: Rooms, rule: str, kind: Kind, place: tuple[str, str], *, is_over: bool, at: int) -> str:
    """One alert, and what became of telling it."""
    station, site = place
    key = f"station:{station}" if station else f"site:{site}" if site else ""
    value, figures = FIGURES[kind]
    async with rooms.store.unit() as unit:
        identifier = f"al{secrets.token_hex(8)}"
        figured = (Decimal(value), Decimal(value), figures, at == 1)
        await alert.enter(unit, AlertRow(identifier, rule, kind, key, station, site, *figured, unit.now))
        hooks = [one.id for one in await hook.find(unit.connection, VIEWER)]
        wait = timedelta(hours=3) if at == 2 else timedelta(0)
        await sending.enter(unit, rule, identifier, Word.RAISED, (), hooks, unit.now + wait)
        for place_, one in enumerate((await sending.of(unit.connection, [identifier]))[identifier]):
            answer = ANSWERS[(2 * at + place_) % len(ANSWERS)]
            state = (Sent.SENT, Sent.GIVEN_UP, Sent.DROPPED, Sent.WAITING)[(at + place_) % 4]
            if state is not Sent.WAITING:
                await sending.settle(unit, one.id, state, answer)
            elif at != 2:
                await sending.take(unit, one, unit.now + timedelta(minutes=9))
                await sending.put_off(unit, one.id, unit.now + timedelta(minutes=9), answer)
        if is_over:
            await alert.clear(unit, rule, key, [one for one in Ended if one][at % 5])
    return identifier
