"""Stations in trouble do what they are named for, and tell the truth about energy all the same."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from wattkeeper.simulator.charge import Charge
from wattkeeper.simulator.clock import Clock, real_now
from wattkeeper.simulator.curve import draw
from wattkeeper.simulator.quirks import QuirkyStation16
from wattkeeper.simulator.station import Manners, Station
from wattkeeper.simulator.trouble import Mishap, backlog, power_loss
from wattkeeper.simulator.v16.telling import Station16
from wattkeeper.simulator.v201.telling import Station201
from wattkeeper.simulator.visit import Driver, Outcome, arrive

from .conftest import SLOW, Plug
from .csms import GOOD_CARD, OTHER_CARD, Csms, open_csms
from .test_v201 import registers, steps

HOUR = 3600.0
UNHURRIED = 7_200
"""Slow enough that trouble comes long before the car leaves, however busy the machine."""


def contexts(events: list[dict[str, Any]]) -> list[str]:
    """The contexts of the first sample of each reading."""
    return [value["sampledValue"][0]["context"] for event in events for value in event.get("meterValue", [])]


def once(told: list[Any]) -> list[Any]:
    """Without repetitions: what was under way when the line broke is told again, word for word."""
    return [one for number, one in enumerate(told) if one not in told[:number]]


async def test_power_loss_ends_a_16_transaction_after_the_boot(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16, speed=UNHURRIED)
    station.mishap = Mishap(power_loss)
    await arrive(station, Driver(GOOD_CARD, 9_000, HOUR * 3))
    await csms.until(lambda: not len(station.outbox))
    assert len(csms.of("BootNotification")) == 2
    told = csms.actions()
    assert told[told.index("StopTransaction") :].count("BootNotification") == 0, "after the second boot"
    [start], [stop] = once(csms.of("StartTransaction")), csms.of("StopTransaction")
    assert stop["reason"] == "PowerLoss"
    [charge] = station.past
    assert charge.ended_at == charge.cut_at
    assert stop["meterStop"] - start["meterStart"] == charge.energy_wh(charge.ended_at)
    assert 0 < charge.energy_wh(charge.ended_at) < 9_000


async def test_power_loss_interrupts_a_201_transaction(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station201, speed=UNHURRIED)
    station.mishap = Mishap(power_loss)
    await arrive(station, Driver(GOOD_CARD, 6_000, HOUR * 4))
    await csms.until(lambda: not len(station.outbox))
    events = once(csms.of("TransactionEvent"))
    assert len(csms.of("BootNotification")) == 2
    assert [event["seqNo"] for event in events] == list(range(len(events)))
    assert len({event["transactionInfo"]["transactionId"] for event in events}) == 1
    back = next(event for event in events if "Interruption.End" in contexts([event]))
    cut_wh, back_wh = registers([back])
    assert contexts([back]) == ["Interruption.Begin", "Interruption.End"]
    assert cut_wh == back_wh
    begin, end = registers(events[-1:])
    assert end - begin == 6_000, "the car got all it wanted, later"


async def test_a_driver_who_would_have_left_in_the_dark_leaves_afterwards(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station201)
    station.spawn(arrive(station, Driver(GOOD_CARD, 50_000, HOUR * 20)))
    await csms.until(lambda: registers(csms.of("TransactionEvent")))
    station.lose_power()
    [charge] = station.charges()
    await station.clock.until(charge.leaves_at)
    await station.clock.sleep(HOUR)
    station.restore_power()
    await csms.until(lambda: station.past and not len(station.outbox))
    events = once(csms.of("TransactionEvent"))
    stamps = [event["timestamp"] for event in events]
    assert stamps == sorted(stamps)
    assert events[-1]["transactionInfo"]["stoppedReason"] == "Local"
    assert stamps[-1] > charge.cut_at.isoformat()[:19]


async def test_power_lost_before_the_plug_delays_the_charge_and_no_more(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16, speed=SLOW)
    station.local_list = {GOOD_CARD: True}
    visit = asyncio.ensure_future(arrive(station, Driver(GOOD_CARD, 100, 600)))
    await asyncio.sleep(0)
    station.lose_power()
    station.restore_power()
    assert await visit is Outcome.CHARGED
    await csms.until(lambda: station.online and not len(station.outbox))
    [stop] = csms.of("StopTransaction")
    stamps = [one["meterValue"][0]["timestamp"] for one in csms.of("MeterValues")]
    assert [*stamps, stop["timestamp"]] == sorted([*stamps, stop["timestamp"]])
    assert datetime.fromisoformat(stamps[-1]) < station.clock.now()


async def test_a_station_that_is_stopped_while_its_line_breaks_does_stop(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16)
    [life] = csms.lives
    station.line.drop()
    life.cancel()
    await asyncio.wait({life}, timeout=30)
    assert life.cancelled()


async def test_a_station_without_power_says_nothing_at_all(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station16)
    socket = csms.points["CP1"]._connection
    station.lose_power()
    pong = await socket.ping()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(pong), 0.3)
    assert socket.close_code is None, "neither a close frame nor a FIN came"
    station.restore_power()
    await csms.until(lambda: len(csms.of("BootNotification")) == 2)
    assert csms.points["CP1"]._connection is not socket


@pytest.mark.parametrize("kind", [Station16, Station201])
async def test_backlog_is_told_late_and_complete(kind: type[Station], csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(kind, speed=UNHURRIED)
    station.mishap = Mishap(backlog)
    await arrive(station, Driver(GOOD_CARD, 9_000, HOUR * 3))
    await csms.until(lambda: station.online and not len(station.outbox))
    assert len(csms.of("BootNotification")) == 1, "a lost network is no boot"
    assert len(csms.handshakes) == 2
    [charge] = station.past
    assert charge.energy_wh(charge.ended_at) == 9_000
    if kind is Station16:
        assert csms.of("StopTransaction")[0]["meterStop"] - csms.of("StartTransaction")[0]["meterStart"] == 9_000
        return
    events = once(csms.of("TransactionEvent"))
    assert [event["seqNo"] for event in events] == list(range(len(events)))
    late = [event for event in events if event.get("offline")]
    assert len(late) > 20
    assert events[0] not in late
    assert registers(events[-1:])[1] - registers(events[-1:])[0] == 9_000


async def test_charging_begins_and_ends_while_the_network_is_lost(csms: Csms, plug_in: Plug) -> None:
    station = await plug_in(Station201)
    station.local_list = {GOOD_CARD: True}
    station.lose_network()
    assert await arrive(station, Driver(OTHER_CARD, 1_000, HOUR)) is Outcome.REFUSED
    assert await arrive(station, Driver(GOOD_CARD, 1_000, HOUR)) is Outcome.CHARGED
    assert csms.of("TransactionEvent") == []
    station.restore_network()
    await csms.until(lambda: station.online and not len(station.outbox))
    events = csms.of("TransactionEvent")
    assert all(event["offline"] for event in events)
    assert steps(events)[0] == ("Started", "Authorized")
    assert steps(events)[-1] == ("Ended", "StopAuthorized")
    assert "Authorize" not in csms.actions()


async def test_a_central_system_that_goes_away_loses_nothing(plug_in: Plug, csms: Csms) -> None:
    station = await plug_in(Station16)
    station.spawn(arrive(station, Driver(GOOD_CARD, 6_000, HOUR * 4)))
    await csms.until(lambda: len(csms.of("MeterValues")) > 5)
    assert csms.server is not None
    port = csms.server.sockets[0].getsockname()[1]
    csms.server.close()
    await csms.server.wait_closed()
    async with open_csms(csms, port):
        await csms.until(lambda: csms.of("StopTransaction"))
        await csms.until(lambda: station.online and not len(station.outbox))
    assert csms.of("StopTransaction")[0]["meterStop"] - csms.of("StartTransaction")[0]["meterStart"] == 6_000
    stamps = {one["meterValue"][0]["timestamp"] for one in csms.of("MeterValues")}
    assert len(stamps) > 60, "every reading arrived"


async def test_a_silent_central_system_is_called_again(plug_in: Plug, csms: Csms) -> None:
    station = await plug_in(Station16, manners=Manners(retry_from_s=0.02, answer_within_s=0.5))
    csms.silent.add("StartTransaction")
    station.spawn(arrive(station, Driver(GOOD_CARD, 1_000, HOUR)))
    await csms.until(lambda: len(csms.of("StartTransaction")) > 1)
    csms.silent.clear()
    await csms.until(lambda: csms.of("StopTransaction"))
    starts = csms.of("StartTransaction")
    assert all(start == starts[0] for start in starts), "the same start, repeated"
    assert csms.of("StopTransaction")[0]["transactionId"] > 0


async def test_an_unanswered_card_is_refused_and_the_line_given_up(plug_in: Plug, csms: Csms) -> None:
    station = await plug_in(Station16, manners=Manners(retry_from_s=0.02, answer_within_s=0.5))
    csms.silent.add("Authorize")
    assert await arrive(station, Driver(GOOD_CARD, 1_000, HOUR)) is Outcome.REFUSED
    await csms.until(lambda: len(csms.handshakes) > 1)


async def test_quirky_sessions_are_odd_in_every_promised_way(csms: Csms, plug_in: Plug) -> None:
    csms.lax = True
    station = await plug_in(QuirkyStation16, manners=Manners(retry_from_s=0.02))
    await arrive(station, Driver(GOOD_CARD, 5_000, HOUR * 3))
    await csms.until(lambda: not len(station.outbox))

    starts, stops = csms.of("StartTransaction"), csms.of("StopTransaction")
    assert len(starts) == len(stops) == 2
    assert starts[0] == starts[1]
    assert stops[0] == stops[1]
    ids = [one.message_id for one in csms.heard if one.action in ("StartTransaction", "StopTransaction")]
    assert len(set(ids)) == 4, "repeated under new message ids"
    assert stops[0]["meterStop"] - starts[0]["meterStart"] == 5_000
    assert datetime.fromisoformat(starts[0]["timestamp"]).tzinfo is None
    readings = csms.of("MeterValues")
    assert readings[4]["transactionId"] == 0 != readings[3]["transactionId"]
    values = [one["meterValue"][0]["sampledValue"][0] for one in readings]
    assert isinstance(values[0]["value"], int)
    assert values[0]["unit"] == "Wh"
    assert isinstance(values[1]["value"], str)
    assert values[1]["unit"] == "kWh"
    shown = [Decimal(str(one["value"])) * (1000 if one["unit"] == "kWh" else 1) for one in values]
    falls = [n for n, (one, other) in enumerate(pairwise(shown)) if other < one]
    assert falls == [2], "the register runs backwards once, at the fourth reading"
    told = [one.payload.get("status", one.action) for one in csms.heard if one.action != "MeterValues"]
    assert told[told.index("StopTransaction") - 1] == "Available", "before the transaction has stopped"


async def test_trouble_comes_first_and_then_with_every_third() -> None:
    befallen: list[Station] = []
    clock = Clock(real_now() - timedelta(days=60), 100_000)
    station = Station16("CP1", None, "ws://127.0.0.1:9/ocpp", clock)
    charge = Charge(station.connectors[0], GOOD_CARD, draw(0, 60), clock.now(), clock.now())

    async def note(troubled: Station) -> None:
        befallen.append(troubled)

    mishap, counts = Mishap(note), []
    for _ in range(7):
        await mishap(station, charge)
        counts.append(len(befallen))
    assert counts == [1, 1, 1, 2, 2, 2, 3]


async def test_trouble_spares_a_charge_that_is_over() -> None:
    befallen: list[Station] = []
    clock = Clock(real_now() - timedelta(days=60), 100_000)
    station = Station16("CP1", None, "ws://127.0.0.1:9/ocpp", clock)
    charge = Charge(station.connectors[0], GOOD_CARD, draw(0, 60), clock.now(), clock.now(), ended_at=clock.now())

    async def note(troubled: Station) -> None:
        befallen.append(troubled)

    mishap = Mishap(note)
    await mishap(station, charge)
    assert befallen == []
    charge.ended_at = None
    await mishap(station, charge)
    assert befallen == [station], "the next one has it instead"
