"""Alerts, each kind raised and cleared by what real stations say, told once to whom it concerns."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from tests.hooks import listening
from tests.stories.alarming import MINUTE, Alarming, Kind, Where, charged_between_readings, ruled
from tests.stories.world import NOON
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.alerts.standing import State
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.statistics.terms import Terms, Window
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.language import tell_in
from wattkeeper.operations.alerts.rules import Wish
from wattkeeper.operations.alerts.told import told_of
from wattkeeper.operations.alerts.watch import AlertWatch
from wattkeeper.operations.statistics.counting import Counting
from wattkeeper.operations.statistics.reckoning import Reckoning
from wattkeeper.operations.statistics.terms import SiteTerms
from wattkeeper.store.alerts.alert import Ended
from wattkeeper.store.engines import Store
from wattkeeper.store.money.tariffs import tariff as tariffs
from wattkeeper.store.money.tariffs.ocpi import of_ocpi
from wattkeeper.store.people import mail as letters
from wattkeeper.store.statistics import terms
from wattkeeper.store.tables import hold, mail

OFFLINE = ruled(Kind.STATION_OFFLINE, 10, 0, clear_after=5 * MINUTE)


async def test_a_station_that_goes_is_told_once_and_once_more_when_it_is_back(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    world = a.world
    await world.admit("CP1", "CP2")
    async with listening() as there:
        hook, secret = await a.hook(there.address)
        await a.rule(OFFLINE, hooks=(hook,))
        assert await a.look() == 0, "a station that never came is not missed"
        async with world.v16():
            assert await a.look() == 0
        world.clock.skip(minutes=9)
        assert await a.look() == 0
        world.clock.skip(minutes=2)
        assert await a.look() == 1
        assert await a.look() == 0
        (one,) = await a.on()
        assert (one.station, one.site, one.state, one.told_at) == ("CP1", "", State.RAISED, None)
        assert one.value == 11
        assert await a.tell() == 1
        assert await a.tell() == 0
        (heard,) = there.heard
        assert heard.is_signed_by(secret)
        assert heard.headers["content-type"] == "application/json"
        assert heard.told["type"] == "alert.raised"
        assert {k: heard.told["data"][k] for k in ("station", "value", "unit", "state", "kind")} == {
            "station": "CP1",
            "value": "11",
            "unit": "min",
            "state": "raised",
            "kind": "station_offline",
        }
        assert (await a.on())[0].told_at is not None
        async with world.v16():
            assert await a.look() == 0, "it must stay"
            world.clock.skip(minutes=6)
            assert await a.look() == 1
        (over,) = await a.episodes()
        assert (over.state, over.ended) == (State.CLEARED, Ended.FELL)
        await a.tell()
        assert [one.told["type"] for one in there.heard] == ["alert.raised", "alert.cleared"]
        assert len({one.id for one in there.heard}) == 2
        assert [row[:2] for row in await a.sendings()] == [("raised", "sent"), ("cleared", "sent")]
    await world.close()


async def test_a_station_that_flaps_is_told_once(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.rule(OFFLINE)
    for _ in range(5):
        async with a.world.v16():
            await a.look()
            a.world.clock.skip(minutes=2)
            await a.look()
        a.world.clock.skip(minutes=12)
        await a.look()
    assert len(await a.episodes()) == 1, "back for two minutes is not back"
    apart = ruled(Kind.STATION_OFFLINE, 1, 0, apart=timedelta(hours=1))
    await a.rule(apart, name="hasty")
    for _ in range(6):
        async with a.world.v16():
            await a.look()
        a.world.clock.skip(minutes=10)
        await a.look()
    hasty = [one for one in await a.episodes() if one.raise_at == 1]
    assert len(hasty) == 1, "an hour lies between two alerts"
    await a.world.close()


async def test_a_peak_is_near_the_limit_of_its_site(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1", "CP2")
    await a.stand("CP1", "Linz")
    await a.stand("CP2", "Linz")
    await a.rule(ruled(Kind.PEAK_NEAR_LIMIT, 90, 80, limit_kw=20))
    async with a.world.v16() as one, a.world.v201("CP2") as two:
        first = await one.start(0, 1000)
        await one.read(first, 1, wh=1100, w=11000)
        assert await a.look() == 0
        await two.event("Started", "A", 0, 1, wh=0)
        await two.event("Updated", "A", 1, 2, wh=100, w=7400)
        assert await a.look() == 1
        (near,) = await a.on()
        assert (near.site, near.station, str(near.value)) == ("Linz", "", "92")
        assert near.figures == {"power": "18.4", "limit": "20"}
        await two.event("Updated", "A", 2, 3, wh=200, w=6000)
        assert await a.look() == 0, "85 percent: between the two nothing happens"
        await two.event("Updated", "A", 3, 4, wh=300, w=2000)
        assert await a.look() == 1
        assert await a.on() == []
        await one.read(first, 16, wh=5850, w=1000)
        await one.stop(first, 16, 5850)
        await two.event("Updated", "A", 4, 16, wh=400, w=100)
        await Counting(a.world.door.store, MemoryBus(), a.world.door.settings).look()
        assert await a.look() == 1, "the last quarter hour counts too, from what was counted"
        assert (await a.on())[0].value > 90
        a.world.clock.skip(minutes=30)
        assert await a.look() == 1
    await a.world.close()


async def test_a_peak_is_near_what_the_sites_connection_bears(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.stand("CP1", "Linz")
    await a.rule(ruled(Kind.PEAK_NEAR_LIMIT, 90, 80))
    async with a.world.v16() as one:
        tx = await one.start(0, 1000)
        await one.read(tx, 1, wh=1100, w=11000)
        assert await a.look() == 0, "nobody said what it bears"
        async with a.world.door.store.unit() as unit:
            await terms.enter(unit, "Linz", Terms(limit_w=Decimal(12000)), "test")
        assert await a.look() == 1
        assert (await a.on())[0].figures == {"power": "11.0", "limit": "12"}
    await a.world.close()


async def test_charging_that_fails(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.rule(ruled(Kind.FAILED_STARTS, 3, 0), name="count")
    await a.rule(ruled(Kind.FAILED_SHARE, 50, 10), name="share")
    async with a.world.v16() as one:
        for at in range(3):
            tx = await one.start(at, 1000)
            await one.stop(tx, at + 0.5, 1000)
            assert await a.look() == (1 if at == 2 else 0)
        idle = await one.start(3.5, 1000, connector=2)
        await one.stop(idle, 9.5, 1000)
        for at in (4, 6):
            tx = await one.start(at, 1000)
            await one.stop(tx, at + 1, 1500)
        assert await a.look() == 1, "three of six: who stood there for longer just drew nothing"
        assert {(row.kind, str(row.value)) for row in await a.on()} == {
            (Kind.FAILED_STARTS, "3"),
            (Kind.FAILED_SHARE, "50"),
        }
        a.world.clock.skip(minutes=70)
        assert await a.look() == 2
        assert await a.on() == []
    await a.world.close()


async def test_energy_that_no_session_took(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.rule(ruled(Kind.ENERGY_WITHOUT_SESSION, "0.5", 0))
    async with a.world.v16() as one:
        await charged_between_readings(one)
        assert await a.look() == 0, "what a session took is a session's"
        await one.read(None, 25, wh=6300)
        assert await a.look() == 0
        await one.read(None, 30, wh=6700)
        assert await a.look() == 1
        (risen,) = await a.on()
        assert (risen.station, str(risen.value)) == ("CP1", "0.7")
        await one.read(None, 95, wh=6700)
        assert await a.look() == 1
    await a.world.close()


async def test_energy_that_no_session_took_is_seen_by_meters_that_are_read_every_two_hours(
    database: str, tmp_path: Path
) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.rule(ruled(Kind.ENERGY_WITHOUT_SESSION, 2, 1))
    async with a.world.v16() as one:
        await one.read(None, 0, wh=1000)
        assert await a.look() == 0
        await one.read(None, 120, wh=7000)
        assert await a.look() == 1
        (risen,) = await a.on()
        assert risen.value == 3, "half of what came evenly in two hours"
    await a.world.close()


async def test_a_share_of_failed_starts_is_not_well_while_the_few_that_come_fail(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.rule(ruled(Kind.FAILED_SHARE, 50, 20))
    async with a.world.v16() as one:
        for place in range(5):
            await one.stop(await one.start(12 * place, 1000), 12 * place + 1, 1000)
        assert await a.look() == 1
        a.world.clock.reach(62)
        assert await a.look() == 0
        assert len(await a.on()) == 1, "four of four failed"
        a.world.clock.skip(minutes=61)
        assert await a.look() == 1
        assert await a.on() == []
    await a.world.close()


NIGHT: dict[str, Any] = {
    "currency": "EUR",
    "tax_included": "YES",
    "elements": [
        {
            "price_components": [{"type": "ENERGY", "price": "0.20"}],
            "restrictions": {"start_time": "13:00", "end_time": "14:00"},
        },
        {"price_components": [{"type": "ENERGY", "price": "0.60"}]},
    ],
}


async def test_the_price_of_the_hour(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.rule(ruled(Kind.PRICE_OF_HOUR, "0.25", "0.30", is_below=True), name="cheap")
    await a.rule(ruled(Kind.PRICE_OF_HOUR, "0.50", "0.40"), name="dear")
    assert await a.look() == 0, "without a price nothing is cheap"
    async with a.world.door.store.unit() as unit:
        await tariffs.keep(unit, of_ocpi(NIGHT), NOON - timedelta(days=1), "test")
    assert await a.look() == 1
    (dear,) = await a.on()
    assert (str(dear.value), dear.figures) == ("0.6", {"currency": "EUR"})
    told = told_of(dear, {})
    assert (told.title, told.why) == ("A kWh costs €0.60: the standard tariff", "Its rule tells of it from €0.50 on.")
    assert tell_in("de", told.why) == "Ihre Regel meldet das ab 0,50\N{NO-BREAK SPACE}€."
    a.world.clock.reach(NOON + timedelta(minutes=61))
    assert await a.look() == 2
    (cheap,) = await a.on()
    assert str(cheap.value) == "0.2"
    a.world.clock.reach(NOON + timedelta(minutes=121))
    assert await a.look() == 2
    await a.world.close()


async def test_the_price_of_what_is_bought_by_the_hour_of_the_terms(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1", "CP2")
    await a.stand("CP1", "Linz")
    await a.stand("CP2", "Graz")
    await a.rule(ruled(Kind.BOUGHT_PRICE, "0.30", "0.25"))
    with pytest.raises(Refusal, match="choose a site"):
        await a.rule(ruled(Kind.BOUGHT_PRICE, "0.30", "0.25", where=Where.STATION, subject="CP1"))
    assert await a.look() == 0, "nobody told"
    told = Terms(energy_minor_per_kwh=Decimal("24.5"), windows=(Window(13 * 60, 14 * 60, Decimal("31.25")),))
    await SiteTerms(a.world.door.store, a.world.door.settings).enter(VIEWER, "Linz", told)
    assert await a.look() == 0
    a.world.clock.reach(NOON + timedelta(minutes=61))
    assert await a.look() == 1
    (dear,) = await a.on()
    assert (dear.site, str(dear.value), dear.figures) == ("Linz", "0.3125", {"currency": "EUR"})
    assert told_of(dear, {}).title == "A kWh is bought at €0.3125: Linz"
    a.world.clock.reach(NOON + timedelta(minutes=121))
    assert await a.look() == 1 and await a.on() == []
    await a.world.close()


async def test_a_station_that_was_often_out(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1", "CP2")
    with pytest.raises(Refusal, match="can only be too low"):
        await a.rule(ruled(Kind.UPTIME, 97, 50))
    await a.rule(ruled(Kind.UPTIME, 97, 98, is_below=True))
    async with a.world.v16() as station:
        await station.status("Available", 0)
        await station.status("Faulted", 57)
        a.world.clock.reach(NOON + timedelta(minutes=60))
        await Reckoning(a.world.door.store, MemoryBus(), a.world.door.settings).look()
        assert await a.look() == 1, "3 of 60 minutes; of CP2, which told nothing, nothing is said"
        (out,) = await a.on()
        assert (out.station, round(out.value)) == ("CP1", 95)
        await station.status("Available", 60)
        a.world.clock.reach(NOON + timedelta(hours=4))
        await Reckoning(a.world.door.store, MemoryBus(), a.world.door.settings).look()
        assert await a.look() == 1 and await a.on() == []
    await a.world.close()


async def test_what_waits_for_people_and_letters_that_do_not_leave(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.rule(ruled(Kind.LETTERS_WAITING, 30, 5))
    await a.rule(ruled(Kind.BILLS_WAITING, 2, 1))
    with pytest.raises(Refusal, match="choose everything"):
        await a.rule(ruled(Kind.BILLS_WAITING, 2, 1, where=Where.SITE, subject="Linz"))
    assert await a.look() == 0
    store = a.world.door.store
    async with store.unit() as unit:
        await letters.keep(unit, "M1", "P1", "welcome", b"sealed")
        waits = {
            "site": "",
            "since": unit.now,
            "reasons": "[]",
            "currency": "EUR",
            "digits": 2,
            "gross_minor": 100,
            "energy_wh": Decimal(0),
        }
        rows = [waits | {"id": f"H{n}", "session_id": f"S{n}", "station_id": "CP1", "state": "open"} for n in range(3)]
        await unit.connection.execute(insert(hold), rows)
    a.world.clock.skip(minutes=31)
    assert await a.look() == 2
    assert sorted((one.kind, int(one.value), one.site, one.station) for one in await a.on()) == [
        (Kind.BILLS_WAITING, 3, "", ""),
        (Kind.LETTERS_WAITING, 31, "", ""),
    ]
    async with store.unit() as unit:
        await unit.connection.execute(update(mail).values(state="sent"))
        await unit.connection.execute(update(hold).values(state="accepted"))
    assert await a.look() == 2 and await a.on() == []
    await a.world.close()


async def test_somebody_sees_to_it_once_and_not_when_it_is_over(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.rule(OFFLINE)
    async with a.world.v16():
        pass
    a.world.clock.skip(minutes=15)
    await a.look()
    (one,) = await a.on()
    first = await a.alerts.episodes.acknowledge(VIEWER, one.id)
    again = await a.alerts.episodes.acknowledge(VIEWER, one.id)
    assert first == again
    assert first.state is State.ACKNOWLEDGED
    assert await a.look() == 0, "what is acknowledged is not raised anew"
    async with a.world.v16():
        await a.look()
        a.world.clock.skip(minutes=6)
        assert await a.look() == 1
        with pytest.raises(Refusal) as late:
            await a.alerts.episodes.acknowledge(VIEWER, one.id)
        assert late.value.code is Code.CONFLICT
    with pytest.raises(Refusal) as none:
        await a.alerts.episodes.acknowledge(VIEWER, "al0")
    assert none.value.code is Code.NOT_FOUND
    await a.world.close()


async def test_two_that_watch_raise_one_alert_and_tell_it_once(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    other = Store(database, a.world.clock)
    twin = AlertWatch(other, MemoryBus(), a.world.door.settings.zone)
    async with listening() as there:
        hook, _ = await a.hook(there.address)
        await a.rule(OFFLINE, hooks=(hook,))
        async with a.world.v16():
            pass
        a.world.clock.skip(minutes=15)
        assert await a.look() + await twin.look() == 1
        await a.tell()
        await a.tell()
        assert len(there.heard) == 1
    await other.close()
    await a.world.close()


async def test_a_rule_that_is_paused_changed_or_deleted_ends_its_alerts(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    made = await a.rule(OFFLINE)
    async with a.world.v16():
        pass
    a.world.clock.skip(minutes=15)
    rules = a.alerts.rules
    await a.look()
    await rules.pause(VIEWER, made.id)
    await rules.pause(VIEWER, made.id)
    assert await a.look() == 0
    await rules.resume(VIEWER, made.id)
    assert await a.look() == 1
    await rules.delete(VIEWER, made.id)
    with pytest.raises(Refusal):
        await rules.delete(VIEWER, made.id)
    assert await a.look() == 0
    assert [one.ended for one in await a.episodes()] == [Ended.PAUSED, Ended.DELETED]
    await a.world.close()


async def test_pausing_changing_or_leaving_does_not_make_the_time_between_two_alerts_forgotten(
    database: str, tmp_path: Path
) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.stand("CP1", "Linz")
    apart = ruled(Kind.STATION_OFFLINE, 10, 0, where=Where.SITE, subject="Linz", apart=timedelta(hours=2))
    made = await a.rule(apart)
    async with a.world.v16():
        pass
    a.world.clock.skip(minutes=15)
    assert await a.look() == 1
    await a.alerts.rules.pause(VIEWER, made.id)
    await a.alerts.rules.resume(VIEWER, made.id)
    assert await a.look() == 0, "paused and resumed"
    changed = Wish(made.name, replace(apart, raise_at=Decimal(5)))
    await a.alerts.rules.change(VIEWER, made.id, changed)
    assert await a.look() == 0, "changed"
    await a.stand("CP1", "Graz")
    await a.look()
    await a.stand("CP1", "Linz")
    assert await a.look() == 0, "gone and back"
    a.world.clock.skip(hours=2)
    assert await a.look() == 1 and await a.look() == 0
    assert len(await a.episodes()) == 2
    await a.world.close()


async def test_a_station_that_is_removed_or_moved_away_ends_its_alert(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.world.admit("CP1")
    await a.stand("CP1", "Linz")
    await a.rule(ruled(Kind.STATION_OFFLINE, 10, 0, where=Where.SITE, subject="Linz"))
    async with a.world.v16():
        pass
    a.world.clock.skip(minutes=15)
    assert await a.look() == 1
    await a.stand("CP1", "Graz")
    assert await a.look() == 1
    assert [one.ended for one in await a.episodes()] == [Ended.GONE]
    await a.world.close()


async def test_when_all_fail_at_once_no_transaction_is_about_all(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    await a.let_go(1, 120)
    await a.rule(ruled(Kind.STATION_OFFLINE, 10, 0))
    assert await a.look() == 120
    assert await a.look() == 0
    raised = Counter(one.raised_at for one in await a.on())
    assert (len(raised), max(raised.values())) == (3, 50)
    await a.world.close()
