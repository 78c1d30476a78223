"""G4, D10: who has the database and not the root key reads no personal value, and finds no card by trying them all.

The share of the 2^32 four-byte numbers that is tried holds every planted card; `python -m bench --dump FILE` measures
how long all of them take. The control is what others keep: an unkeyed hash, which falls at once.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from bench.dump import attack, digests_in, forms, values_of

from tests.attacks.canaries import Hunt
from wattkeeper.assembly import open_rooms
from wattkeeper.charging.cards.token import Presented, TokenKind
from wattkeeper.charging.facts import TokenPresented
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.operations.keys.kinds import KeyKind
from wattkeeper.operations.keys.rotating import Rotation
from wattkeeper.settings import Settings
from wattkeeper.store.engines import utc_now
from wattkeeper.vault.keys import MARK

STAFF = Viewer("test", Role.OWNER, EVERYTHING)
SHARE = 1 << 16
"""How many card numbers are tried: all the planted ones are among them."""
NAMES = [f"Vera Canary{number} {word}" for number, word in enumerate(("Amsel", "Drossel", "Fink", "Star", "Meise"))]
MAILS = [f"vera.canary{number}@example.org" for number in range(5)]


@pytest.fixture
async def stolen(tmp_path: Path) -> tuple[Path, int, list[int]]:
    """The files of a database with cards, names, addresses and free text; where the share begins; the cards."""
    draw = random.Random(4)
    begin = draw.randrange((1 << 32) - SHARE)
    numbers = draw.sample(range(begin, begin + SHARE), 40)
    apart = tmp_path / "apart"
    apart.mkdir()
    database = f"sqlite:///{tmp_path / 'w.db'}"
    settings = Settings(database=database, root_key=apart / "root.key")
    async with open_rooms(settings) as rooms:
        for name, mail in zip(NAMES, MAILS, strict=True):
            await rooms.access.make_account(mail, "correct horse battery staple")
            await rooms.cards.enroll(f"{numbers[NAMES.index(name)]:08X}", name, {}, STAFF)
        for place, number in enumerate(numbers):
            shown = Presented(f"{number:08X}", TokenKind.RFID)
            fact = TokenPresented(at=utc_now(), token=None)
            await rooms.intake.record("CP1", fact, token=shown, hidden={"info": f"{NAMES[place % 5]} called"})
        await Rotation(rooms.store, rooms.safe, "test").rotate(KeyKind.CARDS, lambda _: None)
        copied = tmp_path / "stolen"
        copied.mkdir()
        for path in tmp_path.glob("w.db*"):  # while it runs: the log is stolen too
            shutil.copy(path, copied)
    return copied, begin, numbers


async def test_g4_d10_a_stolen_database_reads_nothing_and_no_card_falls_by_brute_force(
    stolen: tuple[Path, int, list[int]],
) -> None:
    folder, begin, numbers = stolen
    assert Hunt([*NAMES, *MAILS], [f"{number:08X}" for number in numbers]).in_files(folder) == []
    found = digests_in(values_of(folder / "w.db"))
    assert len(found) > 100
    assert attack(frozenset(found), begin, begin + SHARE) == []
    likely = {hashlib.sha256(form.encode()).digest()[:16] for mail in MAILS for form in (mail, mail.upper())}
    assert not likely & set(found), "an e-mail address fell"


async def test_d10_the_same_attack_finds_every_card_where_the_hash_has_no_key(
    stolen: tuple[Path, int, list[int]],
) -> None:
    folder, begin, numbers = stolen
    kept = sqlite3.connect(folder / "w.db")
    kept.execute("CREATE TABLE control (raw BLOB, text TEXT)")
    for place, number in enumerate(numbers):
        digest = hashlib.sha256(forms(number)[place % len(forms(number))]).digest()
        kept.execute("INSERT INTO control VALUES (?, ?)", (digest[:16], f"p1:{digest.hex()[:32]}"))
    kept.commit()
    kept.close()
    heads = frozenset(digests_in(values_of(folder / "w.db")))
    assert {number for number, _ in attack(heads, begin, begin + SHARE)} == set(numbers)


async def test_g4_nothing_in_the_database_begins_as_its_root_key_would(stolen: tuple[Path, int, list[int]]) -> None:
    folder, _, _ = stolen
    root = (folder.parent / "apart" / "root.key").read_bytes()
    dumped = b"".join(path.read_bytes() for path in folder.iterdir())
    assert root[-32:] not in dumped
    assert len(root) > 32 > MARK
