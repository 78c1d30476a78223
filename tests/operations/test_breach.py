"""A breach: who is affected in one query, the clock, the report without names, the notices, the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.doors import KEY
from tests.web.conftest import House, house
from tests.web.drivers import charged, signed_in
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.privacy.breach.breach import Happened

__all__ = ["house"]
WHAT = "A laptop with an export of sessions was left on a train."


async def test_who_is_affected_is_told_and_the_authority_in_time(house: House) -> None:
    breaches, clock = house.rooms.rights.breaches, house.rooms.store.clock
    async with (
        house.door.plugged("CP1", KEY) as station,
        charged(house, "anna", station) as anna,
        charged(house, "bert", station) as bert,
        signed_in(house, "carl@example.org") as (carl, carls),
    ):
        hour = timedelta(hours=1)
        here = Happened(WHAT, since=clock() - hour, until=clock() + hour, stations=("CP1",), is_risk=True)
        made = await breaches.open(VIEWER, here)
        one = await breaches.one(VIEWER, made)
        assert (one.affected, one.told, one.is_late) == (2, 0, False)
        assert timedelta(hours=71) < one.left <= timedelta(hours=72)
        before = Happened(WHAT, since=clock() - 9 * hour, until=clock() - 8 * hour, stations=("CP1",))
        assert (await breaches.one(VIEWER, await breaches.open(VIEWER, before))).affected == 0
        with pytest.raises(Refusal, match="CP9"):
            await breaches.open(VIEWER, Happened(WHAT, stations=("CP1", "CP9")))
        for tables, count in ((("account",), 3), (("card",), 2), (("login",), 3), (("bill",), 2), (("session",), 2)):
            other = await breaches.open(VIEWER, Happened(WHAT, tables=tables))
            assert (await breaches.one(VIEWER, other)).affected == count, tables
        report = await breaches.report(VIEWER, made)
        assert "about 2" in report and WHAT in report
        assert not any(word in report for word in (anna.email, anna.viewer.person, bert.email))
        with pytest.raises(Refusal) as why:
            await breaches.close(VIEWER, made, "The laptop was found; its disk is encrypted.")
        assert why.value.code is Code.CONFLICT, "a high risk: people first"
        words = "A list with your charging sessions was lost. No name stands in it. Ask us at help@example.org."
        assert await breaches.tell(VIEWER, made, "Your data were lost", words) == 2
        assert await breaches.tell(VIEWER, made, "Your data were lost", words) == 0, "each once"
        told = (await anna.client.get("/api/v1/notices")).json()["items"]
        assert told[0]["title"] == "Your data were lost"
        assert (await carls.get("/api/v1/notices")).json()["items"] == []
        await breaches.reported(VIEWER, made)
        await breaches.close(VIEWER, made, "The laptop was found; its disk is encrypted.")
        with pytest.raises(Refusal):
            await breaches.reported(VIEWER, made)
        late = await breaches.open(VIEWER, Happened(WHAT, known_at=clock() - 73 * hour))
        assert (await breaches.one(VIEWER, late)).is_late
        with pytest.raises(Refusal):
            await breaches.listed(carl)


async def test_whoever_has_no_account_is_never_counted_as_told(house: House) -> None:
    breaches = house.rooms.rights.breaches
    await house.rooms.cards.import_csv("number\n04A1B2C3\n", VIEWER)
    async with house.door.plugged("CP1", KEY) as station, charged(house, "anna", station):
        made = await breaches.open(VIEWER, Happened(WHAT, tables=("card",), is_risk=True))
        one = await breaches.one(VIEWER, made)
        assert (one.affected, one.told, one.unreached) == (2, 0, 1)
        with pytest.raises(Refusal):
            await breaches.close(VIEWER, made, "The laptop was found; its disk is encrypted.")
        assert await breaches.tell(VIEWER, made, "Your data were lost", "A list with your cards was lost.") == 1
        one = await breaches.one(VIEWER, made)
        assert (one.affected, one.told, one.unreached) == (2, 1, 1)
        assert "cannot be written to: 1;" in await breaches.report(VIEWER, made)
        await breaches.close(VIEWER, made, "Those without an account were told in the newspaper.")


@pytest.mark.parametrize(
    "wrong",
    [Happened("short"), Happened(WHAT, tables=("person; DROP TABLE person",)), Happened("x" * 6000)],
)
async def test_what_makes_no_sense_is_refused(house: House, wrong: Happened) -> None:
    with pytest.raises(Refusal) as why:
        await house.rooms.rights.breaches.open(VIEWER, wrong)
    assert why.value.code is Code.INVALID
