"""Terms of sites: entered, checked, kept with their history; and the carbon of sessions that follows from them."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from sqlalchemy import func, insert, select

from tests.doors import settings_for
from tests.stories.test_totals import counting, told
from tests.stories.world import NOON, World
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import EVERYTHING, Role, Scope, Viewer
from wattkeeper.charging.statistics.forecast import Why
from wattkeeper.charging.statistics.savings import Kind
from wattkeeper.charging.statistics.span import Span
from wattkeeper.charging.statistics.terms import Terms, Window, terms_at
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.statistics.carbon import SiteCarbon, carbon_of, emitted_of
from wattkeeper.operations.statistics.findings import Findings
from wattkeeper.operations.statistics.forecasts import Forecasts
from wattkeeper.operations.statistics.terms import SiteTerms
from wattkeeper.store.stations import station as stations
from wattkeeper.store.statistics import terms as kept
from wattkeeper.store.statistics import total
from wattkeeper.store.tables import deed, grid_carbon, session, site_terms, stay_count, tally_hour

D = Decimal
SITE = "Harbour"
TERMS = Terms(
    peak_minor_per_kw=D("825"),
    energy_minor_per_kwh=D("24.5"),
    windows=(Window(22 * 60, 6 * 60, D("18.25")),),
    limit_w=D(40_000),
    carbon_g_per_kwh=(D(350),),
)


async def harbour(database: str, folder: Path) -> tuple[World, SiteTerms]:
    """A world with two sessions at a site, counted: 5.5 kWh from noon to one, 0.5 kWh after; another without any."""
    world = World(database, folder)
    await world.open()
    await told(world)
    async with world.door.store.unit() as unit:
        await stations.describe(unit, "CP1", {"site": SITE})
    await counting(world).look()
    return world, SiteTerms(world.door.store, world.door.settings)


async def test_carbon_of_a_session_is_that_worked_out_by_hand(database: str, tmp_path: Path) -> None:
    world, terms = await harbour(database, tmp_path)
    async with world.door.store.read() as connection:
        ids = list((await connection.execute(select(session.c.id).order_by(session.c.started_at))).scalars())
        assert await carbon_of(connection, ids, UTC) == {}
    await terms.enter(VIEWER, SITE, TERMS)
    async with world.door.store.read() as connection:
        assert await carbon_of(connection, ids, UTC) == {ids[0]: D(2100)}  # 6 kWh at 350 g
        assert await carbon_of(connection, ["nobody's"], UTC) == {}
    hours = "at,g_per_kwh\n2026-03-01T13:00+01:00,100\n2026-03-01T13:00Z,500\n"
    assert await terms.enter_carbon(VIEWER, SITE, hours) == 2
    async with world.door.store.read() as connection:
        assert await carbon_of(connection, ids, UTC) == {ids[0]: D(550 + 250)}  # 5.5 kWh at 100 g, 0.5 kWh at 500 g
    carbon, span = SiteCarbon(world.door.store, world.door.settings), Span(date(2026, 2, 1), date(2026, 4, 1))
    february, march = (one for _, one in (await carbon.of(VIEWER, span, [SITE], by_month=True)).weighed.spans)
    assert (february.grams, march.grams, march.g_per_kwh) == (D(0), D(800), D(800) / 6)
    assert (await carbon.of(VIEWER, span, ["Elsewhere"], by_month=True)).weighed.whole.energy_wh == 0
    await world.close()


async def test_carbon_by_hour_of_day_is_by_the_clock_of_the_place(database: str, tmp_path: Path) -> None:
    world, terms = await harbour(database, tmp_path)
    by_hour = tuple(D(hour * 10) for hour in range(24))
    await terms.enter(VIEWER, SITE, Terms(carbon_g_per_kwh=by_hour))
    async with world.door.store.read() as connection:
        ids = list((await connection.execute(select(session.c.id).order_by(session.c.started_at))).scalars())
        vienna = await carbon_of(connection, ids, ZoneInfo("Europe/Vienna"))
    assert vienna == {ids[0]: D("5.5") * 130 + D("0.5") * 140}
    await world.close()


async def test_months_of_carbon_are_as_if_each_hour_had_been_looked_at(database: str, tmp_path: Path) -> None:
    """Over the night in which clocks are put forward, and over a day from which on other terms hold."""
    world, terms = await harbour(database, tmp_path)
    await terms.enter(VIEWER, SITE, Terms(carbon_g_per_kwh=tuple(D(hour * 10) for hour in range(24))))
    await terms.enter(VIEWER, SITE, Terms(since=date(2026, 4, 10), carbon_g_per_kwh=(D(333),)))
    vienna, nothing = ZoneInfo("Europe/Vienna"), dict.fromkeys(("plugged_s", "charging_s", "idle_s"), D(0))
    hours = [datetime(2026, 3, 3, tzinfo=UTC) + timedelta(hours=one) for one in range(60 * 24)]
    load = {at: D((at.hour * 37 + at.day * 101) % 997) for at in hours}
    async with world.door.store.unit() as unit:
        rest = {"site": SITE, "gross_minor": 0, "sessions": 0} | nothing
        await unit.connection.execute(
            insert(tally_hour), [rest | {"at": at, "energy_wh": wh} for at, wh in load.items()]
        )
    slowly: dict[str, Decimal] = {}
    for at, wh in load.items():
        local = at.astimezone(vienna)
        grams = D(333) if local.date() >= date(2026, 4, 10) else D(local.hour * 10)
        slowly[f"{local:%Y-%m}"] = slowly.get(f"{local:%Y-%m}", D(0)) + wh * grams / 1000
    slowly["2026-03"] += D("5.5") * 130 + D("0.5") * 140  # what was charged on the first of March
    carbon = SiteCarbon(world.door.store, settings_for(database, tmp_path, time_zone="Europe/Vienna"))
    found = (await carbon.of(VIEWER, Span(date(2026, 3, 1), date(2026, 6, 1)), [SITE], by_month=True)).weighed
    assert {f"{month.first:%Y-%m}": one.grams for month, one in found.spans} == slowly
    await world.close()


async def test_terms_that_are_entered_before_the_first_session_hold_for_it(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await world.admit("CP1")
    store, settings = world.door.store, world.door.settings
    async with store.unit() as unit:
        await stations.describe(unit, "CP1", {"site": SITE})
    terms = SiteTerms(store, settings)
    await terms.enter(VIEWER, SITE, TERMS)
    assert await Findings(store, settings).of(VIEWER, SITE) == []
    assert (await Forecasts(store, settings).of(VIEWER, SITE)).forecast.why is not None
    async with world.v16() as station:
        tx = await station.start(7, 1000)
        await station.stop(tx, 67, 7000)
    await counting(world).look()
    async with store.read() as connection:
        (one,) = (await connection.execute(select(session.c.id))).scalars()
        assert await carbon_of(connection, [one], UTC) == {one: D(2100)}  # 6 kWh at 350 g
    await world.close()


async def test_what_is_not_known_of_all_energy_is_not_said_of_a_session(database: str, tmp_path: Path) -> None:
    world, terms = await harbour(database, tmp_path)
    await terms.enter_carbon(VIEWER, SITE, "at,g_per_kwh\n2026-03-01T12:00Z,100\n")
    async with world.door.store.read() as connection:
        ids = list((await connection.execute(select(session.c.id).order_by(session.c.started_at))).scalars())
        assert await carbon_of(connection, ids, UTC) == {}
        some = (await emitted_of(connection, ids, UTC))[ids[0]]
    assert (some.grams, some.known_wh, some.energy_wh) == (D(550), D(5500), D(6000))
    await world.close()


@pytest.mark.parametrize(
    "far", ["0001-01-01T00:00Z", "1970-12-31T23:00Z", "9999-12-31T23:00Z", "9999-12-31T23:00-14:00"]
)
async def test_hours_that_no_clock_of_a_place_can_tell_are_refused(database: str, tmp_path: Path, far: str) -> None:
    """West of Greenwich the first of all years is none: the page about them would never open again."""
    world, terms = await harbour(database, tmp_path)
    with pytest.raises(Refusal):
        await terms.enter_carbon(VIEWER, SITE, f"at,g_per_kwh\n{far},300\n")
    with pytest.raises(Refusal):
        await terms.enter_hours(VIEWER, SITE, [(datetime.fromisoformat(far), D(300))])
    await world.close()


async def test_terms_have_a_history_and_a_deed_each(database: str, tmp_path: Path) -> None:
    world, terms = await harbour(database, tmp_path)
    first = await terms.enter(VIEWER, SITE, TERMS)
    assert first == await terms.enter(VIEWER, SITE, TERMS), "the same again is nothing new"
    later = Terms(since=date(2027, 1, 1), peak_minor_per_kw=D(900), carbon_g_per_kwh=(D(300),))
    await terms.enter(VIEWER, SITE, later)
    await terms.enter_carbon(VIEWER, SITE, "at,g_per_kwh\n2026-03-01T12:00Z,100\n")
    async with world.door.store.read() as connection:
        history = await kept.history(connection, VIEWER, SITE)
        entered = (await kept.of_sites(connection))[SITE]
        said = deed.c
        deeds = (
            await connection.execute(
                select(said.by, said.subject, said.body).where(said.kind == DeedKind.SITE_TERMS.value).order_by(said.n)
            )
        ).all()
        assert await kept.carbon_told(connection, VIEWER, SITE) == (1, NOON, NOON)
    assert [one.terms.peak_minor_per_kw for one in history] == [900, 825]
    assert [one.terms.currency for one in history] == ["EUR", "EUR"]
    assert terms_at(entered, date(2026, 12, 31)) == history[1].terms
    assert terms_at(entered, date(2027, 1, 1)) == history[0].terms
    assert [(by, subject) for by, subject, _ in deeds] == [("command line", "site:Harbour")] * 3
    bodies = [orjson.loads(body) for *_, body in deeds]
    assert bodies[0]["peak_minor_per_kw"] == "825" and bodies[1]["since"] == "2027-01-01"
    assert bodies[2]["hours"] == 1 and len(bodies[2]["file_sha256"]) == 64
    await world.close()


async def test_findings_and_forecasts_are_of_the_last_month_and_within_reach(database: str, tmp_path: Path) -> None:
    world, terms = await harbour(database, tmp_path)
    store, settings = world.door.store, world.door.settings
    await terms.enter(VIEWER, SITE, Terms(peak_minor_per_kw=D(10_000), limit_w=D(10_000)))
    assert await Findings(store, settings).of(VIEWER) == [], "the month is not over"
    world.clock.skip(days=40)
    found = await Findings(store, settings).of(VIEWER)
    assert [one.kind for one in found] == [Kind.SHIFT, Kind.NEAR, Kind.UNUSED]
    assert found[0].title.startswith("Shifting 30 % of Sunday’s load") and found[0].site == SITE
    assert [one.title for one in found if one.kind is Kind.UNUSED] == ["Connector CP1/1 had no session for 30 days"]
    told = await Findings(store, settings).of(HOST)
    assert {one.kind for one in told} == {one.kind for one in found} - {Kind.SHIFT}, "money is not theirs to see"
    stranger = Viewer("host", Role.SITE_HOST, at_sites=HOST.at_sites, sites=frozenset({"Hill"}))
    assert await Findings(store, settings).of(stranger) == await Findings(store, settings).of(stranger, SITE) == []
    async with store.read() as connection:
        span = (NOON - timedelta(days=1), NOON + timedelta(days=1))
        assert await total.busiest(connection, HOST, *span, 5) == {SITE: 6000}
        assert await total.busiest(connection, stranger, *span, 5) == {}
        for table in (total.HOURS, total.QUARTERS):
            assert await total.energy(connection, stranger, [SITE], *span, table) == {}
            assert await total.energy_by_clock(connection, stranger, [SITE], *span, table) == {}
            assert sum((await total.energy(connection, HOST, [SITE], *span, table)).values()) == 6000
        assert await total.energy_by_site(connection, stranger, [SITE], *span) == {}
        assert await total.placed(connection, stranger) == {}
    forecasts = Forecasts(store, settings)
    assert (await forecasts.of(VIEWER)).forecast.known == 5, "whole weeks since the first energy, which had none"
    assert (await forecasts.of(HOST, SITE)).forecast == (await forecasts.of(VIEWER, SITE)).forecast
    crowd = await asyncio.gather(*(Forecasts.of(fresh, VIEWER) for fresh in [Forecasts(store, settings)] * 5))
    assert len({id(one) for one in crowd}) == 1, "it is worked out once, however many ask at once"
    nothing = (await forecasts.of(stranger)).forecast
    assert (nothing.known, nothing.why) == (0, Why.NOTHING)
    with pytest.raises(Refusal):
        await forecasts.of(stranger, SITE)
    await world.close()


@pytest.mark.parametrize("today", [date(2026, 3, 31), date(2026, 10, 27)])
async def test_clocks_that_are_changed_make_no_hour_heavier(database: str, tmp_path: Path, today: date) -> None:
    """A kWh in every hour there is: so it was in each hour of the last week, and 168 follow, whatever clocks show."""
    world = World(database, tmp_path, settings={"time_zone": "Europe/Vienna"})
    await world.open()
    now = datetime(today.year, today.month, today.day, 12, 20, tzinfo=UTC)
    world.clock.reach(now)
    nothing = dict.fromkeys(("plugged_s", "charging_s", "idle_s"), D(0)) | {"gross_minor": 0, "sessions": 0}
    hours = [now.replace(minute=0) - timedelta(hours=one) for one in range(1, 5 * 168)]
    async with world.door.store.unit() as unit:
        rows = [{"site": SITE, "at": at, "energy_wh": D(1000)} | nothing for at in hours]
        await unit.connection.execute(insert(tally_hour), rows)
        stay = {"site": SITE, "month": f"{today:%Y-%m}", "quarters": 4, "sessions": 1}
        await unit.connection.execute(insert(stay_count), [stay])
    told = await Forecasts(world.door.store, world.door.settings).of(VIEWER, SITE)
    assert set(told.last_wh) == {1000.0} and told.forecast.why is Why.FEW
    assert told.begins[0] == now.replace(minute=0) and len(told.begins) == 168
    await world.close()


HOST = Viewer("host", Role.SITE_HOST, at_sites=frozenset({Scope.SESSIONS_READ}), sites=frozenset({SITE}))


@pytest.mark.parametrize("viewer", [HOST, Viewer("reader", Role.SERVICE, EVERYTHING - {Scope.TARIFFS_WRITE})])
async def test_who_may_not_set_prices_enters_no_terms(database: str, tmp_path: Path, viewer: Viewer) -> None:
    world, terms = await harbour(database, tmp_path)
    for wrong in (terms.enter(viewer, SITE, TERMS), terms.enter_carbon(viewer, SITE, "at,g_per_kwh\n")):
        with pytest.raises(Refusal) as refusal:
            await wrong
        assert refusal.value.code is Code.FORBIDDEN
    await world.close()


ODD = [
    Terms(peak_minor_per_kw=D(-1)),
    Terms(energy_minor_per_kwh=D("Infinity")),
    Terms(limit_w=D(0)),
    Terms(limit_w=D("NaN")),
    Terms(carbon_g_per_kwh=(D(5001),)),
    Terms(carbon_g_per_kwh=(D(1), D(2))),
    Terms(windows=(Window(60, 60, D(1)),)),
    Terms(windows=(Window(0, 1441, D(1)),)),
    Terms(windows=(Window(0, 50, D(1)),)),
    Terms(windows=(Window(60, 120, D(1)), Window(105, 180, D(1)))),
    Terms(windows=tuple(Window(60 * one, 60 * one + 30, D(1)) for one in range(7))),
]
FILES = [
    "",
    "at,kwh\n2026-03-01T12:00Z,100\n",
    "at,g_per_kwh\n",
    "at,g_per_kwh\n2026-03-01T12:00,100\n",
    "at,g_per_kwh\n2026-03-01T12:15Z,100\n",
    "at,g_per_kwh\n2026-03-01T12:00Z,-1\n",
    "at,g_per_kwh\n2026-03-01T12:00Z,NaN\n",
    "at,g_per_kwh\n2026-03-01T12:00Z\n",
    "at,g_per_kwh\n2026-03-01T12:00Z,1\n2026-03-01T13:00+01:00,2\n",
    "at,g_per_kwh\n0001-01-01T00:00+14:00,1\n",
    'at,g_per_kwh\n"2026-03-01T12:00Z,1\n',
]


async def test_what_makes_no_sense_is_refused_and_leaves_nothing(database: str, tmp_path: Path) -> None:
    world, terms = await harbour(database, tmp_path)
    wrong = [terms.enter(VIEWER, SITE, one) for one in ODD]
    wrong += [terms.enter_carbon(VIEWER, SITE, one) for one in FILES]  # type: ignore[misc]
    for one in wrong:
        with pytest.raises(Refusal) as refusal:
            await one
        assert refusal.value.code is Code.INVALID
    with pytest.raises(Refusal) as refusal:
        await terms.enter(VIEWER, "Nowhere", TERMS)
    assert refusal.value.code is Code.NOT_FOUND
    async with world.door.store.read() as connection:
        for table in (site_terms, grid_carbon):
            assert await connection.scalar(select(func.count()).select_from(table)) == 0
    await world.close()


def test_a_time_of_day_may_go_past_midnight() -> None:
    at = NOON.replace(hour=0)
    found = [TERMS.energy_price_at(at + timedelta(minutes=one)) for one in (0, 359, 360, 1319, 1320)]
    assert found == [D("18.25"), D("18.25"), D("24.5"), D("24.5"), D("18.25")]
    assert TERMS.has_energy_prices and not Terms(windows=TERMS.windows).has_energy_prices
