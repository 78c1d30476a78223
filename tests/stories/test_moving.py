"""A station that moves: what happened stays with the site where it stood, in figures, money and for hosts."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.stories.test_totals import counting, totals
from tests.stories.world import NOON, World, minute
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.charging.statistics.savings import Kind
from wattkeeper.charging.statistics.span import Span
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.rebuild import rebuild
from wattkeeper.operations.statistics.findings import Findings
from wattkeeper.operations.statistics.reckoning import Reckoning
from wattkeeper.operations.statistics.reliability import Reliability
from wattkeeper.operations.statistics.use import Use
from wattkeeper.operations.statistics.when import When
from wattkeeper.store import journal
from wattkeeper.store.money import billable, delivered
from wattkeeper.store.sessions import receipt
from wattkeeper.store.sessions import session as sessions
from wattkeeper.store.sessions.session import Listed
from wattkeeper.store.stations import placement
from wattkeeper.store.stations import station as stations
from wattkeeper.store.statistics import reliability, share, total
from wattkeeper.store.statistics.total import Part

DAY = Span(date(2026, 3, 1), date(2026, 3, 2))
HOUR = 3600


def host(site: str) -> Viewer:
    """The host of a site."""
    scopes = frozenset({Scope.SESSIONS_READ, Scope.STATIONS_READ})
    return Viewer("host", Role.SITE_HOST, at_sites=scopes, sites=frozenset({site}))


async def move(world: World, site: str, at: float, since: Any = None) -> None:
    """Let CP1 stand at another site from a minute on."""
    world.clock.reach(at)
    await world.door.admission.describe("CP1", "ann", {"site": site}, since)


async def told(database: str, folder: Path) -> World:
    """4 kWh at Linz from 12:00 to 13:00; moved at 14:00; 1 kWh at Graz from 15:00 to 15:30. Broken in the middle."""
    world = World(database, folder)
    await world.open()
    await world.admit("CP1")
    await move(world, "Linz", 0)
    await world.door.admission.describe("CP1", "ann", {"address": "Quay 1, Linz", "latitude": Decimal(48)})
    async with world.v16() as station:
        await station.status("Available", 0)
        tx = await station.start(0, 1000)
        await station.stop(tx, 60, 5000)
        await station.status("Faulted", 100)
        await move(world, "Graz", 120)
        await world.door.admission.describe("CP1", "ann", {"address": "Square 2, Graz", "latitude": Decimal(47)})
        await station.status("Available", 140)
        tx = await station.start(180, 5000)
        await station.stop(tx, 210, 6000)
        await station.status("Available", 211)
        world.clock.reach(240)
        await counting(world).look()
        await Reckoning(world.door.store, MemoryBus(), world.door.settings).look()
    return world


async def test_what_was_used_and_when_stays_with_the_site(database: str, tmp_path: Path) -> None:
    world = await told(database, tmp_path)
    store, settings = world.door.store, world.door.settings
    use, when = Use(store, settings), When(store, settings)
    used: Any = await use.of(VIEWER, DAY, Part())
    assert [(one.site, one.total.energy_wh, one.total.sessions) for one in used.sites] == [
        ("Graz", 1000, 1),
        ("Linz", 4000, 1),
    ]
    assert (used.whole.evses, used.whole.total.energy_wh) == (1, 5000), "one EVSE, wherever it stands"
    assert [(one.site, round(one.lasting_s / HOUR)) for one in used.stations] == [("Graz", 2), ("Linz", 14)]
    assert [one.plugged and round(one.plugged * one.lasting_s) for one in used.stations] == [1800, 3600]
    for site, energy_wh in (("Linz", 4000), ("Graz", 1000)):
        of_host: Any = await use.of(host(site), DAY, Part())
        assert (of_host.whole.total.energy_wh, [one.site for one in of_host.sites]) == (energy_wh, [site])
        assert (await use.of(VIEWER, DAY, Part(site))).whole.total == of_host.whole.total
        assert (await when.load(host(site), DAY, site)).energy_wh == energy_wh
        other = "Graz" if site == "Linz" else "Linz"
        assert (await when.load(host(site), DAY, other)).energy_wh == 0
        assert [
            one.total.energy_wh
            for one in (await when.week(host(site), DAY, None)).slots.values()
            if one.total.energy_wh
        ]
        assert (await when.week(host(site), DAY, None)).whole.total.energy_wh == energy_wh
        assert (await when.stays(host(site), DAY, None)).sessions == 1
        assert set(await when.peaks(host(site), DAY)) == {site}
        assert [one.energy_wh for _, one in await use.days(host(site), DAY, Part(), by_month=False)] == [energy_wh]
    before = await totals(store)
    await counting(world).rebuild()
    assert await totals(store) == before
    await rebuild(store)
    await counting(world).look()
    assert await totals(store) == before
    await world.close()


async def test_sessions_money_and_words_are_where_they_happened(database: str, tmp_path: Path) -> None:
    world = await told(database, tmp_path)
    linz, graz = await world.sessions("CP1")
    async with world.door.store.read() as connection:
        found = await billable.of(connection, [linz.id, graz.id])
        assert (found[linz.id].spot.site, found[graz.id].spot.site) == ("Linz", "Graz")
        for site, one in (("Linz", linz), ("Graz", graz)):
            assert [row.id for row in await sessions.listed(connection, host(site), Listed(), 9)] == [one.id]
            assert [row.id for row in await sessions.listed(connection, VIEWER, Listed(site=site), 9)] == [one.id]
        assert await delivered.by_sessions(connection, VIEWER, NOON, minute(300)) == [
            delivered.Delivered("Graz", "CP1", 1, Decimal(1000)),
            delivered.Delivered("Linz", "CP1", 1, Decimal(4000)),
        ]
        assert await delivered.within(connection, VIEWER, "Linz", NOON, minute(300)) == 4000
        for one, address in ((linz, "Quay 1, Linz"), (graz, "Square 2, Graz")):
            shown = await receipt.one(connection, VIEWER, one.id)
            assert shown is not None and shown.address == address, "as drivers are told"
        words = {site: await journal.of_station(connection, host(site), "CP1", 99) for site in ("Linz", "Graz")}
        assert {one.received_at < minute(120) for one in words["Linz"]} == {True}
        assert {one.received_at > minute(120) for one in words["Graz"]} == {True}
        marks = (await journal.marks_after(connection, host("Linz"), 0, 999)).marks
        assert {one.session for one in marks if one.session} == {linz.id}
        assert await stations.seen(connection, host("Linz"), "CP1") is None, "it stands elsewhere"
        seen = await stations.seen(connection, host("Graz"), "CP1")
    assert seen is not None and seen.site_since is not None and minute(120) <= seen.site_since < minute(121)
    await world.close()


async def test_outages_and_starts_are_of_the_site_where_they_happened(database: str, tmp_path: Path) -> None:
    world = await told(database, tmp_path)
    store = world.door.store
    looks = Reliability(store, world.door.safe, MemoryBus(), world.door.settings)
    report = await looks.report(VIEWER, DAY)
    minutes = {one.site: (round(one.uptime.known_s / 60), round(one.uptime.out_s / 60)) for one in report.stations}
    assert minutes == {"Linz": (120, 20), "Graz": (120, 20)}, "out from 13:40 to 14:20, of which 20 minutes at each"
    assert {one.site: (one.uptime.outages, one.uptime.repairs) for one in report.stations} == {
        "Linz": (1, 0),
        "Graz": (0, 1),
    }, "it broke at Linz and was mended at Graz"
    assert {one.site: (one.success.attempts, one.success.plug_ins) for one in report.stations} == {
        "Linz": (1, 1),
        "Graz": (1, 1),
    }
    for site in ("Linz", "Graz"):
        own = await looks.report(host(site), DAY)
        assert [one.site for one in own.stations] == [site] and own.success.attempts == 1
        assert (await looks.report(VIEWER, DAY, Part(site))).uptime.out_s == own.uptime.out_s
        (outage,) = await looks.outages(host(site), DAY)
        at = [
            None if one is None else round((one - NOON) / timedelta(minutes=1)) for one in (outage.since, outage.until)
        ]
        assert (outage.site, at) == (site, [100, 120] if site == "Linz" else [120, 140]), "nothing of the other site"
    (outage,) = await looks.outages(VIEWER, DAY)
    assert (outage.site, round((outage.until - outage.since) / timedelta(minutes=1))) == ("Linz", 40)  # type: ignore[operator]
    async with store.read() as connection:
        later = Span(date(2026, 2, 1), date(2026, 2, 28))
        assert await reliability.counts(connection, VIEWER, later, UTC) == {}
    await world.close()


async def test_a_name_that_was_wrong_takes_the_past_along(database: str, tmp_path: Path) -> None:
    world = await told(database, tmp_path)
    await move(world, "Wels", 250, minute(120))
    await counting(world).look()
    async with world.door.store.read() as connection:
        assert [one.site for one in await placement.of_station(connection, "CP1")] == ["Linz", "Wels"]
        assert await total.sites(connection, VIEWER) == ["Linz", "Wels"]
    await move(world, "Wels", 251, placement.ALWAYS)
    await counting(world).look()
    async with world.door.store.read() as connection:
        assert [one.site for one in await placement.of_station(connection, "CP1")] == ["Wels"]
        assert set(await total.busiest(connection, VIEWER, NOON, minute(300), 9)) >= {"Wels"}
        assert (await total.busiest(connection, VIEWER, NOON, minute(300), 9))["Wels"] == 5000
    with pytest.raises(Refusal) as refused:
        await move(world, "Linz", 252, minute(9999))
    assert refused.value.code is Code.INVALID
    await world.close()


async def test_sessions_from_before_what_changed_are_not_counted_again(database: str, tmp_path: Path) -> None:
    world = await told(database, tmp_path)

    async def again() -> int:
        async with world.door.store.read() as connection:
            return len(await share.waiting(connection, world.clock(), 9))

    assert await again() == 0
    await move(world, "Wels", 250, minute(120))
    assert await again() == 1, "that of 15:00, and not that of 12:00"
    await move(world, "Wels", 251, placement.ALWAYS)
    assert await again() == 2
    await world.close()


async def test_a_station_that_is_removed_leaves_its_past_where_it_was(database: str, tmp_path: Path) -> None:
    world = await told(database, tmp_path)
    before = await totals(world.door.store)
    await world.door.admission.remove("CP1", "ann")
    await counting(world).look()
    assert await totals(world.door.store) == before
    async with world.door.store.read() as connection:
        assert len(await sessions.listed(connection, host("Linz"), Listed(), 9)) == 1
    await world.admit("CP1")
    await move(world, "Graz", 300)
    async with world.door.store.read() as connection:
        assert [one.site for one in await placement.of_station(connection, "CP1")] == ["Linz", "Graz"]
    await world.close()


async def test_a_clock_that_is_wrong_does_not_carry_a_session_to_another_site(database: str, tmp_path: Path) -> None:
    world = await told(database, tmp_path)
    async with world.v201("CP1") as station:
        await station.event("Started", "A", 0, "2001-01-01T00:00:00Z", wh=0)
        await station.event("Started", "B", 0, "2099-01-01T00:00:00Z", wh=0, evse=2)
        async with world.door.store.read() as connection:
            ids = [one.id for one in await world.sessions("CP1")]
            found = await billable.of(connection, ids)
    assert sorted(one.spot.site for one in found.values()) == ["Graz", "Graz", "Graz", "Linz"]
    await world.close()


async def test_a_finding_about_idle_connectors_is_of_where_they_stand(database: str, tmp_path: Path) -> None:
    world = await told(database, tmp_path)
    await move(world, "Wels", 250)
    world.clock.skip(days=40)
    await counting(world).look()
    findings = Findings(world.door.store, world.door.settings)
    assert not [one for one in await findings.of(VIEWER, "Linz") if "no session" in str(one.title)], "it left"
    (idle,) = [one for one in await findings.of(VIEWER, "Wels") if one.kind is Kind.UNUSED]
    assert idle.title == "Connector CP1/1 had no session for 30 days", "there, whatever it did before it came"
    world.clock.now -= timedelta(days=20)
    assert await findings.of(VIEWER, "Wels") == [], "it has not stood there for so long"
    await world.close()
