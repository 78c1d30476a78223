"""Every key is replaced by one command: everything is found and opens as before, and the old key opens nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.vault.planted import Planted, opens
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.operations.access import Access
from wattkeeper.operations.keys.kinds import SUBJECTS, KeyKind
from wattkeeper.operations.keys.rotating import ALL as EVERY
from wattkeeper.operations.keys.rotating import Rotation
from wattkeeper.operations.keys.telling import ages
from wattkeeper.operations.privacy.erasure.forgetting import Forgetting
from wattkeeper.operations.safe import Safe, open_safe
from wattkeeper.settings import Settings
from wattkeeper.store import deed, key
from wattkeeper.store.engines import Store
from wattkeeper.store.stations import station
from wattkeeper.store.tables import account, card, subject_key
from wattkeeper.vault.keys import INSTALLATION, KeyRefused, version_of

ALL = [kind for kind in EVERY if kind is not KeyKind.LOG]


class House:
    """An installation with everything planted, and a second process that only watches."""

    def __init__(self, database: str, folder: Path) -> None:
        self.root = folder / "root.key"
        self.store, self.other = Store(database), Store(database)
        self.lines: list[str] = []

    async def build(self) -> House:
        self.safe = await open_safe(self.store, self.root)
        self.planted = await Planted.make(self.store, self.safe)
        self.watching = await open_safe(self.other, self.root)
        return self

    async def rotate(self, kind: KeyKind, *, end: bool = False) -> None:
        await Rotation(self.store, self.safe, "test").rotate(kind, self.lines.append, end=end)

    async def wrapped(self) -> dict[str, bytes]:
        async with self.store.read() as connection:
            return {subject: row.wrapped for subject, row in (await key.shared(connection)).items()}

    async def check(self) -> None:
        """For who rotated, for who was running meanwhile, and for who starts now."""
        await self.planted.check(self.safe)
        await self.planted.check(self.watching, self.other)
        third = Store(str(self.store.url.render_as_string(hide_password=False)))
        await self.planted.check(await open_safe(third, self.root), third)
        await third.close()

    async def close(self) -> None:
        await self.store.close()
        await self.other.close()


@pytest.fixture
async def house(database: str, tmp_path: Path):  # type: ignore[no-untyped-def]
    made = await House(database, tmp_path).build()
    yield made
    await made.close()


@pytest.mark.parametrize("kind", ALL)
async def test_h5_each_key_is_replaced_and_everything_opens(house: House, kind: KeyKind) -> None:
    before, file = await house.wrapped(), house.root.read_bytes()
    await house.rotate(kind)
    await house.check()
    async with house.store.read() as connection:
        told = [one for one in await deed.about(connection, "", [DeedKind.KEY_ROTATED]) if one.body["key"] == kind]
        found = {one.kind: one for one in await ages(connection, house.store.clock(), 365)}
    assert told[0].by == "test"
    if kind in SUBJECTS and kind not in (KeyKind.STATIONS, KeyKind.CODES, KeyKind.MARKS):
        assert SUBJECTS[kind] in before
        assert SUBJECTS[kind] not in await house.wrapped(), "the old one is destroyed"
    if kind is KeyKind.ROOT:
        after = await house.wrapped()
        assert not opens(file, after[INSTALLATION], INSTALLATION), "the old root opens nothing"
        assert opens(house.root.read_bytes(), after[INSTALLATION], INSTALLATION)
    assert found[kind].version == 2


async def test_h5_all_keys_twice_and_people_who_come_between(house: House) -> None:
    for _ in range(2):
        for kind in ALL:
            async with house.other.unit() as unit:  # by the process that runs meanwhile
                house.planted.safe = house.watching
                await house.planted.person(unit, f"person:{kind}{len(house.planted.cards)}")
            await house.rotate(kind)
            await house.check()
    assert any(name.startswith("p1:") for name in house.planted.cards.values())
    assert any(name.startswith("p3:") for name in house.planted.cards.values())


async def test_h5_the_old_house_key_and_the_old_keys_of_persons_open_nothing(house: House) -> None:
    async with house.store.unit() as unit:
        rows = (await unit.connection.execute(select(subject_key.c.subject, subject_key.c.wrapped))).all()
    before = {
        row.subject: house.safe.ring.cipher(row.subject, bytes(row.wrapped))
        for row in rows
        if row.subject[:7] == "person:"
    }
    await house.rotate(KeyKind.PERSONS)
    async with house.store.read() as connection:
        cards = (await connection.execute(select(card.c.person_id, card.c.sealed))).all()
    from wattkeeper.vault.envelope import unseal

    for row in cards:
        with pytest.raises(KeyRefused):
            unseal(before[row.person_id], "card", "sealed", row.person_id, bytes(row.sealed))


async def test_cards_whose_number_cannot_be_opened_are_named_and_counted(house: House) -> None:
    number, name = next(iter(house.planted.cards.items()))
    async with house.store.unit() as unit:
        person = await unit.connection.scalar(select(card.c.person_id).where(card.c.ref == name))
        await key.destroy(unit, [str(person)])
    await house.rotate(KeyKind.CARDS)
    assert any(name in line and "cannot be opened" in line for line in house.lines)
    assert house.safe.ref(number).startswith("p2:"), "nothing leads to it any more"
    assert not house.safe.is_known_name(name)


async def test_g5_who_is_forgotten_after_a_rotation_leaves_no_index(house: House, tmp_path: Path) -> None:
    number, name = next(iter(house.planted.cards.items()))
    await house.rotate(KeyKind.CARDS)
    assert house.safe.ref(number) == name
    settings = Settings(forgotten=str(tmp_path / "forgotten"))
    access = Access(house.store, house.safe, settings)
    async with house.store.read() as connection:
        person = str(await connection.scalar(select(card.c.person_id).where(card.c.ref == name)))
        before = len(await key.names_by_index(connection, "p2:"))
    owner = Viewer("test", Role.OWNER, EVERYTHING)
    forgetting = Forgetting(house.store, house.safe, MemoryBus(), settings, access)
    await forgetting.forget(owner, person, despite=True)
    async with house.store.read() as connection:
        left = await key.names_by_index(connection, "p2:")
    assert name not in left.values()
    assert len(left) < before
    assert house.safe.ref(number).startswith("p2:"), "a stranger"


async def test_both_station_peppers_are_tried_until_each_has_signed_in(house: House) -> None:
    await house.rotate(KeyKind.STATIONS)
    assert any("2 have not yet" in line for line in house.lines)
    await house.check()
    async with house.store.unit() as unit:
        for name, salt, digest in await station.keys(unit):
            spelled = house.planted.stations[name].encode()
            kept = station.KeptKey(salt, house.safe.station_digest(salt, spelled), house.safe.station_version)
            await station.keep_anew(unit, name, digest, kept)
    from wattkeeper.operations.keys.following import end_stations

    await end_stations(house.other, house.watching)
    assert "pepper:stations" not in await house.wrapped()
    await house.check()


async def test_stations_that_never_come_are_left_behind_only_when_it_is_said(house: House) -> None:
    await house.rotate(KeyKind.STATIONS)
    await house.rotate(KeyKind.STATIONS, end=True)
    assert any("not let in until they get another key" in line for line in house.lines)
    assert "  CP1" in house.lines
    assert set(await house.wrapped()) & {"pepper:stations", "pepper:stations@2"} == {"pepper:stations@2"}


async def test_codes_given_out_before_go_on_until_they_are_ended(house: House) -> None:
    code = house.safe.tag("recovery", b"a 12345", 32)
    await house.rotate(KeyKind.CODES)
    await house.check()
    assert house.watching.tags("recovery", b"a 12345", 32)[0] != code
    assert code == house.watching.tags("recovery", b"a 12345", 32)[1]
    await house.rotate(KeyKind.CODES, end=True)
    await house.check()
    assert code not in house.watching.tags("recovery", b"a 12345", 32)


async def test_marks_are_known_again_for_ever(house: House) -> None:
    mark = house.safe.marks("buyer", b"Ada")[0]
    for _ in range(2):
        await house.rotate(KeyKind.MARKS)
    assert house.safe.marks("buyer", b"Ada")[2] == mark


async def test_a_key_that_is_too_old_is_overdue(house: House) -> None:
    async with house.store.unit() as unit:
        await unit.connection.execute(update(subject_key).values(created_at=unit.now.replace(year=2020)))
        found = await ages(unit.connection, unit.now, 365)
        assert all(one.is_overdue for one in found)
        assert not any(one.is_overdue for one in await ages(unit.connection, unit.now, 0))


async def test_a_value_moved_from_one_person_to_another_is_left_and_named(house: House) -> None:
    async with house.store.unit() as unit:
        (one, other) = (await unit.connection.execute(select(account.c.id, account.c.sealed).limit(2))).all()
        await unit.connection.execute(update(account).where(account.c.id == one.id).values(sealed=other.sealed))
    await house.rotate(KeyKind.PERSONS)
    assert any(f"account.sealed of {one.id}" in line for line in house.lines)


async def test_the_logs_key_is_replaced_from_the_command_line_alone(house: House) -> None:
    with pytest.raises(Refusal, match="command line"):
        await house.rotate(KeyKind.LOG)


def test_what_is_printed_of_a_safe_holds_no_key(house: House) -> None:
    assert "pepper" not in repr(house.safe)
    assert repr(house.safe.shared.cards) == "Pepper(version=1)"
    assert version_of("house@12") == ("house", 12)
    assert isinstance(house.safe, Safe)
