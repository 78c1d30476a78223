"""What is kept and what is dropped while nobody listens."""

from __future__ import annotations

import asyncio

from wattkeeper.simulator.outbox import MOST_KEPT, Note, Outbox


def note(name: str, *, lasting: bool = True, expendable: bool = False) -> Note:
    return Note(lambda offline: name, lasting=lasting, expendable=expendable)


async def told(outbox: Outbox) -> list[tuple[str, bool]]:
    """Everything that is in the outbox, with whether it was noted offline."""
    heard: list[tuple[str, bool]] = []

    async def deliver(one: Note) -> bool:
        heard.append((one.build(one.offline), one.offline))
        return True

    draining = asyncio.ensure_future(outbox.drain(deliver))
    await outbox.emptied()
    draining.cancel()
    return heard


async def test_order_is_kept() -> None:
    outbox = Outbox()
    for name in ("one", "two", "three"):
        outbox.put(note(name), online=True)
    assert await told(outbox) == [("one", False), ("two", False), ("three", False)]


async def test_a_passing_moment_is_dropped_what_lasts_is_kept() -> None:
    outbox = Outbox()
    outbox.put(note("status", lasting=False), online=True)
    outbox.put(note("start"), online=True)
    outbox.forget_fleeting()
    outbox.put(note("status", lasting=False), online=False)
    outbox.put(note("stop"), online=False)
    assert await told(outbox) == [("start", False), ("stop", True)]


async def test_a_note_that_is_not_done_with_is_delivered_again() -> None:
    outbox, tries = Outbox(), []
    outbox.put(note("start"), online=True)

    async def deliver(one: Note) -> bool:
        tries.append(one)
        return len(tries) == 3

    draining = asyncio.ensure_future(outbox.drain(deliver))
    await outbox.emptied()
    draining.cancel()
    assert len(tries) == 3


async def test_a_full_memory_gives_up_the_oldest_reading_and_nothing_else() -> None:
    outbox = Outbox()
    outbox.put(note("start"), online=False)
    outbox.put(note("old", expendable=True), online=False)
    for _ in range(MOST_KEPT - 2):
        outbox.put(note("newer", expendable=True), online=False)
    outbox.put(note("stop"), online=False)
    names = [name for name, _ in await told(outbox)]
    assert len(names) == MOST_KEPT
    assert names[0] == "start"
    assert names[-1] == "stop"
    assert "old" not in names
