"""Releases: measured before they leave, drawn once, paid for once, by nobody who did not agree."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import DBAPIError

from tests.operations.charged import CLOSED, FIRST, SITES, agree, charged, holding_row, session_row
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.insight.design import design
from wattkeeper.charging.insight.question import Kind, Question, period
from wattkeeper.charging.person import EVERYTHING, Role, Scope, Viewer
from wattkeeper.charging.privacy.rights import Use
from wattkeeper.operations.insight import drawing
from wattkeeper.operations.insight.counting import who_counts
from wattkeeper.operations.insight.releases import Releases
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import holding, release, restriction, session

OWNER = Viewer("owner", Role.OWNER, EVERYTHING)
JANUARY = period("2025-01", "2025-01")


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    opened = Store(database, lambda: CLOSED)
    yield opened
    await opened.close()


async def asked(store: Store, epsilon: str = "0.5", kind: Kind = Kind.SITE_LOAD, *sites: str) -> Question:
    return await Releases(store, UTC).asked(OWNER, kind, JANUARY, sites, Decimal(epsilon))


async def made(store: Store, epsilon: str = "0.5", kind: Kind = Kind.SITE_LOAD, *sites: str) -> Any:
    return await Releases(store, UTC).make(OWNER, await asked(store, epsilon, kind, *sites))


async def deeds(store: Store) -> list[deed.Deed]:
    async with store.read() as connection:
        return await deed.about(connection, "", [DeedKind.RELEASED, DeedKind.RELEASE_REFUSED])


async def left(store: Store) -> Decimal:
    return await Releases(store, UTC).left(OWNER, 2025)


async def test_what_leaves_was_measured_is_in_the_log_and_close_to_the_truth(store: Store) -> None:
    await charged(store)
    entry = await made(store)
    assert entry.has_left and len(entry.figures) == 5 and all(one["met"] for one in entry.figures)
    told = json.loads(entry.content)
    assert told["question"]["sites"] == [*SITES] and len(told["cells"]) == 48
    assert hashlib.sha256(entry.content.encode()).hexdigest() == entry.digest
    [one] = await deeds(store)
    assert one.kind == "insight.released" and one.body["digest"] == entry.digest and one.by == "owner"
    found = await Releases(store, UTC).check(OWNER, entry.id)
    assert found.is_whole and found.is_logged and found.fewest >= 10 and found.shown > 0
    assert found.error is not None and found.error < 0.25, "only that it is about the energy; how well: the report"
    assert "person-" not in entry.content + entry.sheet


async def test_a_question_asked_again_gives_the_same_bytes_and_spends_nothing(store: Store) -> None:
    await charged(store)
    first, again = await made(store), await made(store)
    assert first == again and await left(store) == Decimal("0.5") and len(await deeds(store)) == 1
    named = await made(store, "0.5", Kind.SITE_LOAD, "South", "North", "South")
    assert named.content == first.content, "the same sites in another order are the same question"


async def test_the_budget_of_a_year_is_never_overspent(store: Store) -> None:
    await charged(store)
    await made(store, "0.5")
    with pytest.raises(Refusal, match=r"2025 has 0\.5 of 1 left, and this asks for 0\.501"):
        await made(store, "0.501")
    assert await left(store) == Decimal("0.5")
    await made(store, "0.1", Kind.STAYS)
    assert await left(store) <= Decimal("0.5")


async def test_two_who_ask_at_once_spend_no_more_than_there_is(store: Store, database: str) -> None:
    await charged(store)
    other = Store(database, lambda: CLOSED)
    asks = [made(each, epsilon) for each, epsilon in ((store, "0.6"), (other, "0.61"), (store, "0.62"))]
    answers = await asyncio.gather(*asks, return_exceptions=True)
    await other.close()
    assert sum(isinstance(one, Refusal) for one in answers) == 2
    assert await left(store) >= 0 and len(await deeds(store)) == 1


async def test_two_who_ask_the_same_at_once_get_the_same(store: Store, database: str) -> None:
    await charged(store)
    other = Store(database, lambda: CLOSED)
    one, same = await asyncio.gather(made(store), made(other))
    await other.close()
    assert one == same and await left(store) == Decimal("0.5")


async def test_of_two_that_are_made_at_once_the_later_is_measured_with_the_earlier(store: Store, database: str) -> None:
    await charged(store, drivers=1000)
    other = Store(database, lambda: CLOSED)
    both = await asyncio.gather(made(store, "0.3"), made(other, "0.301"))
    await other.close()
    advantages = [next(Decimal(one["value"]) for one in each.figures if one["what"] == "membership") for each in both]
    assert max(advantages) > Decimal("0.065") > Decimal("0.06") > min(advantages), "one alone comes to 0.05"


async def test_what_would_tell_who_is_in_it_is_refused_with_the_figure(store: Store) -> None:
    await charged(store)
    entry = await made(store, "1")
    assert not entry.has_left and entry.content == "" and entry.sheet == ""
    [unmet] = [one for one in entry.figures if not one["met"]]
    assert unmet["what"] == "membership" and Decimal(unmet["value"]) > Decimal("0.10")
    assert await left(store) == 0, "what was drawn is spent"
    with pytest.raises(Refusal) as refused:
        await Releases(store, UTC).public(entry.id)
    assert refused.value.code is Code.NOT_FOUND
    [one] = await deeds(store)
    assert one.kind == "insight.refused"


async def test_what_left_before_counts_when_the_next_is_measured(store: Store) -> None:
    await charged(store)
    first, second = await made(store, "0.5"), await made(store, "0.5", Kind.SITE_LOAD, "North")
    assert first.has_left and not second.has_left
    figure = next(one for one in second.figures if one["what"] == "membership")
    assert Decimal(figure["value"]) > Decimal("0.11"), "both together, though each alone would do"


async def test_a_few_drivers_are_refused_at_the_first_look_which_alone_is_spent(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "drawn", lambda numbers, noise: list(numbers))  # chance alone might let them through
    await charged(store, drivers=30)
    entry = await made(store)
    assert not entry.has_left and entry.figures == [] and entry.content == ""
    assert await left(store) == Decimal("0.9")
    assert (await made(store)).id == entry.id and await left(store) == Decimal("0.9")


async def test_nobody_counts_who_did_not_agree(store: Store) -> None:
    await charged(store, agreeing=0)
    with pytest.raises(Refusal, match="No driver has agreed"):
        await made(store)
    assert await left(store) == 1 and await deeds(store) == []


async def test_only_those_count_who_agree(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await charged(store, drivers=600, agreeing=560)
    seen: set[str] = set()
    whole = drawing.candidate

    def watched(question: Question, records: Any, before: Any = ()) -> Any:
        seen.update(one.driver for one in records)
        return whole(question, records, before)

    monkeypatch.setattr(drawing, "candidate", watched)
    await made(store)
    assert seen == {f"person-{n:04d}" for n in range(560)}


async def test_g10_who_withdraws_while_a_release_is_made_is_not_in_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await charged(store)
    drawn: list[set[str]] = []
    whole, loop = drawing.candidate, asyncio.get_running_loop()

    def withdraws(question: Question, records: Any, before: Any = ()) -> Any:
        drawn.append({one.driver for one in records})
        if len(drawn) == 1:
            asyncio.run_coroutine_threadsafe(agree(store, ["person-0007"], agrees=False), loop).result()
        return whole(question, records, before)

    monkeypatch.setattr(drawing, "candidate", withdraws)
    entry = await made(store)
    assert entry.has_left and "person-0007" in drawn[0] and "person-0007" not in drawn[-1]
    assert len(drawn) == 2 and await left(store) == Decimal("0.5"), "what was thrown away was seen by nobody"


async def test_the_ledger_can_neither_be_changed_nor_shortened(store: Store) -> None:
    await charged(store, drivers=3)
    await made(store)
    for change in (update(release).values(epsilon=0), delete(release)):
        with pytest.raises(DBAPIError):
            async with store.unit() as unit:
                await unit.connection.execute(change)
    assert await left(store) <= Decimal("0.9")


@pytest.mark.parametrize(
    ("kind", "span", "epsilon", "why"),
    [
        (Kind.SITE_LOAD, ("2024-12", "2025-01"), "0.5", "one calendar year"),
        (Kind.SITE_LOAD, ("2025-11", "2025-11"), "0.5", "not over yet"),
        (Kind.SITE_LOAD, ("2025-03", "2025-02"), "0.5", "ends before it begins"),
        (Kind.SITE_LOAD, ("2025-3", "2025-04"), "0.5", "is no month"),
        (Kind.SITE_LOAD, ("2025-01", "2025-01"), "1.1", "Epsilon is between"),
        (Kind.SITE_LOAD, ("2025-01", "2025-01"), "0", "Epsilon is between"),
        (Kind.SITE_LOAD, ("2025-01", "2025-01"), "NaN", "Epsilon is between"),
        (Kind.SITE_LOAD, ("2025-01", "2025-01"), "0.30001", "Epsilon is between"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anybody_looks(
    store: Store, kind: Kind, span: tuple[str, str], epsilon: str, why: str
) -> None:
    await charged(store, drivers=2)
    with pytest.raises(Refusal, match=why):
        await Releases(store, UTC).asked(OWNER, kind, period(*span), [], Decimal(epsilon))


async def test_only_who_answers_for_privacy_lets_anything_out(store: Store) -> None:
    await charged(store, drivers=2)
    some = Viewer("some", Role.OPERATOR, EVERYTHING - {Scope.PRIVACY_WRITE})
    releases, question = Releases(store, UTC), await asked(store)
    for refused in (
        releases.make(some, question),
        releases.check(some, "any"),
        releases.asked(some, Kind.STAYS, JANUARY, [], Decimal("0.2")),
        releases.ledger(Viewer("driver", Role.DRIVER)),
    ):
        with pytest.raises(Refusal) as refusal:
            await refused
        assert refusal.value.code is Code.FORBIDDEN


async def test_somebody_with_five_hundred_sessions_moves_it_by_no_more_than_anybody_may(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await charged(store, drivers=20)
    seen: list[Any] = []
    whole = drawing.drawn_from

    def watched(question: Question, counted: Any, before: Any = ()) -> Any:
        seen.append(counted)
        return whole(question, counted, before)

    monkeypatch.setattr(drawing, "drawn_from", watched)
    await agree(store, ["glutton"])
    await made(store, "0.1")
    rows = [
        session_row(f"glutton-{n}", "glutton", "South", FIRST + timedelta(hours=n), 0.9, 90_000) for n in range(500)
    ]
    async with store.unit() as unit:
        await unit.connection.execute(insert(holding), [holding_row("glutton")])
        await unit.connection.execute(insert(session), rows)
    await made(store, "0.101")
    before, after = seen
    cells = design(await asked(store)).cells
    moved = [abs(after.cells[cell] - before.cells[cell]) for cell in after.cells]
    assert 0 < sum(moved) <= cells.sensitivity and max(moved) <= cells.one_cell
    assert abs(after.cut - before.cut) <= cells.sensitivity


@pytest.mark.parametrize(("use", "counts"), [(Use.INSIGHT, False), (Use.ALL, False), (Use.MARKETING, True)])
async def test_nobody_counts_who_objected_or_whose_data_are_restricted(store: Store, use: Use, counts: bool) -> None:
    await charged(store, drivers=3)
    row: dict[str, Any] = {"id": "wish", "person_id": "person-0001", "kind": "objection", "use": use.value}
    async with store.unit() as unit:
        await unit.connection.execute(insert(restriction), [row | {"since": FIRST, "by": "person-0001"}])
    async with store.unit() as unit:
        assert ("person-0001" in await who_counts(unit)) is counts and "person-0002" in await who_counts(unit)


@pytest.mark.parametrize("name", ["", "\x00", "0" * 20, "0" * 4000, "' OR 1=1 --", "\ud800"])
async def test_what_is_no_release_is_not_found(store: Store, name: str) -> None:
    with pytest.raises(Refusal) as refused:
        await Releases(store, UTC).public(name)
    assert refused.value.code is Code.NOT_FOUND
