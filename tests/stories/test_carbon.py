"""Carbon by hour of the day and by day is as if each quarter hour had been looked at, whatever clocks do there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from tests.doors import settings_for
from tests.stories.test_terms import HOST, harbour
from tests.stories.world import World
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.charging.statistics.span import Span
from wattkeeper.charging.statistics.terms import Terms
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.statistics.carbon import Carbons, SiteCarbon
from wattkeeper.operations.statistics.terms import SiteTerms
from wattkeeper.store.statistics import terms as kept
from wattkeeper.store.tables import load_quarter, tally_hour

D = Decimal
QUARTER = timedelta(minutes=15)
STEADY, DAILY, FILED, SILENT = "Steady", "Daily", "Filed", "Silent"
SITES = (STEADY, DAILY, FILED, SILENT)
CHANGE = date(2026, 4, 3)
"""From this day on the steady site has other terms."""
ZONES = ("Europe/Vienna", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
"""Clocks that are put forward within the span; half an hour beside the others; put back by half an hour; none."""
SPAN = Span(date(2026, 3, 20), date(2026, 4, 10))


def load(site: str, at: datetime) -> Decimal:
    """The energy of a quarter hour, made up."""
    return D((at.hour * 37 + at.minute + at.day * 101 + len(site) * 7) % 97).scaleb(1) + D("0.000001")


def filed(at: datetime) -> Decimal:
    """What the file has for an hour: it stops after a week."""
    return D((at.hour * 13 + at.day) % 400)


async def loaded(database: str, folder: Path, zone: str) -> World:
    """A world whose sites have load in each quarter hour, and terms, all but one."""
    world = World(database, folder, settings={"time_zone": zone})
    await world.open()
    store, place = world.door.store, ZoneInfo(zone)
    since, until = SPAN.bounds(place)
    quarters = [since + number * QUARTER for number in range((until - since) // QUARTER)]
    nothing = dict.fromkeys(("plugged_s", "charging_s", "idle_s"), D(0)) | {"gross_minor": 0, "sessions": 0}
    async with store.unit() as unit:
        for site in SITES:
            rows = [{"site": site, "at": at, "energy_wh": load(site, at)} for at in quarters]
            await unit.connection.execute(insert(load_quarter), rows)
            by_hour: dict[datetime, Decimal] = {}
            for at in quarters:
                by_hour[at.replace(minute=0)] = by_hour.get(at.replace(minute=0), D(0)) + load(site, at)
            hours = [nothing | {"site": site, "at": at, "energy_wh": wh} for at, wh in by_hour.items()]
            await unit.connection.execute(insert(tally_hour), hours)
        await kept.enter(unit, STEADY, Terms(carbon_g_per_kwh=(D(350),)), "test")
        await kept.enter(unit, STEADY, Terms(since=CHANGE, carbon_g_per_kwh=(D("123.5"),)), "test")
        await kept.enter(unit, DAILY, Terms(carbon_g_per_kwh=tuple(D(hour * 10) for hour in range(24))), "test")
        of_file = {since + number * timedelta(hours=1): D(0) for number in range(24 * 7)}
        await kept.enter_carbon(unit, FILED, {at: filed(at) for at in of_file}, "", "test")
    return world


def grid(site: str, at: datetime, place: ZoneInfo) -> Decimal | None:
    """What a site's grid carried in a quarter hour, told again by other means."""
    local = at.astimezone(place)
    if site == STEADY:
        return D("123.5") if local.date() >= CHANGE else D(350)
    if site == DAILY:
        return D(local.hour * 10)
    begin = SPAN.bounds(place)[0]
    hour = begin + (at - begin) // timedelta(hours=1) * timedelta(hours=1)
    return filed(hour) if site == FILED and at - begin < timedelta(days=7) else None


@pytest.mark.parametrize("zone", ZONES)
async def test_hours_and_days_are_those_of_each_quarter_hour(database: str, tmp_path: Path, zone: str) -> None:
    world, place = await loaded(database, tmp_path, zone), ZoneInfo(zone)
    slowly: dict[tuple[str, int | date], list[Decimal]] = {}
    since, until = SPAN.bounds(place)
    for site in SITES:
        for number in range((until - since) // QUARTER):
            at = since + number * QUARTER
            wh, held, local = load(site, at), grid(site, at, place), at.astimezone(place)
            told = (wh, D(0) if held is None else wh, D(0) if held is None else wh * held / 1000)
            for key in (("hour", local.hour), ("day", local.date()), ("month", local.date().replace(day=1))):
                sums = slowly.setdefault(key, [D(0)] * 3)
                sums[:] = [one + more for one, more in zip(sums, told, strict=True)]
    carbon = SiteCarbon(world.door.store, settings_for(database, tmp_path, time_zone=zone))
    for by_month in (False, True):
        found = await carbon.of(VIEWER, SPAN, SITES, by_month=by_month)
        told_h = [[one.energy_wh, one.known_wh, one.grams] for one in found.weighed.hours]
        assert told_h == [slowly["hour", hour] for hour in range(24)], (zone, by_month)
        spans = [([one.energy_wh, one.known_wh, one.grams], of.first) for of, one in found.weighed.spans]
        names = [("month" if by_month else "day", first.replace(day=1) if by_month else first) for _, first in spans]
        assert [one for one, _ in spans] == [slowly[name] for name in names], (zone, by_month)
        assert found.weighed.whole.grams == sum(one.grams for one in found.weighed.hours)
        assert found.untold == [SILENT]
        alone = await carbon.of(VIEWER, SPAN, SITES, by_month=by_month, told_alone=True)
        assert (alone.untold, alone.weighed.whole.grams) == ([], found.weighed.whole.grams)
        assert alone.weighed.whole.energy_wh < found.weighed.whole.energy_wh
    await world.close()


async def test_carbon_is_told_within_reach(database: str, tmp_path: Path) -> None:
    world, terms = await harbour(database, tmp_path)
    await terms.enter(VIEWER, "Harbour", Terms(carbon_g_per_kwh=(D(350),)))
    carbon, span = SiteCarbon(world.door.store, world.door.settings), Span(date(2026, 3, 1), date(2026, 3, 2))
    stranger = Viewer("host", Role.SITE_HOST, at_sites=HOST.at_sites, sites=frozenset({"Hill"}))

    async def told(viewer: Viewer) -> Carbons:
        return await carbon.of(viewer, span, ["Harbour"], by_month=False)

    assert (await told(HOST)).weighed.whole.grams == (await told(VIEWER)).weighed.whole.grams == 2100
    assert (await told(stranger)).weighed.whole.energy_wh == 0
    with pytest.raises(Refusal) as refusal:
        await told(Viewer("driver", Role.DRIVER, own=frozenset({Scope.SESSIONS_READ}), person="person:1"))
    assert refusal.value.code is Code.FORBIDDEN
    await world.close()


async def test_hours_of_a_file_may_begin_at_half_where_clocks_do(database: str, tmp_path: Path) -> None:
    """12:00 to 12:15 UTC is 17:30 in Kolkata: the hour that began at 17:00 there, 11:30 UTC, tells of it."""
    world, terms = await harbour(database, tmp_path)
    assert isinstance(terms, SiteTerms)
    await terms.enter_carbon(
        VIEWER, "Harbour", "at,g_per_kwh\n2026-03-01T17:00+05:30,100\n2026-03-01T18:00+05:30,300\n"
    )
    carbon = SiteCarbon(world.door.store, settings_for(database, tmp_path, time_zone="Asia/Kolkata"))
    found = await carbon.of(VIEWER, Span(date(2026, 3, 1), date(2026, 3, 2)), ["Harbour"], by_month=True)
    five, six = found.weighed.hours[17], found.weighed.hours[18]
    assert five.g_per_kwh == 100 and six.g_per_kwh == 300
    assert five.energy_wh + six.energy_wh == five.known_wh + six.known_wh == 6000 and five.energy_wh > 0 < six.energy_wh
    assert datetime(2026, 3, 1, 12, tzinfo=UTC).astimezone(ZoneInfo("Asia/Kolkata")).minute == 30
    await world.close()
