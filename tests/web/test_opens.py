"""Every figure under Insight opens to exactly the sessions behind it, as far as the viewer may see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec
from sqlalchemy import select

from tests.stories.test_reliability import reckoning
from tests.stories.test_totals import counting, told
from tests.stories.world import NOON, World, minute
from tests.web.conftest import House, house_of
from tests.web.drivers import signed_in
from tests.web.opening import Figure, asked, behind, figures, lines, listed, unopened
from wattkeeper.charging.alerts.rule import Kind
from wattkeeper.charging.person import Role, Scope
from wattkeeper.charging.statistics.share import Share
from wattkeeper.store.alerts.alert import AlertRow
from wattkeeper.store.stations import station
from wattkeeper.store.tables import session, tallied
from wattkeeper.web.operator.alerts import behind as alerts
from wattkeeper.web.operator.insight.desks import DESKS

DAYS = "from=2026-03-01&to=2026-03-02"
PAGES = (
    "/insight",
    "/insight/week",
    "/insight/week?show=arrivals",
    "/insight/load",
    "/insight/stays",
    "/insight/hours",
    "/insight/carbon",
)
TOLD_G = 350
"""What the grid of the harbour carries, for a kWh; of others nobody told."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """A session as it was counted."""

    site: str
    share: Share
    left_at: datetime

    def within(self, since: datetime, until: datetime) -> list[int]:
        """Which of its quarter hours lie between two instants."""
        return [place for place, part in enumerate(self.share.parts) if since <= part.at < until]


@asynccontextmanager
async def busy_house(database: str, folder: Path) -> AsyncIterator[House]:
    """Two days: cars that stay after their session and over midnight, an untold connector, one that charges on.

    CP1 in the harbour, CP2 on the hill, CP3 and CP4 without a site.
    """
    world = World(database, folder)
    await world.open()
    await told(world)
    await world.admit("CP2", "CP3", "CP4")
    async with world.v16("CP2") as post:
        tx = await post.start(180, 500)
        await post.status("Charging", 181)
        await post.stop(tx, 240, 1500)
        await post.status("Finishing", 240)
        await post.status("Available", 420)
    async with world.v201("CP3") as post:
        await post.event("Started", "A", 0, 500, wh=0, evse=None)
        await post.event("Ended", "A", 1, 520, wh=900, evse=None)
    async with world.v16("CP4") as post:
        tx = await post.start(690, 0)
        await post.status("Charging", 691)
        await post.stop(tx, 715, 3000)
        await post.status("Finishing", 715)
        await post.status("Available", 800)
    async with world.v16("CP1", boots=False) as post:
        tx = await post.start(1500, 8000)
        await post.read(tx, 1560, wh=9000)
    house = await house_of(world.door)
    async with world.door.store.unit() as unit:
        for name, about in {"CP1": {"site": "Harbour", "label": "Quay"}, "CP2": {"site": "Hill"}}.items():
            await station.describe(unit, name, about)
    world.clock.reach(2000)
    await counting(world).look()
    await reckoning(world).look()
    async with house.api:
        terms = {"site": "Harbour", "carbon_g_per_kwh": [TOLD_G]}
        assert (await house.api.post("/api/v1/statistics/terms", json=terms)).status_code == 201
        yield house
    await world.close()


async def counted(house: House) -> dict[str, Seen]:
    """Every session by its id, as it was counted."""
    async with house.rooms.store.read() as connection:
        joined = select(tallied.c.session_id, tallied.c.site, tallied.c.share).join(
            session, session.c.id == tallied.c.session_id
        )
        rows = list(await connection.execute(joined))
    found = {}
    for name, site, text in rows:
        share = msgspec.json.decode(text, type=Share)
        stayed = timedelta(microseconds=int(share.stayed_s * 1_000_000))
        found[name] = Seen(site, share, share.started_at + stayed)
    return found


def windows(query: dict[str, str]) -> list[tuple[datetime, datetime]]:
    """The spans that an address asks for; all clocks show UTC here."""
    if len(query["since"]) > 10:
        return [(datetime.fromisoformat(query["since"]), datetime.fromisoformat(query["until"]))]
    first, last = (datetime.fromisoformat(query[name]).replace(tzinfo=UTC) for name in ("since", "until"))
    days = [first + number * DAY for number in range((last - first).days + 1)]
    days = [day for day in days if query.get("weekday") in (None, str(day.weekday()))]
    if "hour" not in query:
        return [(day, day + DAY) for day in days]
    if ":" in query["hour"]:
        since, until = (timedelta(hours=int(one[:2]), minutes=int(one[3:])) for one in query["hour"].split("-"))
        return [(day + since, day + until) for day in days]
    return [(day + int(query["hour"]) * HOUR, day + (int(query["hour"]) + 1) * HOUR) for day in days]


def meant(query: dict[str, str], seen: dict[str, Seen]) -> set[str]:
    """The sessions that an address should list, by what was counted alone."""
    spans, found = windows(query), set()
    for name, one in seen.items():
        share = one.share
        started = any(since <= share.started_at < until for since, until in spans)
        plugged = any(share.started_at < until and one.left_at > since for since, until in spans)
        wanted = [started or (plugged and query.get("within") == "ran")]
        if "site" in query:
            wanted.append(one.site == query["site"].removeprefix("-"))
        for field in ("station", "evse", "connector"):
            if field in query:
                wanted.append(str(getattr(share, field)) == query[field])
        if "energy" in query:
            wanted.append(share.is_empty)
        if "stay" in query:
            low, _, high = query["stay"].partition("-")
            quarters = int(share.stayed_s // 900)
            wanted.append(share.ended and int(low) <= quarters and (not high or quarters < int(high)))
        if all(wanted):
            found.add(name)
    return found


def agrees(one: Figure, query: dict[str, str], some: list[Seen]) -> bool:
    """Whether a figure is what its sessions come to, where it is one that can be added up here."""
    spans = windows(query)

    def total(field: str, is_told: bool | None = None) -> Decimal:
        those = [each for each in some if is_told in (None, each.site == "Harbour")]
        parts = [each.share.parts[place] for each in those for span in spans for place in each.within(*span)]
        return sum((getattr(part, field) for part in parts), Decimal(0))

    text = one.text.split()[0].replace("%", "")
    if one.head == "kWh":
        return Decimal(text) == round(total("energy_wh") / 1000, 2)
    if one.head == "CO₂":
        return Decimal(text) == round(total("energy_wh", is_told=True) * TOLD_G / 1_000_000, 1)
    if one.head == "kWh not told":
        return Decimal(text) == round(total("energy_wh", is_told=False) / 1000, 2)
    if text == "–":
        return sum(each.share.stayed_s * (1 if each.share.is_unknown else -1) for each in some) > 0
    if one.head == "Idle after full":
        return Decimal(text) == round(total("idle_s") / 3600, 1)
    if one.head in ("Sessions", "No energy"):
        return int(text) == len(some)
    if one.head == "Highest, kW":
        return Decimal(text) == round(total("energy_wh") * 4 / 1000, 1)
    return True


async def check(client: httpx.AsyncClient, seen: dict[str, Seen]) -> int:
    """Follow every link of every page; gives how many figures were compared."""
    done = 0
    known: dict[str, frozenset[str]] = {}
    for page in PAGES:
        shown = figures(await client.get(f"{page}{'&' if '?' in page else '?'}{DAYS}"))
        for one, link in behind(shown):
            query = asked(link)
            if link not in known:
                found = await listed(client, link)
                assert found.said == len(found.ids), (page, link)
                assert found.ids == meant(query, seen), (page, one, link)
                known[link] = found.ids
            assert agrees(one, query, [seen[name] for name in known[link]]), (page, one, link)
            done += 1
    return done


async def test_no_figure_is_left_without_a_way(database: str, tmp_path: Path) -> None:
    """Every page under Insight, whoever looks; one that is made later is walked as well."""
    async with (
        busy_house(database, tmp_path) as house,
        signed_in(house, "o@example.org", Role.OWNER) as (_, owner),
        signed_in(house, "h@example.org", Role.SITE_HOST, ("Hill",)) as (viewer, host),
    ):
        for path, _, scope in (*DESKS, ("/alerts", "", Scope.STATIONS_READ)):
            assert unopened(await owner.get(f"{path}?{DAYS}"), path) == [], path
            if scope in viewer.scopes | viewer.at_sites:
                assert unopened(await host.get(f"{path}?{DAYS}"), path) == [], path
        assert unopened(await owner.get(f"/insight/uptime?{DAYS}&reason=plug-ins"), "/insight/uptime") == []


async def test_alerts_lead_to_what_they_were_measured_from(database: str, tmp_path: Path) -> None:
    async with busy_house(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        seen = await counted(house)
        began = {name: (one.share.started_at - NOON) // timedelta(minutes=1) for name, one in seen.items()}
        for kind, at, expected in (
            (Kind.FAILED_STARTS, 130, {120}),
            (Kind.FAILED_STARTS, 100, set()),
            (Kind.FAILED_SHARE, 130, {120}),
            (Kind.PEAK_NEAR_LIMIT, 36, {7}),
            (Kind.ENERGY_WITHOUT_SESSION, 90, {7}),
        ):
            row = AlertRow("a", "r", kind, "s", "CP1", "Harbour", Decimal(1), Decimal(1), {}, False, minute(at))
            told = alerts.behind(row, UTC)
            assert told is not None
            found = await listed(owner, told[1])
            assert {began[name] for name in found.ids} == expected, (kind, told)
        of = ("a", "r", Kind.STATION_OFFLINE, "s", "CP2", "Hill")
        row = AlertRow(*of, Decimal(1), Decimal(1), {}, False, minute(500))
        told = alerts.behind(row, UTC)
        assert told is not None and len(await lines(owner, told[1])) == 1, "it was never heard of again"


async def test_each_figure_is_what_its_sessions_come_to(database: str, tmp_path: Path) -> None:
    async with busy_house(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        seen = await counted(house)
        assert len(seen) == 6
        assert await check(owner, seen) > 100
        async with signed_in(house, "h@example.org", Role.SITE_HOST, ("Hill",)) as (_, host):
            own = {name: one for name, one in seen.items() if one.site == "Hill"}
            assert await check(host, own) > 20
            for page in PAGES:
                for _, link in behind(figures(await owner.get(f"{page}{'&' if '?' in page else '?'}{DAYS}"))):
                    assert (await listed(host, link)).ids <= set(own), "a link from elsewhere shows no more"
