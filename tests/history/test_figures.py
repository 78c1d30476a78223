"""Real sessions imported and counted, and the same figures worked out from the raw files by Polars: every one agrees.

Nothing is shared with the product but the files: they are read, repaired, spread over quarter hours and summed here by
other means. Energy comes evenly between the beginning and the end of charging, or of the session where that is all
that is known. On PostgreSQL a part of the sessions is enough, on SQLite it is all of them.
"""

from __future__ import annotations

import asyncio
import zipfile
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from lxml import etree

from tests.databases import ENGINES, Databases
from tests.doors import settings_for
from tests.once import once_a_run
from wattkeeper.assembly import open_rooms
from wattkeeper.charging.money.discrepancy import Kind
from wattkeeper.charging.statistics.span import Span
from wattkeeper.charging.statistics.terms import Terms, Window
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.history.importing import make_stations, plan, record
from wattkeeper.operations.history.mapping import read_mapping
from wattkeeper.operations.history.table import read_table
from wattkeeper.operations.money.discrepancies import audit_sessions
from wattkeeper.store.statistics import total
from wattkeeper.store.statistics.total import Part, Quarter, Total

HERE = Path(__file__).parent
MAPPINGS = HERE.parents[1] / "docs" / "mappings"
ZONE = "Europe/Zurich"
FIRST, UNTIL = date(2014, 1, 1), date(2024, 1, 1)
SINCE, BEFORE = datetime(2014, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
CHANGE = date(2015, 6, 1)
"""From this day on grids carry something else, and energy costs something else."""
QUARTER_S = 900
SPANS = ("plugged_s", "charging_s", "idle_s", "energy_wh", "unknown_s")
COUNTS = ("sessions", "ended", "empty", "unknown")
LOADED = ("energy_wh", "spread_wh")
SPREAD_S = 1_800
"""Energy between readings that lie further apart says little of a quarter hour."""
SOME = 300
"""How many rows of each file are enough to see that PostgreSQL counts as SQLite does."""
CAR_W = 6_600
"""What a car of those years charged with: with it the end of charging is made up, which neither file has."""
Told = dict[tuple[Any, ...], dict[str, float]]


# --- the raw files, read by other means ---------------------------------------------------------------------------


def workplaces() -> pl.DataFrame:
    """The workplace sessions as text."""
    return pl.read_csv(HERE / "data" / "workplace_sessions.csv", infer_schema_length=0)


def fast() -> pl.DataFrame:
    """The fast sessions as text."""
    archive = zipfile.ZipFile(HERE / "data" / "dc_fast_sessions.xlsx")
    of = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    words = ["".join(one.itertext()) for one in etree.fromstring(archive.read("xl/sharedStrings.xml")).iter(f"{of}si")]
    rows = []
    for row in etree.fromstring(archive.read("xl/worksheets/sheet1.xml")).iter(f"{of}row"):
        values = [(cell.get("t"), cell.findtext(f"{of}v") or "") for cell in row]
        rows.append([words[int(value)] if kind == "s" else value for kind, value in values])
    return pl.DataFrame(rows[1:], schema=rows[0], orient="row")


def seconds_of(text: pl.Expr) -> pl.Expr:
    """The days of a sheet as the second that they mean."""
    day = (text.cast(pl.Float64) * 86_400).round().cast(pl.Int64) * 1_000_000
    return pl.lit(datetime(1899, 12, 30)) + day.cast(pl.Duration("us"))


def stamps_of(text: pl.Expr) -> pl.Expr:
    """Times with the years as they were meant."""
    return (pl.lit("20") + text.str.slice(2)).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", time_zone="UTC")


def full_of(table: pl.DataFrame) -> pl.DataFrame:
    """The workplace sessions once more, at other stations, with an end of charging of their own, to the second."""
    kwh, begin, end = pl.col("kwhTotal").cast(pl.Float64), stamps_of(pl.col("created")), stamps_of(pl.col("ended"))
    lasting = (kwh * 1000 / CAR_W * 3600).ceil().cast(pl.Int64) * 1_000_000
    full = pl.min_horizontal(begin + lasting.cast(pl.Duration("us")), end)
    return table.with_columns(
        stationId=pl.lit("F") + pl.col("stationId"),
        locationId=pl.lit("F") + pl.col("locationId"),
        full=pl.when(kwh > 0).then(full.dt.strftime("%Y-%m-%d %H:%M:%S")).otherwise(pl.lit("")),
    )


def sessions_of(raw: Raw) -> pl.DataFrame:
    """All sessions in one form: site, station, evse, begin, full, end, wh, and whether the end of charging is known."""
    form = ("site", "station", "evse", "begin", "full", "end", "wh", "known")
    wh = pl.col("kwhTotal").cast(pl.Float64) * 1000
    place = {"site": pl.col("locationId"), "station": pl.col("stationId"), "evse": pl.lit(1), "wh": wh}
    times = {"begin": stamps_of(pl.col("created")), "end": stamps_of(pl.col("ended"))}
    empty = wh == 0
    slow = raw.slow.with_columns(**place, **times, full=times["end"], known=empty).select(form)
    said = pl.col("full").replace("", None).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", time_zone="UTC")
    full = raw.full.with_columns(**place, **times, full=said.fill_null(times["end"]), known=empty | said.is_not_null())
    full = full.select(form)
    begin, end = (
        seconds_of(pl.col(name)).dt.replace_time_zone(ZONE).dt.convert_time_zone("UTC")
        for name in ("Arrival", "Departure")
    )
    quick = raw.quick.with_columns(
        site=pl.lit("EPFL"),
        station=pl.lit("DESL-DC"),
        evse=pl.col("CCS").replace_strict({"CCS1": 1, "CCS2": 2}, return_dtype=pl.Int32),
        **{"begin": begin, "end": end, "full": end, "wh": pl.col("Energy (Wh)").cast(pl.Float64)},
        known=pl.col("Energy (Wh)").cast(pl.Float64) == 0,
    ).select(form)
    return pl.concat([slow, full, quick], how="vertical_relaxed")


@dataclass(frozen=True)
class Raw:
    """The files as text, or the first rows of each."""

    slow: pl.DataFrame
    full: pl.DataFrame
    quick: pl.DataFrame

    @classmethod
    def read(cls, engine: str) -> Raw:
        """All rows, or those that are enough."""
        slow, quick = workplaces(), fast()
        if engine != "sqlite":
            slow, quick = slow.head(SOME), quick.head(SOME)
        return cls(slow, full_of(slow), quick)


# --- every figure by Polars ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    """What sessions come to by quarter hours."""

    sessions: pl.DataFrame
    parts: pl.DataFrame

    @classmethod
    def of(cls, sessions: pl.DataFrame) -> Expected:
        """Sessions spread over the quarter hours in which they were."""
        numbered = sessions.with_columns(began=pl.col("begin").dt.truncate("15m"))
        quarters = pl.datetime_ranges("began", "end", interval="15m", closed="left", time_unit="us", time_zone="UTC")
        parts = numbered.with_columns(quarter=quarters).explode("quarter")
        over, drew = pl.col("quarter") + timedelta(minutes=15), pl.col("wh") > 0
        until_full = shared(pl.col("begin"), pl.col("full"), over)
        lasting = (pl.col("full") - pl.col("begin")).dt.total_microseconds() / 1e6
        parts = parts.with_columns(
            plugged_s=shared(pl.col("begin"), pl.col("end"), over),
            charging_s=pl.when(drew & pl.col("known")).then(until_full).otherwise(0.0),
            idle_s=pl.when(drew & pl.col("known")).then(shared(pl.col("full"), pl.col("end"), over)).otherwise(0.0),
            energy_wh=pl.when(drew).then(pl.col("wh") * until_full / lasting).otherwise(0.0),
            is_spread=lasting > SPREAD_S,
            sessions=(pl.col("quarter") == pl.col("began")).cast(pl.Int64),
        )
        first, unknown = pl.col("sessions"), ~pl.col("known")
        return cls(
            sessions,
            parts.with_columns(
                unknown=first * unknown,
                unknown_s=pl.col("plugged_s") * unknown,
                spread_wh=pl.col("energy_wh") * pl.col("is_spread"),
                ended=first,
                empty=first * (pl.col("wh") == 0),
                stayed_s=first * (pl.col("end") - pl.col("begin")).dt.total_microseconds() / 1e6,
                local=pl.col("quarter").dt.convert_time_zone(ZONE),
            ),
        )

    def by(self, *keys: pl.Expr, of: tuple[str, ...] = (*SPANS, *COUNTS, "stayed_s")) -> Told:
        """Sums by keys, without those that are nothing."""
        named = [key.alias(f"key{place}") for place, key in enumerate(keys)]
        found = self.parts.group_by(named).agg(pl.col(name).sum() for name in of)
        rows = ((row[: len(keys)], dict(zip(of, row[len(keys) :], strict=True))) for row in found.iter_rows())
        return {key: told for key, told in rows if any(told.values())}


def shared(since: pl.Expr, until: pl.Expr, over: pl.Expr) -> pl.Expr:
    """How many seconds of a quarter hour lie between two instants."""
    span = pl.min_horizontal(until, over) - pl.max_horizontal(since, pl.col("quarter"))
    return (span.dt.total_microseconds() / 1e6).clip(lower_bound=0)


# --- the same figures by Wattkeeper -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counted:
    """What Wattkeeper says."""

    by_outlet: Told
    by_day: Told
    by_month: dict[str, Told]
    by_hour: dict[str, Told]
    load: dict[str, list[Quarter]]
    together: list[Quarter]
    highest: dict[str, Quarter]
    stays: dict[str, dict[int, int]]
    one_month: dict[str, dict[int, int]]
    odd: dict[Kind, int]
    carbon: Told


def plain(one: Total) -> dict[str, float]:
    """A total as numbers."""
    return {name: float(getattr(one, name)) for name in (*SPANS, *COUNTS, "stayed_s")}


async def count(database: str, folder: Path, raw: Raw) -> Counted:
    """Import the files by their mappings, let them be counted, read everything."""
    settings = settings_for(database, folder, time_zone=ZONE)
    slow = (MAPPINGS / "workplace_sessions.toml").read_text()
    full = slow.replace("[columns]", '[columns]\ncharged = "full"')
    async with open_rooms(settings) as rooms:
        for name, table, mapping in (("slow", raw.slow, slow), ("full", raw.full, full)):
            table.write_csv(folder / f"{name}.csv")
            await take(rooms, folder / f"{name}.csv", mapping)
        fast_file = HERE / "data" / "dc_fast_sessions.xlsx"
        whole = raw.quick.height > SOME
        if not whole:
            fast_file = folder / "quick.csv"
            stamps = {
                name: seconds_of(pl.col(name)).dt.strftime("%Y-%m-%d %H:%M:%S") for name in ("Arrival", "Departure")
            }
            raw.quick.with_columns(**stamps).write_csv(fast_file)
        quick = (MAPPINGS / "dc_fast_sessions.toml").read_text()
        await take(rooms, fast_file, quick if whole else quick.replace("excel", "%Y-%m-%d %H:%M:%S"))
        assert await rooms.statistics.counting.look() == raw.slow.height + raw.full.height + raw.quick.height
        audited = await audit_sessions(rooms.store, VIEWER, most=0)
        carbon = await emitted(rooms)
        async with rooms.store.read() as connection:
            return await read(connection, {kind: one.count for kind, one in audited.totals.items()}, carbon)


async def emitted(rooms: Any) -> Told:
    """Carbon by hour of the day and by month, and cost by hour, after terms of the sites: other ones since a day."""
    known = await rooms.statistics.use.known(VIEWER)
    by_hour = tuple(Decimal(100 + 10 * hour) for hour in range(24))
    morning = (Window(6 * 60 + 15, 8 * 60 + 30, Decimal("31.5")),)
    for site in known.sites:
        told = Terms(carbon_g_per_kwh=by_hour, energy_minor_per_kwh=Decimal(20), windows=morning)
        await rooms.statistics.terms.enter(VIEWER, site, told)
        other = Terms(since=CHANGE, carbon_g_per_kwh=(Decimal(333),), energy_minor_per_kwh=Decimal("24.5"))
        await rooms.statistics.terms.enter(VIEWER, site, other)
    found = (await rooms.statistics.carbon.of(VIEWER, Span(FIRST, UNTIL), known.sites, by_month=True)).weighed
    hours = {("hour", f"{hour}"): float(one.grams) for hour, one in enumerate(found.hours)}
    months = {("month", f"{of.first:%Y-%m}"): float(one.grams) for of, one in found.spans}
    day = await rooms.statistics.daytime.of(VIEWER, Span(FIRST, UNTIL), None, known.sites)
    cost = {("cost", f"{hour}"): float(one.bought.amount) for hour, one in enumerate(day.hours)}
    return {key: {"amount": amount} for key, amount in (hours | months | cost).items()}


async def take(rooms: Any, file: Path, text: str) -> None:
    """Import one file."""
    mapping = read_mapping(text)
    found = await plan(rooms.store, read_table(file), mapping)
    assert found.bad == []
    await make_stations(rooms.admission, found.unknown, mapping, "test")
    await record(rooms.intake, found.fresh, mapping)


async def read(connection: Any, odd: dict[Kind, int], carbon: Told) -> Counted:
    """Every figure that there is."""
    outlets = await total.by_outlet(connection, VIEWER, FIRST, UNTIL)
    days = await total.by_day(connection, VIEWER, FIRST, UNTIL)
    found = Counted(
        {tuple(outlet): plain(one) for outlet, one in outlets.items()},
        {(day,): plain(one) for day, one in days.items()},
        *({}, {}, {}),
        await total.load(connection, VIEWER, None, SINCE, BEFORE),
        await total.highest_by_site(connection, VIEWER, SINCE, BEFORE),
        *({}, {}),
        odd,
        carbon,
    )
    for site in await total.sites(connection, VIEWER):
        months = await total.by_month(connection, VIEWER, "2014-01", "2023-12", Part(site=site))
        hours = await total.by_hour(connection, VIEWER, SINCE, BEFORE, site)
        found.by_month[site] = {(month,): plain(one) for month, one in months.items()}
        found.by_hour[site] = {(hour,): plain(one) for hour, one in hours.items()}
        found.load[site] = await total.load(connection, VIEWER, site, SINCE, BEFORE)
        found.stays[site] = await total.stays(connection, VIEWER, date(2014, 1, 1), date(2024, 1, 1), site)
        found.one_month[site] = await total.stays(connection, VIEWER, date(2015, 8, 1), date(2015, 9, 1), site)
    return found


@pytest.fixture(scope="module", params=ENGINES)
def both(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Expected, Counted]:
    """The figures of both, worked out once for each engine."""
    raw = Raw.read(request.param)

    def counted() -> Counted:
        address = asyncio.run(databases.fresh(request.param))
        made = asyncio.run(count(address, tmp_path_factory.mktemp("figures"), raw))
        asyncio.run(databases.drop(address))
        return made

    return Expected.of(sessions_of(raw)), once_a_run(tmp_path_factory, f"counted-{request.param}", counted)


def agree(told: Told, expected: Told) -> None:
    """Whether two tables say the same: counts exactly, sums to the thousandth."""
    assert {key for key, one in told.items() if any(one.values())} == set(expected)
    for key, figures in expected.items():
        for name, figure in figures.items():
            within = 1e-3 if name in (*SPANS, *LOADED, "stayed_s") else 0
            assert abs(told[key][name] - figure) <= within, (key, name, told[key][name], figure)


def test_every_outlet_agrees(both: tuple[Expected, Counted]) -> None:
    expected, counted = both
    agree(counted.by_outlet, expected.by(pl.col("station"), pl.col("evse"), pl.lit(1), pl.col("site")))


def test_every_day_agrees(both: tuple[Expected, Counted]) -> None:
    expected, counted = both
    agree(counted.by_day, expected.by(pl.col("local").dt.strftime("%Y-%m-%d")))


def test_every_month_of_every_site_agrees(both: tuple[Expected, Counted]) -> None:
    expected, counted = both
    told = {(site, *key): one for site, months in counted.by_month.items() for key, one in months.items()}
    agree(told, expected.by(pl.col("site"), pl.col("local").dt.strftime("%Y-%m")))


def test_every_hour_of_every_site_agrees(both: tuple[Expected, Counted]) -> None:
    expected, counted = both
    told = {(site, *key): one for site, hours in counted.by_hour.items() for key, one in hours.items()}
    agree(told, expected.by(pl.col("site"), pl.col("quarter").dt.truncate("1h"), of=(*SPANS, "sessions")))


def test_hours_of_the_week_agree(both: tuple[Expected, Counted]) -> None:
    """When cars are plugged in and when they arrive, by day of the week and hour where the installation is."""
    expected, counted = both
    week: Told = {}
    for hours in counted.by_hour.values():
        for (hour,), one in hours.items():
            local = hour.astimezone(ZoneInfo(ZONE))
            sums = week.setdefault((local.isoweekday(), local.hour), {"plugged_s": 0.0, "sessions": 0.0})
            for name in sums:
                sums[name] += one[name]
    keys = (pl.col("local").dt.weekday(), pl.col("local").dt.hour())
    agree(week, expected.by(*keys, of=("plugged_s", "sessions")))


def test_every_quarter_hour_of_every_site_agrees(both: tuple[Expected, Counted]) -> None:
    expected, counted = both
    told = {(site, one.at): plain_of(one) for site, load in counted.load.items() for one in load}
    agree(told, expected.by(pl.col("site"), pl.col("quarter"), of=LOADED))
    assert any(0 < one["spread_wh"] < one["energy_wh"] for one in told.values()) or expected.sessions.height <= 3 * SOME


def test_every_quarter_hour_of_all_sites_together_agrees(both: tuple[Expected, Counted]) -> None:
    expected, counted = both
    agree({(one.at,): plain_of(one) for one in counted.together}, expected.by(pl.col("quarter"), of=LOADED))


def plain_of(one: Quarter) -> dict[str, float]:
    """A quarter hour as numbers."""
    return {"energy_wh": float(one.energy_wh), "spread_wh": float(one.spread_wh)}


def test_carbon_and_cost_by_hour_of_the_day_and_carbon_by_month_agree(both: tuple[Expected, Counted]) -> None:
    expected, counted = both
    local = pl.col("local")
    hour, minute, is_later = local.dt.hour().cast(pl.Int64), local.dt.minute().cast(pl.Int64), local.dt.date() >= CHANGE
    grid = pl.when(is_later).then(333).otherwise(100 + 10 * hour)
    is_morning = (hour * 60 + minute).is_between(6 * 60 + 15, 8 * 60 + 30, closed="left")
    price = pl.when(is_later).then(24.5).when(is_morning).then(31.5).otherwise(20.0)
    by_hour, by_month = hour.cast(pl.String), local.dt.strftime("%Y-%m")
    for name, key, held in (("hour", by_hour, grid), ("month", by_month, grid), ("cost", by_hour, price)):
        parts = expected.parts.with_columns(amount=pl.col("energy_wh") * held / 1000)
        sums = parts.group_by(key.alias("key")).agg(pl.col("amount").sum()).filter(pl.col("amount") > 0)
        told = {of: one["amount"] for (kind, of), one in counted.carbon.items() if kind == name and one["amount"]}
        assert told == pytest.approx(dict(sums.iter_rows()), abs=1e-2), name


def test_the_highest_quarter_hour_of_every_site_agrees(both: tuple[Expected, Counted]) -> None:
    expected, counted = both
    by_site: dict[str, tuple[datetime, float]] = {}
    quarters = expected.by(pl.col("site"), pl.col("quarter"), of=LOADED)
    for (site, at), told in sorted(quarters.items()):
        known = by_site.get(site)
        if known is None or told["energy_wh"] > known[1] + 1e-6:
            by_site[site] = at, told["energy_wh"]
    assert set(counted.highest) == set(by_site)
    for site, (at, wh) in by_site.items():
        found = counted.highest[site]
        assert found.at == at, site
        assert float(found.energy_wh) == pytest.approx(wh, abs=1e-3), site
        assert float(found.spread_wh) == pytest.approx(quarters[site, at]["spread_wh"], abs=1e-3), site


def test_every_stay_agrees(both: tuple[Expected, Counted]) -> None:
    expected, counted = both
    lasted = ((pl.col("end") - pl.col("begin")).dt.total_seconds() // QUARTER_S).alias("lasted")
    month = pl.col("begin").dt.convert_time_zone(ZONE).dt.strftime("%Y-%m").alias("month")
    assert histogram(expected.sessions.group_by("site", lasted).len()) == counted.stays
    august = expected.sessions.filter(month == "2015-08").group_by("site", lasted).len()
    assert histogram(august) == {site: one for site, one in counted.one_month.items() if one}


def test_everything_odd_is_found(both: tuple[Expected, Counted]) -> None:
    expected, counted = both
    each = expected.sessions.with_row_index()
    lasting_h = (pl.col("full") - pl.col("begin")).dt.total_microseconds() / 3.6e9
    limit_w = pl.when(pl.col("site") == "EPFL").then(180_000.0).otherwise(6_900.0)
    at = ["station", "evse"]
    pairs = each.join(each, on=at).filter(
        (pl.col("begin") <= pl.col("begin_right")) & (pl.col("end") > pl.col("begin_right")),
        (pl.col("begin") < pl.col("begin_right")) | (pl.col("index") < pl.col("index_right")),
    )
    told = {
        Kind.NO_ENERGY: each.filter(pl.col("wh") == 0).height,
        Kind.BEYOND_BATTERY: each.filter(pl.col("wh") > 100_000).height,
        Kind.BEYOND_CONNECTOR: each.filter(pl.col("wh") > limit_w * 1.1 * lasting_h + 100).height,
        Kind.OVERLAP: pairs.height,
    }
    assert counted.odd == {kind: count for kind, count in told.items() if count}
    if each.height > 3 * SOME:
        assert [told[kind] for kind in Kind if kind in told] == [2 * 6, 2 * 19, 2 * 55, 8]


def histogram(found: pl.DataFrame) -> dict[str, dict[int, int]]:
    """How many sessions of each site lasted so long."""
    told: dict[str, dict[int, int]] = {}
    for site, lasted, sessions in found.iter_rows():
        told.setdefault(site, {})[lasted] = sessions
    return told
