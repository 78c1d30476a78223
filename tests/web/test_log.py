"""The log's public doors: anybody may check it, nobody learns more than commitments."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.conftest import OpenDoor
from tests.doors import KEY
from tests.web.conftest import House, house_of
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Refusal
from wattkeeper.store import deed
from wattkeeper.vault.leaf import read_leaf
from wattkeeper.vault.note import read_checkpoint, read_note, read_verifiers
from wattkeeper.vault.transparency import continues, includes, leaf_hash, tree_root
from wattkeeper.web.doors.log import Pace, place_of


@pytest.fixture
async def house(open_door: OpenDoor) -> AsyncIterator[House]:
    """A house in which 600 things were done."""
    door = await open_door()
    await door.admit("CP1", KEY)
    made = await house_of(door)
    await did(made, 600)
    async with made.api:
        yield made


async def did(house: House, count: int) -> None:
    """Do something so often, and let it be logged."""
    async with house.door.store.unit() as unit:
        for n in range(count):
            await deed.enter(unit, DeedKind.RELEASED, "house", "", {"n": n})
    await house.rooms.keeper.finish()


async def entries_of(client: httpx.AsyncClient) -> list[bytes]:
    """All entries, page after page."""
    found: list[bytes] = []
    while True:
        page = (await client.get("/api/v1/log/entries", params={"start": len(found), "limit": 1000})).json()
        found += [one["leaf"].encode() for one in page["items"]]
        if len(found) >= page["size"]:
            return found


async def test_a_stranger_checks_the_whole_log(house: House) -> None:
    async with house.client() as client:
        note = read_note((await client.get("/log/checkpoint")).text)
        keys = read_verifiers((await client.get("/log/key")).text)
        assert list(note.opened(keys)) == keys
        told = read_checkpoint(note.text)
        hashes = [leaf_hash(one) for one in await entries_of(client)]
        assert told.size == len(hashes) > 600 and told.root == tree_root(hashes)
        asked = {"kind": "deed", "ref": "77"}
        proof = (await client.get("/api/v1/log/inclusion", params=asked)).json()
        leaf = read_leaf(proof["leaf"].encode())
        assert (leaf.kind, leaf.ref) == ("deed", "77")
        path = [bytes.fromhex(step) for step in proof["path"]]
        assert includes(leaf.hash, proof["index"], proof["size"], path, told.root)
        by_index = await client.get("/api/v1/log/inclusion", params={"index": proof["index"]})
        assert by_index.json() == proof
        second = {"first": 300, "second": told.size}
        grew = (await client.get("/api/v1/log/consistency", params=second)).json()
        steps = [bytes.fromhex(step) for step in grew["path"]]
        assert continues(300, tree_root(hashes[:300]), told.size, told.root, steps)
        whole = (await client.get("/api/v1/log/checkpoint")).json()
        assert (whole["size"], whole["root"], whole["keys"]) == (told.size, told.root.hex(), [str(key) for key in keys])


async def test_tiles_are_those_of_the_standard(house: House) -> None:
    async with house.client() as client:
        size = read_checkpoint(read_note((await client.get("/log/checkpoint")).text).text).size
        hashes = [leaf_hash(one) for one in await entries_of(client)]
        rest = size - 512
        tile = await client.get(f"/log/tile/0/002.p/{rest}")
        assert tile.content == b"".join(hashes[512:]) and "immutable" in tile.headers["cache-control"]
        assert (await client.get("/log/tile/0/001")).content == b"".join(hashes[256:512])
        assert (await client.get("/log/tile/1/000.p/2")).content == tree_root(hashes[:256]) + tree_root(hashes[256:512])
        bundle = (await client.get("/log/tile/entries/000")).content
        assert bundle[2 : 2 + int.from_bytes(bundle[:2], "big")] == (await entries_of(client))[0]
        for missing in (
            f"0/002.p/{rest + 1}",
            "0/002",
            "0/003",
            "9/000",
            "0/1",
            "0/000.p/256",
            "0/x1/000",
            "entries/9",
        ):
            answer = await client.get(f"/log/tile/{missing}")
            assert answer.status_code == 404, missing


async def test_what_is_not_signed_yet_is_not_told(house: House) -> None:
    async with house.door.store.unit() as unit:
        n = await deed.enter(unit, DeedKind.RELEASED, "house", "", {})
    async with house.client() as client:
        before = (await client.get("/api/v1/log/entries", params={"start": 0, "limit": 1})).json()["size"]
        await house.rooms.keeper.look()
        answer = await client.get("/api/v1/log/inclusion", params={"kind": "deed", "ref": str(n)})
        assert answer.status_code == 404 and "not yet" in answer.json()["detail"]
        assert (await client.get("/api/v1/log/entries", params={"start": before})).json()["items"] == []
        odd = await client.get("/api/v1/log/inclusion", params={"kind": "deed"})
        assert odd.status_code == 422
        over = await client.get("/api/v1/log/consistency", params={"first": 5, "second": 10**9})
        assert over.status_code == 422
        assert (await client.get("/api/v1/log/entries", params={"limit": 1001})).status_code == 422


def test_whoever_asks_too_often_waits() -> None:
    at = 0.0
    pace = Pace(burst=3, each_s=1.0, ticks=lambda: at)
    for _ in range(3):
        pace.need("a")
    with pytest.raises(Refusal, match="too often"):
        pace.need("a")
    pace.need("b")
    at = 1.5
    pace.need("a")


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("000", (0, 256)),
        ("x001/x234/067", (1234067, 256)),
        ("067.p/5", (67, 5)),
        ("67", None),
        ("x001/67", None),
        ("001/067", None),
        ("000.p/0", None),
        ("000.p/256", None),
    ],
)
def test_addresses_of_tiles(path: str, place: tuple[int, int] | None) -> None:
    assert place_of(path) == place


def test_a_root_is_written_as_the_standard_says() -> None:
    text = f"charge.example/log\n1\n{base64.b64encode(bytes(32)).decode()}\n"
    assert read_checkpoint(text).text == text
