"""An installation with something in every sealed column, and what must still be found and opened whatever keys do."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from sqlalchemy import Boolean, LargeBinary, Table, insert, select

from wattkeeper.operations.keys.kinds import HOUSE
from wattkeeper.operations.keys.sealed import SEALED, Sealed
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.stations.station_key import make_key
from wattkeeper.store import key
from wattkeeper.store.columns import Instant, Text
from wattkeeper.store.engines import Store
from wattkeeper.store.stations import station
from wattkeeper.store.stations.station import KeptKey
from wattkeeper.store.tables import account, card, identity
from wattkeeper.store.unit import Unit
from wattkeeper.vault.envelope import unseal

OWN_KEYS = {"telling": "telling:{person}", "paper_buyer": "invoices:2026"}
"""Tables that are sealed under keys of their own."""
PEOPLE = 12
SEALED_ROWS = 15


def row_of(table: Table, unit: Unit, **given: Any) -> dict[str, Any]:
    """A row with something in every column that must have something."""
    made: dict[str, Any] = {}
    for column in table.columns:
        if column.name in given or (column.nullable and column.name not in given):
            continue
        kind = column.type
        if isinstance(kind, Instant):
            made[column.name] = unit.now
        elif isinstance(kind, Text):
            made[column.name] = secrets.token_hex(8)
        elif isinstance(kind, LargeBinary):
            made[column.name] = secrets.token_bytes(16)
        else:
            made[column.name] = False if isinstance(kind, Boolean) else secrets.randbelow(2**31)
    return made | given


@dataclass
class Planted:
    """What was planted."""

    store: Store
    safe: Safe
    cards: dict[str, str] = field(default_factory=dict)
    """Names in the journal by number."""
    accounts: dict[str, str] = field(default_factory=dict)
    """Ids by what people sign in with."""
    stations: dict[str, str] = field(default_factory=dict)
    """Keys by station."""
    values: dict[tuple[str, str, Any], tuple[str, bytes]] = field(default_factory=dict)
    """By table, column and row: whose it is, and what it says."""

    @classmethod
    async def make(cls, store: Store, safe: Safe) -> Self:
        """Plant everything."""
        made = cls(store, safe)
        async with store.unit() as unit:
            people = [f"person:{secrets.token_hex(12)}" for _ in range(PEOPLE)]
            for person in people:
                await made.person(unit, person)
            for column in SEALED:
                for place in range(SEALED_ROWS):
                    await made._fill(unit, column, people[place % PEOPLE])
            for name in ("CP1", "CP2"):
                spelled, salt = make_key(), secrets.token_bytes(16)
                kept = KeptKey(salt, safe.station_digest(salt, spelled.encode()), safe.station_version)
                await station.admit(unit, name, kept, "test", "", "", None)
                made.stations[name] = spelled
        return made

    async def person(self, unit: Unit, person: str) -> None:
        """A person with a key, a card and an account."""
        await self.safe.make_subject(unit, person)
        number, name = secrets.token_hex(4).upper(), f"{secrets.token_hex(4)}@example.org"
        self.cards[number] = self.safe.ref(number)
        sealed = await self._seal(unit, "card", "sealed", person, number.encode())
        given = {"ref": self.cards[number], "person_id": person, "sealed": sealed}
        await self._insert(unit, card, "ref", **given)
        plain = orjson.dumps({"name": name})
        identifier = f"a{secrets.token_hex(8)}"
        self.accounts[name] = identifier
        sealed = await self._seal(unit, "account", "sealed", person, plain)
        given = {"id": identifier, "person_id": person, "name_ref": self.safe.name_ref(name), "sealed": sealed}
        await self._insert(unit, account, "id", **given)
        self.values["card", "sealed", self.cards[number]] = person, number.encode()
        self.values["account", "sealed", identifier] = person, plain

    async def _insert(self, unit: Unit, table: Table, key: str, **given: Any) -> Any:
        row = row_of(table, unit, **given)
        await unit.connection.execute(insert(table).values(row))
        return row[key]

    async def _seal(self, unit: Unit, table: str, column: str, person: str, plain: bytes) -> bytes:
        if person == HOUSE:
            return self.safe.seal(table, column, plain)
        return await self.safe.seal_for(unit, person, table, column, plain)

    async def _fill(self, unit: Unit, column: Sealed, person: str) -> None:
        """A row with a sealed value of a person's, or of the house's."""
        name, whose = column.table.name, person if column.owner else HOUSE
        if column.house is not None and secrets.randbelow(2):
            whose = HOUSE
        elif name in OWN_KEYS:
            whose = OWN_KEYS[name].format(person=person)
            if await key.wrapped_of(unit.connection, whose) is None:
                await self.safe.make_subject(unit, whose)
        if (name, column.column) in (("card", "sealed"), ("account", "sealed")):
            return  # they are planted with their person
        plain = secrets.token_bytes(20)
        given: dict[str, Any] = {column.column: await self._seal(unit, name, column.column, whose, plain)}
        owner = column.house if whose == HOUSE else whose.removeprefix(column.head)
        if column.owner == "account_id":
            given["account_id"] = await unit.connection.scalar(select(account.c.id).where(account.c.person_id == owner))
        elif column.owner == "id":
            await unit.connection.execute(column.table.delete().where(column.key == owner))
            given["id"] = owner
        elif column.owner:
            given[column.owner] = owner
        if name in ("account", "card"):
            given |= await self._required(unit, name, whose)
        if name == "orders":
            given.setdefault("sealed", self.safe.seal("orders", "sealed", plain))
        at = await self._insert(unit, column.table, column.key.name, **given)
        self.values[name, column.column, at] = whose, plain

    async def _required(self, unit: Unit, name: str, person: str) -> dict[str, Any]:
        """What else an account or a card needs to be one: something to be found by."""
        if name == "card":
            number = secrets.token_hex(4).upper()
            self.cards[number] = self.safe.ref(number)
            sealed = await self._seal(unit, "card", "sealed", person, number.encode())
            return {"ref": self.cards[number], "sealed": sealed}
        called = f"{secrets.token_hex(4)}@example.org"
        sealed = await self._seal(unit, "account", "sealed", person, orjson.dumps({"name": called}))
        return {"name_ref": self.safe.name_ref(called), "sealed": sealed}

    async def check(self, safe: Safe, store: Store | None = None) -> None:
        """Everything is found by this safe, and opens."""
        async with (store or self.store).unit() as unit:
            for number, name in self.cards.items():
                assert safe.ref(number) == name
            for called, identifier in self.accounts.items():
                found = select(account.c.id).where(account.c.name_ref == safe.name_ref(called))
                assert await unit.connection.scalar(found) == identifier
            known = {name: (salt, digest) for name, salt, digest in await station.keys(unit)}
            for name, spelled in self.stations.items():
                assert known[name][1] in safe.station_digests(known[name][0], spelled.encode())
            for column in SEALED:
                await self._check(unit, safe, column)

    async def _check(self, unit: Unit, safe: Safe, column: Sealed) -> None:
        where = (column.table.name, column.column)
        rows = await unit.connection.execute(select(column.key.label("at"), column.value.label("sealed")))
        found = {row.at: row.sealed for row in rows if row.sealed is not None}
        mine = {at: told for (table, name, at), told in self.values.items() if (table, name) == where}
        assert mine, where
        for at, (whose, plain) in mine.items():
            sealed = bytes(found[at])
            opened = (
                safe.unseal(*where, sealed) if whose == HOUSE else await safe.unseal_for(unit, whose, *where, sealed)
            )
            assert opened == plain


def opens(root_key: bytes, wrapped: bytes, subject: str) -> bool:
    """Whether a root key file's bytes open an installation key."""
    from wattkeeper.vault.keys import primitive

    try:
        primitive(root_key).decrypt(wrapped, subject.encode())
    except Exception:
        return False
    return True


__all__ = ["Planted", "identity", "opens", "row_of", "unseal"]
