"""What the commands share: where they print, the installation they open, and how they end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.settings import load

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
T = TypeVar("T")
STOPPED = 130
"""What a shell is told of work that a person stopped."""
BY = "command line"
"""Who did it, in records."""
VIEWER = Viewer(BY, Role.OWNER, EVERYTHING)
"""Whoever may run commands on the machine may see what is kept there."""

Database = Annotated[
    str | None,
    typer.Option("--database", help="Such as sqlite:///wattkeeper.db or postgresql://host/name.", show_default=False),
]


@asynccontextmanager
async def rooms_of(database: str | None) -> AsyncIterator[Any]:
    """The rooms of the installation, without its doors."""
    from wattkeeper.assembly import open_rooms

    async with open_rooms(load(database=database)) as rooms:
        yield rooms


@asynccontextmanager
async def store_of(database: str | None) -> AsyncIterator[Any]:
    """The installation's database, to look."""
    from wattkeeper.store.engines import Store

    store = Store(load(database=database).database)
    try:
        yield store
    finally:
        await store.close()


def fail(why: str) -> NoReturn:
    """Say what is wrong and end."""
    err.print(why, markup=False)
    raise typer.Exit(1)


@contextmanager
def going_on(done: Callable[[], str]) -> Iterator[None]:
    """Work that goes on where it was when the same command is given again: stopped by a person, it says so and ends.

    ``done``: how far it is.
    """
    try:
        yield
    except asyncio.CancelledError:
        err.print(f"Stopped: {done()}. The same command goes on from there.", markup=False)
        raise typer.Exit(STOPPED) from None


def number_of(said: str) -> Decimal:
    """A number that was typed, with a point or a comma."""
    try:
        number = Decimal(said.replace(",", "."))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        fail(f"{said!r} is not a number; one is such as 12.50.")
    return number


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, or until Ctrl-C or SIGTERM; a refusal is a sentence, not a traceback."""
    from sqlalchemy.exc import DBAPIError

    from wattkeeper.vault.keys import KeyRefused

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            loop = runner.get_loop()
            task = loop.create_task(work)
            for name in (signal.SIGINT, signal.SIGTERM):
                with contextlib.suppress(NotImplementedError):
                    loop.add_signal_handler(name, task.cancel)
            return loop.run_until_complete(task)
    except asyncio.CancelledError:
        raise typer.Exit(0) from None
    except Refusal as refusal:
        err.print(refusal.why, markup=False)
    except OSError as problem:
        named = f"{problem.filename} cannot be used: {problem.strerror}."
        err.print(named if problem.filename and problem.strerror else str(problem), markup=False, soft_wrap=True)
    except (KeyRefused, ValueError) as problem:
        err.print(str(problem), markup=False, soft_wrap=True)
    except DBAPIError as problem:
        err.print(f"The database could not be used: {problem.orig}", markup=False)
        err.print("If it is new or of an older version, run: wattkeeper migrate")
    raise typer.Exit(1)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
