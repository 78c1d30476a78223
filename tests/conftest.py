"""Fixtures that every room's tests share: a database on either engine, and a whole Wattkeeper with its door open."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.asked import ask_once
from tests.databases import ENGINES, Databases
from tests.doors import KEY, PATIENCE_S, Door, settings_for
from tests.once import work_out_once
from tests.operations.people import CHEAP
from tests.turns import pytest_collection_modifyitems, pytest_runtest_protocol
from wattkeeper.gateway import conversation
from wattkeeper.operations.people.sign_in import password

__all__ = ["pytest_collection_modifyitems", "pytest_runtest_protocol"]
OpenDoor = Callable[..., Awaitable[Door]]
COST = password.COST
"""Rounds and KiB of argon2id as everybody else has them."""
password.COST = CHEAP
conversation.TOTAL_WITHIN_S = PATIENCE_S  # what is answered is tried, not how soon
ask_once()
work_out_once()
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Where fresh databases come from."""
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Both engines, one after the other; override with one of them where a test is not about the store."""
    return str(request.param)


@pytest.fixture
async def database(databases: Databases, engine: str) -> AsyncIterator[str]:
    """The address of a fresh, migrated database."""
    address = await databases.fresh(engine)
    yield address
    await databases.drop(address)


@pytest.fixture
async def open_door(database: str, tmp_path: Path) -> AsyncIterator[OpenDoor]:
    """`await open_door(ping_s=1)`: a Wattkeeper with these settings, its door open, on this test's database."""
    opened: list[Door] = []

    async def open_one(**given: object) -> Door:
        door = await Door.make(settings_for(database, tmp_path, **given))
        opened.append(door)
        return await door.open()

    yield open_one
    for door in opened:
        await door.close()


@pytest.fixture
async def door(open_door: OpenDoor) -> Door:
    """An open door, and behind it one station: CP1, with the key `tests.doors.KEY`."""
    opened = await open_door()
    await opened.admit("CP1", KEY)
    return opened


def pytest_collection_finish() -> None:
    """What stays for the whole run is no garbage: to look through it again and again would take a while."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where every test must run (`TESTS_MUST_RUN`), a skipped one is a failure: a browser or a database was missing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("TESTS_MUST_RUN") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
