"""What is to be told of alerts arrives: through refusals, silence, deaths and quiet nights, under one id each."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.hooks import Listener, listening
from tests.stories.alarming import MINUTE, Alarming, Kind, ruled
from wattkeeper.charging.cards.limits import Day, Span
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.person import Role
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.access import Access
from wattkeeper.operations.alerts.telling import DAY, Telling, wait_after
from wattkeeper.operations.alerts.webhook import Webhooks
from wattkeeper.operations.people.letters.mail import Mail, Posted
from wattkeeper.operations.people.letters.post import message
from wattkeeper.store.alerts import letter, sending
from wattkeeper.store.alerts.sending import Word
from wattkeeper.store.people import account
from wattkeeper.store.stations import station
from wattkeeper.store.tables import station_state

OFFLINE = ruled(Kind.STATION_OFFLINE, 10, 0)


async def raised(a: Alarming, there: Listener, **more: Any) -> str:
    """One alert that waits to be told to a webhook; the webhook's id."""
    await a.world.admit("CP1")
    hook, _ = await a.hook(there.address)
    await a.rule(OFFLINE, hooks=(hook,), **more)
    async with a.world.v16():
        pass
    a.world.clock.skip(minutes=15)
    assert await a.look() == 1
    return hook


async def test_what_is_refused_is_told_again_later_each_time_and_under_the_same_id(
    database: str, tmp_path: Path
) -> None:
    a = await Alarming.open(database, tmp_path)
    async with listening("503 Busy", "500 Broken\r\nRetry-After: 600", "302 There\r\nLocation: /elsewhere") as there:
        await raised(a, there)
        assert await a.tell() == 1
        assert await a.tell() == 0, "not at once"
        a.world.clock.skip(seconds=11)
        assert await a.tell() == 1
        a.world.clock.skip(seconds=500)
        assert await a.tell() == 0, "it asked for ten minutes"
        a.world.clock.skip(seconds=101)
        assert await a.tell() == 1
        a.world.clock.skip(seconds=91)
        assert await a.tell() == 1
        assert [one.path for one in there.heard] == ["/alerts"] * 4, "no redirect is followed"
        assert len({one.id for one in there.heard}) == 1
        assert len({one.headers["webhook-timestamp"] for one in there.heard}) == 4
        assert await a.sendings() == [("raised", "sent", 4, "HTTP 204")]
    await a.world.close()


async def test_who_does_not_answer_is_given_up_after_a_day_and_it_is_said(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    async with listening() as there:
        await raised(a, there)
        there.answers = ["500 Broken"] * 100
        for _ in range(200):
            await a.tell()
            a.world.clock.skip(minutes=10)
        (one,) = await a.sendings()
        assert one[:2] == ("raised", "given_up")
        assert one[3] == "HTTP 500"
        assert 8 < one[2] < 25, "neither a hammer nor a shrug"
        assert len(there.heard) == one[2]
        assert (await a.on())[0].told_at is None
    await a.world.close()


async def test_silence_is_an_answer_too(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    async with listening() as there:
        there.silent = True
        await raised(a, there)
        door = a.world.door
        hasty = Webhooks(may_be_inside=True, within_s=0.2)
        mail = Mail(door.store, door.safe, door.settings)
        assert await Telling(door.store, door.safe, door.bus, door.settings, mail, hasty).look() == 1
        assert await a.sendings() == [("raised", "waiting", 1, "timeout")]
    a.world.clock.skip(seconds=11)
    await a.tell()
    assert (await a.sendings())[0][3] == "ConnectError"
    await a.world.close()


async def test_410_ends_the_webhook_and_nothing_waits_for_it(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    async with listening("410 Gone") as there:
        hook = await raised(a, there)
        await a.rule(ruled(Kind.STATION_OFFLINE, 5, 0, raise_after=20 * MINUTE), name="later", hooks=(hook,))
        await a.look()
        await a.tell()
        a.world.clock.skip(minutes=30)
        assert await a.look() == 1
        await a.tell()
        assert len(there.heard) == 1
        assert [row[:2] for row in await a.sendings()] == [("raised", "given_up"), ("raised", "dropped")]
        (row,) = await a.alerts.hooks.find(VIEWER)
        assert (row.ended_at is not None, row.ended_why) == (True, "HTTP 410")
    await a.world.close()


async def test_a_webhook_that_is_taken_away_is_told_no_more(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    async with listening() as there:
        hook = await raised(a, there)
        await a.alerts.hooks.remove(VIEWER, hook)
        with pytest.raises(Refusal):
            await a.alerts.hooks.remove(VIEWER, hook)
        assert await a.tell() == 0
        assert there.heard == []
        assert [row[1] for row in await a.sendings()] == ["dropped"]
    await a.world.close()


async def test_who_dies_between_deciding_and_telling_has_told_it_afterwards(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    async with listening() as there:
        await raised(a, there)
        await a.restart()
        assert await a.look() == 0
        assert await a.tell() == 1
        assert len(there.heard) == 1
        await a.restart()
        assert await a.tell() == 0
    await a.world.close()


async def test_who_dies_while_telling_tells_again_under_the_same_id(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    async with listening() as there:
        there.silent = True
        await raised(a, there)
        telling = asyncio.create_task(a.tell())
        await there.came.wait()
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
        there.silent = False
        await a.restart()
        assert await a.tell() == 0, "it is still another's, who may be slow"
        a.world.clock.skip(seconds=61)
        assert await a.tell() == 1
        first, again = there.heard
        assert (first.id, first.body) == (again.id, again.body)
        assert [row[:3] for row in await a.sendings()] == [("raised", "sent", 2)]
    await a.world.close()


async def test_two_that_tell_tell_once(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    async with listening() as there:
        await raised(a, there)
        await asyncio.gather(*(a.tell() for _ in range(5)))
        assert len(there.heard) == 1
    await a.world.close()


async def test_a_letter_goes_to_whoever_works_here_and_may_know(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path, outbox=True)
    door = a.world.door
    access, people = Access(door.store, door.safe, door.settings), {}
    for name, role, sites in (
        ("own@x.org", Role.OWNER, ()),
        ("here@x.org", Role.SITE_HOST, ("Linz",)),
        ("there@x.org", Role.SITE_HOST, ("Graz",)),
        ("operator", Role.OPERATOR, ()),
        ("left@x.org", Role.SUPPORT, ()),
    ):
        people[name] = (await access.make_account(name, "correct horse battery staple", role, sites)).id
    driver = (await access.make_account("dora@x.org", "correct horse battery staple", Role.DRIVER)).id
    with pytest.raises(Refusal):
        await a.rule(OFFLINE, accounts=(driver,))
    await a.world.admit("CP1")
    await a.stand("CP1", "Linz")
    async with door.store.unit() as unit:
        await station.describe(unit, "CP1", {"label": "Quay\u2028\x85East"})
    made = await a.rule(OFFLINE, accounts=tuple(people.values()))
    async with door.store.unit() as unit:
        await account.remove(unit, people["left@x.org"])
    async with a.world.v16():
        pass
    a.world.clock.skip(minutes=15)
    await a.look()
    assert await a.tell() == 0, "more may come"
    a.world.clock.skip(seconds=5)
    assert await a.tell() == 5
    assert await a.tell() == 0
    shown = await Mail(door.store, door.safe, door.settings).outbox()
    assert {one.to for one in shown} == {"own@x.org", "here@x.org"}
    assert {one.kind for one in shown} == {"alert"}
    assert shown[0].subject.startswith("Wattkeeper: Alert: Quay East is not connected"), "on one line"
    assert message(shown[0], "watt@x.org", "https://x.org")["Subject"] == shown[0].subject
    assert "15 minutes" in shown[0].text
    assert sorted(row[1] for row in await a.sendings()) == ["dropped", "dropped", "dropped", "sent", "sent"]
    assert await a.alerts.rules.test(VIEWER, made.id) == 5
    await a.tell()
    assert len(await Mail(door.store, door.safe, door.settings).outbox()) == 5, "a try reaches whoever has an address"
    await a.world.close()


QUIET = (Span(time(22), time(6)),)


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (datetime(2026, 3, 10, 23, tzinfo=UTC), datetime(2026, 3, 11, 5, tzinfo=UTC)),
        (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 4, tzinfo=UTC)),
        (datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 10, 25, 5, tzinfo=UTC)),
    ],
    ids=["a night", "clocks go forward", "clocks go back"],
)
async def test_quiet_hours_hold_what_is_raised_until_they_end(
    database: str, tmp_path: Path, begin: datetime, end: datetime
) -> None:
    a = await Alarming.open(database, tmp_path, time_zone="Europe/Vienna")
    a.world.clock.reach(begin - timedelta(minutes=15))
    async with listening() as there:
        quiet = ruled(Kind.STATION_OFFLINE, 10, 0, quiet=QUIET)
        harm = ruled(Kind.STATION_OFFLINE, 10, 0, quiet=QUIET, is_harm=True)
        await a.world.admit("CP1")
        hook, _ = await a.hook(there.address)
        await a.rule(quiet, name="quiet", hooks=(hook,))
        await a.rule(harm, name="harm", hooks=(hook,))
        async with a.world.v16():
            pass
        a.world.clock.reach(begin)
        assert await a.look() == 2
        await a.tell()
        assert [one.told["data"]["is_harm"] for one in there.heard] == [True], "harm is told at once"
        held = next(one for one in await a.on() if not one.is_harm)
        assert held.held_until == end
        a.world.clock.reach(end - timedelta(seconds=5))
        assert await a.tell() == 0
        a.world.clock.reach(end)
        assert await a.tell() == 1
        assert len(there.heard) == 2
    await a.world.close()


async def test_what_is_over_before_quiet_hours_are_is_never_told(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    async with listening() as there:
        hook, _ = await a.hook(there.address)
        await a.world.admit("CP1")
        all_day = (Span(time(0), time(0), frozenset(Day) - {Day.MONDAY}),)
        await a.rule(ruled(Kind.STATION_OFFLINE, 10, 0, quiet=all_day), hooks=(hook,))
        async with a.world.v16():
            pass
        a.world.clock.skip(minutes=15)
        await a.look()
        async with a.world.v16():
            assert await a.look() == 1
        a.world.clock.skip(days=1)
        assert await a.tell() == 0
        assert [row[:2] for row in await a.sendings()] == [("raised", "dropped")]
        (one,) = await a.episodes()
        assert one.cleared_at is not None
        assert one.told_at is None
    await a.world.close()


def test_waits_grow_and_nobody_is_put_off_for_ever() -> None:
    waits = [wait_after(tries) for tries in range(1, 40)]
    assert waits == sorted(waits)
    assert waits[0] == timedelta(seconds=10)
    assert waits[-1] < DAY / 4
    assert wait_after(1, 10**7) < DAY


async def test_a_webhook_with_hundreds_waiting_hides_nobody_else(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path)
    async with listening() as dead, listening() as well:
        dead.answers = ["503 Busy"] * 1_000
        (first, _), (second, _) = await a.hook(dead.address), await a.hook(well.address)
        async with a.world.door.store.unit() as unit:
            for _ in range(600):
                await sending.enter(unit, "", "", Word.TEST, (), [first], unit.now)
        async with a.world.door.store.unit() as unit:
            await sending.enter(unit, "", "", Word.TEST, (), [second], unit.now)
        assert await a.tell() == 6
        assert (len(dead.heard), len(well.heard)) == (5, 1), "what fails is left alone for the first wait"
        a.world.clock.skip(seconds=11)
        assert await a.tell() == 5
    await a.world.close()


async def read_by(a: Alarming, name: str) -> str:
    """Somebody who works here, by account."""
    door = a.world.door
    access = Access(door.store, door.safe, door.settings)
    return (await access.make_account(name, "correct horse battery staple", Role.OPERATOR)).id


async def read(a: Alarming) -> list[Posted]:
    """What was told by letter by now, the newest first."""
    a.world.clock.skip(seconds=5)
    await a.tell()
    door = a.world.door
    return await Mail(door.store, door.safe, door.settings).outbox()


async def test_what_begins_together_is_one_letter_and_a_message_each_to_programs(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path, outbox=True)
    async with listening() as there:
        hook, _ = await a.hook(there.address)
        readers = (await read_by(a, "ada@x.org"), await read_by(a, "bob@x.org"))
        await a.rule(OFFLINE, hooks=(hook,), accounts=readers)
        await a.let_go(1, 3)
        assert await a.look() == 3
        shown = await read(a)
        assert sorted(one.to for one in shown) == ["ada@x.org", "bob@x.org"]
        assert {one.subject for one in shown} == {"Wattkeeper: 3 new alerts"}
        for number in (1, 2, 3):
            assert shown[0].text.count(f"Alert: CP0000{number} is not connected\nIt had been without") == 1
        assert "/alerts" in shown[0].text
        assert len(there.heard) == 3, "a program is told each by itself"
        assert {row[1] for row in await a.sendings()} == {"sent"}
        assert all(one.told_at is not None for one in await a.on())
        await a.let_go(4, 4)
        async with a.world.door.store.unit() as unit:
            back = update(station_state).where(station_state.c.station_id.in_(["CP00001", "CP00002"]))
            await unit.connection.execute(back.values(online=True))
        assert await a.look() == 3
        newest = (await read(a))[0]
        assert newest.subject == "Wattkeeper: 1 new alert, 2 alerts are over"
        assert (
            newest.text.index("Alert: CP00004")
            < newest.text.index("Over: CP00001")
            < newest.text.index("Over: CP00002")
        )
        assert len(await read(a)) == 4, "nothing is told again"
    await a.world.close()


async def test_very_many_are_counted_by_rule_and_told_once_though_a_letter_fails(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = await Alarming.open(database, tmp_path, outbox=True)
    reader = await read_by(a, "ada@x.org")
    await a.rule(OFFLINE, name="gone", accounts=(reader,))
    await a.rule(ruled(Kind.STATION_OFFLINE, 12, 0, is_harm=True), name="gone for long", accounts=(reader,))
    await a.let_go(1, 60)
    looks = await a.look()
    assert looks == 120
    a.world.clock.skip(seconds=5)
    with monkeypatch.context() as broken:
        broken.setattr(letter, "settle", fail)
        assert await a.tell() == 1
    assert await read(a) == [], "neither the letter nor its being told is kept without the other"
    a.world.clock.skip(minutes=1)
    (shown,) = await read(a)
    assert shown.subject == "Wattkeeper: 120 new alerts"
    assert "By rule:\ngone: 60 new alerts\ngone for long: 60 new alerts\n" in shown.text
    assert "The first 20:\nAlert: CP00001 is not connected. Since 2026-" in shown.text
    assert shown.text.count("is not connected") == 20
    assert {row[:3] for row in await a.sendings()} == {("raised", "sent", 2)}
    assert all(one.told_at is not None for one in await a.on())
    await a.world.close()


async def test_a_letter_that_cannot_be_written_is_tried_ever_more_seldom_and_given_up_after_a_day(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = await Alarming.open(database, tmp_path, outbox=True)
    await a.rule(OFFLINE, accounts=(await read_by(a, "ada@x.org"),))
    await a.let_go(1, 1)
    assert await a.look() == 1
    a.world.clock.skip(seconds=5)
    tried = []
    with monkeypatch.context() as broken:
        broken.setattr(letter, "first", fail)
        for hour in range(30):
            tried += [hour] * await a.tell()
            a.world.clock.skip(hours=1)
    assert tried[:3] == [0, 1, 2] and 8 < len(tried) < 18 and max(tried) < 24
    assert [row[:2] for row in await a.sendings()] == [("raised", "given_up")]
    assert await a.tell() == 0 and await read(a) == []
    await a.world.close()


async def test_a_letter_that_waited_for_days_while_nobody_was_here_is_not_given_up_at_its_first_try(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = await Alarming.open(database, tmp_path, outbox=True)
    await a.rule(OFFLINE, accounts=(await read_by(a, "ada@x.org"),))
    await a.let_go(1, 1)
    assert await a.look() == 1
    a.world.clock.skip(days=2)
    with monkeypatch.context() as broken:
        broken.setattr(letter, "first", fail)
        assert await a.tell() == 1
    a.world.clock.skip(minutes=1)
    assert [one.subject for one in await read(a)] == ["Wattkeeper: Alert: CP00001 is not connected"]
    await a.world.close()


async def fail(*_: object) -> None:
    """What a database does that goes away."""
    raise OSError


async def test_what_keeps_coming_is_told_within_a_minute(database: str, tmp_path: Path) -> None:
    a = await Alarming.open(database, tmp_path, outbox=True)
    await a.let_go(1, 1)
    rule = await a.rule(OFFLINE, accounts=(await read_by(a, "ada@x.org"),))
    (reader,), told = rule.accounts, []
    for number in range(20):
        async with a.world.door.store.unit() as unit:
            await sending.enter(unit, rule.id, f"al{number}", Word.RAISED, [reader], [], unit.now)
        told.append(await a.tell())
        a.world.clock.skip(seconds=4)
    assert told == [*[0] * 15, 1, *[0] * 4], "what came is told, and the rest waits for what comes with it"
    await a.world.close()
