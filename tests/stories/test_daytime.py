"""What energy cost by hour of the day is as if each quarter hour had been looked at; and it is of the totals' hours."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from tests.doors import settings_for
from tests.stories.test_carbon import CHANGE, DAILY, FILED, QUARTER, SILENT, SITES, SPAN, STEADY, ZONES, load, loaded
from tests.stories.test_terms import HOST, harbour
from wattkeeper.charging.statistics.span import Span
from wattkeeper.charging.statistics.terms import Terms, Window
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.statistics.daytime import Daytime
from wattkeeper.store.statistics import terms as kept
from wattkeeper.store.tables import tally_hour

D = Decimal
NIGHT = Window(22 * 60, 6 * 60, D("18.25"))
MORNING = Window(6 * 60 + 15, 8 * 60 + 30, D("31.5"))
PRICES = {
    STEADY: (
        Terms(currency="EUR", energy_minor_per_kwh=D("24.5")),
        Terms(since=CHANGE, currency="EUR", windows=(NIGHT,)),
    ),
    DAILY: (Terms(currency="EUR", energy_minor_per_kwh=D("20"), windows=(NIGHT, MORNING)),),
    FILED: (Terms(currency="USD", energy_minor_per_kwh=D("20")),),
}
"""Another price since a day, with hours that have none; times of day that begin within an hour; another money; none."""


def price(site: str, at: datetime, place: ZoneInfo) -> Decimal | None:
    """What a kWh cost, told again by other means."""
    local = at.astimezone(place)
    is_night = local.hour >= 22 or local.hour < 6
    if site == STEADY:
        return (D("18.25") if is_night else None) if local.date() >= CHANGE else D("24.5")
    if site != DAILY:
        return None
    is_morning = (6, 15) <= (local.hour, local.minute) < (8, 30)
    return D("18.25") if is_night else D("31.5") if is_morning else D(20)


@pytest.mark.parametrize("zone", ZONES)
async def test_hours_are_those_of_each_quarter_hour(database: str, tmp_path: Path, zone: str) -> None:
    world, place = await loaded(database, tmp_path, zone), ZoneInfo(zone)
    settings = settings_for(database, tmp_path, time_zone=zone)
    async with world.door.store.unit() as unit:
        for site, entered in PRICES.items():
            for terms in entered:
                await kept.enter(unit, site, terms, "test")
        await unit.connection.execute(update(tally_hour).values(gross_minor=7))
    world.clock.reach(SPAN.bounds(place)[1] + timedelta(days=2))
    found = await Daytime(world.door.store, settings).of(VIEWER, SPAN, None, SITES)
    since, until = SPAN.bounds(place)
    sums = {hour: [D(0), D(0), D(0)] for hour in range(24)}
    for site in SITES:
        for number in range((until - since) // QUARTER):
            at = since + number * QUARTER
            wh, held = load(site, at), price(site, at, place)
            told = (wh, D(0) if held is None else wh, D(0) if held is None else wh * held / 1000)
            hour = at.replace(minute=0).astimezone(place).hour
            sums[hour] = [one + more for one, more in zip(sums[hour], told, strict=True)]
    for hour, one in enumerate(found.hours):
        assert [one.total.energy_wh, one.bought.known_wh, one.bought.amount] == sums[hour], (zone, hour)
        assert one.bought.energy_wh == one.total.energy_wh and one.margin_per_kwh is None, "two sites have no price"
    assert found.untold == sorted([FILED, SILENT])
    assert found.whole.total.gross_minor % 7 == 0 and found.whole.total.gross_minor > 0
    daily = await Daytime(world.door.store, settings).of(VIEWER, SPAN, DAILY, [DAILY])
    assert (daily.untold, daily.whole.bought.is_whole) == ([], True)
    noon = daily.hours[12]
    each = (noon.total.gross_minor - Fraction(noon.bought.amount)) * 1000 / Fraction(noon.total.energy_wh)
    assert noon.margin_per_kwh == each and noon.bought.per_kwh == 20
    await world.close()


async def test_amounts_are_for_those_who_may_read_bills(database: str, tmp_path: Path) -> None:
    world, terms = await harbour(database, tmp_path)
    await terms.enter(VIEWER, "Harbour", Terms(energy_minor_per_kwh=D("24.5")))
    daytime, span = Daytime(world.door.store, world.door.settings), Span(date(2026, 3, 1), date(2026, 3, 2))
    mine = await daytime.of(VIEWER, span, "Harbour", ["Harbour"])
    assert (mine.whole.bought.amount, mine.hours[12].bought.amount) == (D("147"), D("134.75")), "6 and 5.5 kWh"
    hosts = await daytime.of(HOST, span, "Harbour", ["Harbour"])
    assert (hosts.knows_money, hosts.whole.total.energy_wh, hosts.whole.bought.amount) == (False, D(6000), D(0))
    assert hosts.untold == ()
    await world.close()
