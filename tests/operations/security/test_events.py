"""Security events are kept: one row for an attack while it goes on, bounded, without an address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.operations.people import security
from wattkeeper.operations.people.security import Case, heard_by, note
from wattkeeper.operations.policy import grants
from wattkeeper.operations.retention import forget_old
from wattkeeper.operations.safe import open_safe
from wattkeeper.operations.security.cases import TOLD
from wattkeeper.operations.security.events import MOST_OPEN, SecurityEvents
from wattkeeper.store.engines import Store
from wattkeeper.store.security import event
from wattkeeper.store.tables import security_event

AUDITOR = Viewer("a", Role.AUDITOR, grants(Role.AUDITOR).anywhere)
PLACE = "203.0.113.7"


@dataclass(slots=True)
class Watch:
    """An installation that hears, at a time of the test's choosing."""

    store: Store
    events: SecurityEvents
    now: datetime

    def later(self, **span: float) -> None:
        """Time passes."""
        self.now += timedelta(**span)

    async def rows(self) -> list[event.EventRow]:
        """What is kept, the newest first."""
        await self.events.write()
        sought = event.Sought(self.now - timedelta(days=3650))
        async with self.store.read() as connection:
            return await event.find(connection, AUDITOR, sought, 5_000)


@pytest.fixture
async def watch(database: str, tmp_path: Path) -> AsyncIterator[Watch]:
    """Hearing while the test runs."""
    made = Watch(None, None, datetime(2026, 5, 1, 12, tzinfo=UTC))  # type: ignore[arg-type]
    made.store = Store(database, clock=lambda: made.now)
    safe = await open_safe(made.store, tmp_path / "root.key")
    made.events = SecurityEvents(made.store, safe, MemoryBus())
    with heard_by(made.events.heard):
        yield made
    await made.store.close()


async def test_an_attack_is_one_row_while_it_goes_on(watch: Watch) -> None:
    for _ in range(50):
        note(Case.KEY_WRONG, "CP1", PLACE)
        watch.later(seconds=30)
        await watch.events.write()
    (row,) = await watch.rows()
    assert (row.case, row.subject, row.count) == ("key_wrong", "CP1", 50)
    assert row.last_at - row.at == timedelta(seconds=30 * 49)
    watch.later(seconds=61)
    note(Case.KEY_WRONG, "CP1", PLACE)
    assert [one.count for one in await watch.rows()] == [1, 50]


async def test_an_attack_that_never_ends_is_a_row_an_hour(watch: Watch) -> None:
    for _ in range(121):
        note(Case.KEY_WRONG, "CP1", PLACE)
        watch.later(minutes=1)
    assert [one.count for one in await watch.rows()] == [60, 61]


async def test_where_from_is_a_mark_that_is_no_address(watch: Watch) -> None:
    note(Case.PASSWORDS_GUESSED, "a0123456789abcdef", PLACE)
    note(Case.CODES_GUESSED, "a0123456789abcdef", PLACE)
    note(Case.FOREIGN_FORM, place=PLACE)
    note(Case.FOREIGN_FORM, place="198.51.100.9")
    note(Case.LETTERS_FLOOD, place="2001:db8::1")
    note(Case.PAYMENT_FORGED, place="2001:db8::2")
    origins = {row.case: row.origin for row in await watch.rows()}
    assert origins["passwords_guessed"] == origins["codes_guessed"] != ""
    assert origins["letters_flood"] == origins["payment_forged"], "one network of IPv6 is one place"
    assert origins["foreign_form"] == "*"
    async with watch.store.read() as connection:
        told = str((await connection.execute(select(security_event))).all())
    assert PLACE not in told and "2001" not in told


async def test_whoever_tries_at_everybody_fills_no_memory_and_few_rows(watch: Watch) -> None:
    for n in range(MOST_OPEN * 3):
        note(Case.PASSWORDS_GUESSED, f"a{n:016x}", PLACE)
    rows = await watch.rows()
    assert len(rows) == MOST_OPEN + 1
    assert sum(row.count for row in rows) == MOST_OPEN * 3
    assert {row.subject: row.count for row in rows}[""] == MOST_OPEN * 2
    watch.later(minutes=2)
    await watch.events.write()
    note(Case.PASSWORDS_GUESSED, "afresh", PLACE)
    assert "afresh" in {row.subject for row in await watch.rows()}


async def test_what_cannot_be_written_now_is_written_later(watch: Watch) -> None:
    async with watch.store.unit() as unit:
        await unit.connection.execute(text("ALTER TABLE security_event RENAME TO away"))
    note(Case.TWIN, "CP1", PLACE)
    with pytest.raises(Exception, match="security_event"):
        await watch.events.write()
    watch.later(minutes=5)
    note(Case.TWIN, "CP1", PLACE)
    async with watch.store.unit() as unit:
        await unit.connection.execute(text("ALTER TABLE away RENAME TO security_event"))
    assert [row.count for row in await watch.rows()] == [1, 1]


async def test_events_are_kept_for_90_days(watch: Watch) -> None:
    note(Case.TWIN, "CP1", PLACE)
    await watch.events.write()
    watch.later(days=89)
    assert "security_event" not in await forget_old(watch.store)
    watch.later(days=2)
    assert (await forget_old(watch.store))["security_event"] == 1


async def test_sums_say_how_often_and_at_how_many(watch: Watch) -> None:
    for station in ("CP1", "CP2", "CP2"):
        note(Case.KEY_WRONG, station, PLACE)
    note(Case.TWIN, "CP1", PLACE)
    await watch.events.write()
    async with watch.store.read() as connection:
        first, second = await event.sums(connection, AUDITOR, event.Sought(watch.now - timedelta(days=1)))
        only = event.Sought(watch.now - timedelta(days=1), subject="CP2")
        (of_one,) = await event.find(connection, AUDITOR, only, 10)
    assert (first.case, first.events, first.count, first.subjects) == ("key_wrong", 2, 3, 2)
    assert (second.case, second.count, of_one.count) == ("duplicate_identity", 1, 2)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SUPPORT, Role.BILLING, Role.SITE_HOST, Role.DRIVER])
async def test_events_are_shown_to_owner_auditor_and_privacy_officer_alone(watch: Watch, role: Role) -> None:
    viewer = Viewer("v", role, grants(role).anywhere, grants(role).at_sites, grants(role).own)
    async with watch.store.read() as connection:
        for ask in (
            event.find(connection, viewer, event.Sought(watch.now), 1),
            event.sums(connection, viewer, event.Sought(watch.now)),
        ):
            with pytest.raises(Refusal) as refused:
                await ask
            assert refused.value.code is Code.FORBIDDEN
    assert {Scope.SECURITY_READ} <= grants(Role.OWNER).anywhere & grants(Role.PRIVACY_OFFICER).anywhere


def test_every_case_is_told_in_words() -> None:
    assert set(TOLD) == set(Case)
    assert set(Case) > security.OF_STATIONS
