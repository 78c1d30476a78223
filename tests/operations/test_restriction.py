"""Restriction and objection: each job that uses data beyond what a person is served by asks when it runs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.web.conftest import House, house
from tests.web.drivers import signed_in
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.privacy.consent import Consented, Door
from wattkeeper.charging.privacy.rights import Use, month_after
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.insight.counting import who_counts
from wattkeeper.operations.privacy.consents import USED, agreed
from wattkeeper.operations.privacy.restriction import excluded, is_excluded

__all__ = ["house"]


@pytest.mark.parametrize("use", [Use.INSIGHT, Use.ALL])
async def test_who_objects_does_not_count_although_they_agreed(house: House, use: Use) -> None:
    async with signed_in(house, "anna@example.org") as (anna, _), signed_in(house, "bert@example.org") as (bert, _):
        for one in (anna, bert):
            await house.rooms.consents.say(one, Consented.INSIGHT, "en", Door.PAGE, agrees=True)
        assert await counting(house) == {anna.person, bert.person}
        await house.rooms.rights.restrictions.set(anna, anna.person, use, "I would rather not")
        assert await counting(house) == {bert.person}
        await house.rooms.rights.restrictions.lift(anna, anna.person, use)
        assert await counting(house) == {anna.person, bert.person}
        with pytest.raises(Refusal):
            await house.rooms.rights.restrictions.lift(anna, anna.person, use)


async def counting(house: House) -> frozenset[str]:
    """Whose sessions count now."""
    async with house.rooms.store.unit() as unit:
        return await who_counts(unit)


async def test_each_purpose_that_is_agreed_to_ends_with_a_restriction(house: House) -> None:
    async with signed_in(house, "anna@example.org") as (anna, _):
        for purpose in Consented:
            await house.rooms.consents.say(anna, purpose, "en", Door.PAGE, agrees=True)
        await house.rooms.rights.restrictions.set(VIEWER, anna.person, Use.ALL)
        async with house.rooms.store.unit() as unit:
            assert not any([await agreed(unit, anna.person, purpose) for purpose in Consented])
            for use in Use:
                assert anna.person in await excluded(unit, use)
                assert await is_excluded(unit.connection, anna.person, use)
    assert set(USED) == set(Consented), "a purpose that nobody can object to"


async def test_nobody_restricts_or_reads_what_is_anothers(house: House) -> None:
    async with signed_in(house, "anna@example.org") as (anna, _), signed_in(house, "bert@example.org") as (bert, _):
        tries = (
            house.rooms.rights.restrictions.set(bert, anna.person, Use.ALL),
            house.rooms.rights.restrictions.lift(bert, anna.person, Use.ALL),
            house.rooms.rights.restrictions.of(bert, anna.person),
            house.rooms.rights.rectifying.correct(bert, anna.person, "name", "Mallory"),
            house.rooms.rights.rectifying.history(bert, anna.person),
            house.rooms.rights.forgetting.plan(bert, anna.person),
            house.rooms.rights.forgetting.forget(bert, anna.person),
            house.rooms.rights.requests.listed(bert),
        )
        for one in tries:
            with pytest.raises(Refusal):
                await one
        nobody = Viewer("nobody", bert.role)
        with pytest.raises(Refusal):
            await house.rooms.rights.restrictions.set(nobody, "", Use.ALL)


async def test_a_correction_keeps_what_was(house: House) -> None:
    async with signed_in(house, "anna@example.org") as (anna, _):
        for name in ("Ana", "Anna", "Anna"):
            await house.rooms.rights.rectifying.correct(anna, anna.person, "name", name)
        told = [(one.was, one.now) for one in await house.rooms.rights.rectifying.history(anna, anna.person)]
        assert told == [("Ana", "Anna"), ("", "Ana")] or told[0] == ("Ana", "Anna")
        with pytest.raises(Refusal):
            await house.rooms.rights.rectifying.correct(anna, anna.person, "role", "owner")


@pytest.mark.parametrize(
    ("day", "months", "due"),
    [("2026-01-31", 1, "2026-02-28"), ("2026-12-15", 1, "2027-01-15"), ("2026-11-30", 3, "2027-02-28")],
)
def test_a_month_is_a_month(day: str, months: int, due: str) -> None:
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    assert f"{month_after(at, months):%Y-%m-%d}" == due
