"""H3: a log that shows two histories, one to the witness and one to others, is found; so is one that was cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from tests.logs import Kept, kept
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.errors import Refusal
from wattkeeper.operations.log.witnessing import Witnessing
from wattkeeper.operations.people.security import Case, heard_by
from wattkeeper.vault.checking import Wanted, check
from wattkeeper.vault.copy import read_signed
from wattkeeper.witness import following
from wattkeeper.witness.following import Follower, Outcome
from wattkeeper.witness.judging import Witness
from wattkeeper.witness.memory import Memory, add, begin
from wattkeeper.witness.serving import Door

WITNESS = "witness.example"


@dataclass(slots=True)
class Two:
    """Two logs under one name and one key, as whoever forks would keep them, and a witness."""

    one: Kept
    other: Kept
    witness: Witness

    def doors(self, log: Kept) -> Starlette:
        """A log's public doors, as `tests/web/test_log.py` holds those of the product to be."""

        async def checkpoint(_: Request) -> PlainTextResponse:
            return PlainTextResponse(await log.log.checkpoint())

        async def consistency(request: Request) -> JSONResponse:
            asked = request.query_params
            try:
                path = await log.log.consistency(int(asked["first"]), int(asked["second"]))
            except Refusal:
                return JSONResponse({}, 422)
            return JSONResponse({"path": [step.hex() for step in path]})

        return Starlette(routes=[Route("/log/checkpoint", checkpoint), Route("/api/v1/log/consistency", consistency)])

    async def looked(self, log: Kept) -> Outcome:
        """What a look of the witness at a log comes to."""
        (key,) = await log.log.keys()
        transport = httpx.ASGITransport(app=self.doors(log))
        async with httpx.AsyncClient(transport=transport) as client:
            return await Follower(self.witness, key, "http://log.test", client).look()

    def alarms(self) -> list[str]:
        """The kinds of alarm that the witness gave."""
        return [alarm.kind for known in self.witness.memory.logs.values() for alarm in known.alarms]


@pytest.fixture
def engine() -> str:
    """The witness has no database."""
    return "sqlite"


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    """Two histories under one key: the second begins as a copy of the first's keys."""
    address = f"sqlite:///{tmp_path / 'one.db'}"
    async with kept(address, tmp_path / "root") as one:
        key = (await one.log.keys())[0]
    (tmp_path / "two.db").write_bytes((tmp_path / "one.db").read_bytes())
    begin(tmp_path / "w", WITNESS)
    add(tmp_path / "w", key, "http://log.test")
    memory = Memory(tmp_path / "w")
    memory.load()
    witness = Witness(memory, memory.signer(), [key])
    async with (
        kept(address, tmp_path / "root") as one,
        kept(f"sqlite:///{tmp_path / 'two.db'}", tmp_path / "root") as other,
    ):
        assert await one.log.keys() == await other.log.keys()
        yield Two(one, other, witness)


async def test_h3_two_histories_are_a_fork(two: Two) -> None:
    await two.one.grow(50)
    await two.other.grow(50, by="another")
    assert await two.looked(two.one) is Outcome.GOOD
    assert await two.looked(two.other) is Outcome.ALARM
    await two.other.grow(80, by="more")
    assert await two.looked(two.other) is Outcome.ALARM
    assert two.alarms() == ["fork", "fork"]
    assert two.witness.is_alarmed()
    assert await two.looked(two.one) is Outcome.GOOD, "the history that was seen first goes on"
    assert two.witness.is_alarmed(), "what was done stays done"


async def test_h3_a_log_that_was_cut_or_put_back_is_rewound(two: Two) -> None:
    await two.one.grow(50)
    assert await two.looked(two.one) is Outcome.GOOD
    await two.other.grow(10)
    assert await two.looked(two.other) is Outcome.ALARM
    assert two.alarms() == ["rewound"]
    (alarm,) = two.witness.memory.of("charge.example/log").alarms
    assert "It had 51 entries and shows 11" in alarm.words


async def test_h3_a_log_under_another_key_is_not_the_log(two: Two, tmp_path: Path) -> None:
    await two.one.grow(5)
    assert await two.looked(two.one) is Outcome.GOOD
    async with kept(f"sqlite:///{tmp_path / 'three.db'}", tmp_path / "root3") as stranger:
        await stranger.grow(10)
        assert await two.looked(stranger) is Outcome.ALARM
    assert two.alarms() == ["unknown_key"]


async def test_h3_a_copy_of_the_fork_does_not_pass_by_what_the_witness_cosigned(two: Two, tmp_path: Path) -> None:
    await two.one.grow(50)
    assert await two.looked(two.one) is Outcome.GOOD
    await two.other.grow(90, by="another")
    seen = two.witness.memory.of("charge.example/log").seen
    assert seen is not None
    wanted = Wanted(await two.one.log.keys(), [two.witness.signer.verifier], [read_signed(seen.note)])
    assert "another log" in " ".join(check(await two.other.copy(tmp_path / "fork"), wanted).faults)
    honest = check(await two.one.copy(tmp_path / "copy"), Wanted(wanted.keys, (), wanted.earlier))
    assert honest.faults == []


@pytest.fixture
def asked(two: Two) -> Any:
    """How a log asks the witness: over its door."""

    def of(log: Kept) -> Witnessing:
        settings = type(log.settings)(log_witnesses="http://w.test", log_witness_keys=str(two.witness.signer.verifier))
        transport = httpx.ASGITransport(app=Door(two.witness))  # type: ignore[arg-type]
        return Witnessing(log.store, MemoryBus(), settings, log.log, lambda: httpx.AsyncClient(transport=transport))

    return of


async def test_h3_a_log_is_cosigned_by_itself_and_its_fork_is_refused(
    two: Two, asked: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    witnessing = asked(two.one)
    for count in (50, 20):
        await two.one.grow(count)
        await witnessing.look()
        note = read_signed(await two.one.log.checkpoint()).note
        assert two.witness.signer.verifier in note.opened([two.witness.signer.verifier])
    again = asked(two.one)
    await two.one.grow(1)
    await again.look()
    assert two.witness.signer.name in await two.one.log.checkpoint(), "a fresh start asks from where it must begin"
    keys = await two.one.log.keys()
    found = check(await two.one.copy(tmp_path / "copy"), Wanted(keys, [two.witness.signer.verifier]))
    assert found.faults == [] and "saw the first 72 entries" in found.told[-1]
    assert "ALARM" not in caplog.text
    await two.other.grow(100, by="another")
    await asked(two.other).look()
    assert "ALARM" in caplog.text and two.witness.signer.name not in await two.other.log.checkpoint()


async def slowly() -> AsyncIterator[bytes]:
    """An answer that never ends, one byte at a time."""
    while True:
        yield b"x"
        await asyncio.sleep(0.01)


async def test_h3_a_hostile_log_neither_stops_the_witness_nor_keeps_it_from_others(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST_S", 0.3)
    await two.one.grow(5)
    assert await two.looked(two.one) is Outcome.GOOD
    await two.one.grow(5)
    honest = await two.one.log.checkpoint()
    (key,) = await two.one.log.keys()

    async def looked(proof: bytes, *, ends: bool = True) -> Outcome:
        def answered(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/log/checkpoint":
                return httpx.Response(200, text=honest) if ends else httpx.Response(200, content=slowly())
            return httpx.Response(200, content=proof)

        async with httpx.AsyncClient(transport=httpx.MockTransport(answered)) as client:
            return await Follower(two.witness, key, "http://log.test", client).look()

    assert await looked(b"", ends=False) is Outcome.NOT_REACHED
    for proof in (b"[" * 200_000, b'{"path": ["00"]}', b'{"path": 1e999}', b"\xff", b'{"path": [[]]}'):
        assert await looked(proof) is Outcome.ALARM, "it proves nothing"


async def test_h3_a_hostile_witness_does_not_keep_the_log_from_the_next(two: Two) -> None:
    await two.one.grow(5)
    door = httpx.ASGITransport(app=Door(two.witness))  # type: ignore[arg-type]
    cases: list[Case] = []
    nonsense = ["", "\n\n", "nonsense\n", f"\N{EM DASH} {WITNESS} AAAA\n", "x" * 100_000]
    for lines in nonsense:

        async def answered(request: httpx.Request, lines: str = lines) -> httpx.Response:
            if request.url.host == "bad.test":
                return httpx.Response(200, text=lines)
            return await door.handle_async_request(request)

        settings = type(two.one.settings)(
            log_witnesses="http://bad.test,http://w.test", log_witness_keys=str(two.witness.signer.verifier)
        )
        client = partial(httpx.AsyncClient, transport=httpx.MockTransport(answered))
        ask = Witnessing(two.one.store, MemoryBus(), settings, two.one.log, client)
        await two.one.grow(1)
        with heard_by(lambda case, *_: cases.append(case)):
            await ask.look()
        assert WITNESS in await two.one.log.checkpoint(), lines[:20]
    assert Case.WITNESS_REFUSED in cases, "a checkpoint that it took and did not cosign"
