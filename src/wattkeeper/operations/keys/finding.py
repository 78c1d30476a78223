"""Peppers replaced: by which index cards and accounts are found, which stations and codes are known by the old one."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson
from sqlalchemy import Row, Select, exists, select, update

from wattkeeper.operations.keys.ground import Found, Ground
from wattkeeper.operations.keys.kinds import CARDS_PEPPER, NAMES_PEPPER
from wattkeeper.operations.people.own import BY_COMPANY
from wattkeeper.store import key
from wattkeeper.store.tables import account, blind_index, card, subject_key
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused, versioned
from wattkeeper.vault.pseudonym import name_pseudonym, pseudonym

AT_ONCE: Final = 500
B, C, A, K = blind_index.c, card.c, account.c, subject_key.c
Led = Callable[[Row[Any], bytes, int], str]
"""The index of a row under a pepper of a version; raises KeyRefused where what it is of cannot be opened."""


async def cards(ground: Ground, version: int) -> Found:
    """Index all cards by the pepper of this version, some in each transaction."""
    return await _in_parts(ground, lambda unit, after, most: _cards(ground, unit, version, after, most))


async def cards_in(ground: Ground, unit: Unit, version: int) -> Found:
    """Index the cards that are not yet, in this transaction."""
    return (await _cards(ground, unit, version, "", None))[0]


async def names(ground: Ground, version: int) -> Found:
    """Index what all accounts sign in with, some in each transaction."""
    return await _in_parts(ground, lambda unit, after, most: _names(ground, unit, version, after, most))


async def names_in(ground: Ground, unit: Unit, version: int) -> Found:
    """Index the accounts that are not yet, in this transaction."""
    return (await _names(ground, unit, version, "", None))[0]


async def rename_accounts(unit: Unit, version: int) -> None:
    """Have every account that was indexed found by its index of this version from now on."""
    mine = (B.name == A.name_ref) & B.ref.startswith(f"n{version}:")
    fresh = select(B.ref).where(mine).limit(1).scalar_subquery()
    await unit.connection.execute(update(account).where(exists().where(mine)).values(name_ref=fresh))


async def _in_parts(ground: Ground, part: Callable[[Unit, str, int], Any]) -> Found:
    """Go through all, some in each transaction."""
    found, after = Found(0, []), ""
    while True:
        async with ground.store.unit() as unit:
            some, after = await part(unit, after, AT_ONCE)
        found += some
        if not after:
            return found


async def _cards(ground: Ground, unit: Unit, version: int, after: str, most: int | None) -> tuple[Found, str]:
    """Index some cards after one; and the last, none where there are no more."""
    lacking = ~exists().where((B.name == C.ref) & B.ref.startswith(f"p{version}:"))
    wanted = select(C.ref.label("at"), C.person_id, C.last2, C.sealed, K.wrapped)
    wanted = wanted.select_from(card.outerjoin(subject_key, K.subject == C.person_id)).where(lacking, C.ref > after)

    def led(row: Row[Any], pepper: bytes) -> str:
        number = ground.safe.unseal_by(bytes(row.wrapped), row.person_id, "card", "sealed", bytes(row.sealed))
        return pseudonym(pepper, version, number.decode())

    rows = await _rows(unit, wanted.order_by(C.ref), most)
    pepper = await _pepper(ground, unit, CARDS_PEPPER, version)
    return await _index(unit, rows, lambda row: led(row, pepper), lambda row: f"{row.at} (••{row.last2})")


async def _names(ground: Ground, unit: Unit, version: int, after: str, most: int | None) -> tuple[Found, str]:
    """Index some accounts after one; and the last, none where there are no more."""
    lacking = ~exists().where((B.name == A.name_ref) & B.ref.startswith(f"n{version}:"))
    wanted = select(A.name_ref.label("at"), A.id, A.person_id, A.sealed, A.created_by, K.wrapped)
    wanted = wanted.select_from(account.outerjoin(subject_key, K.subject == A.person_id))
    wanted = wanted.where(lacking, A.name_ref > after, A.name_ref.contains(":"))

    def led(row: Row[Any], pepper: bytes) -> str:
        if row.created_by == BY_COMPANY:  # nobody types what these sign in with
            return name_pseudonym(pepper, version, f"company {secrets.token_hex(16)}")
        plain = ground.safe.unseal_by(bytes(row.wrapped), row.person_id, "account", "sealed", bytes(row.sealed))
        return name_pseudonym(pepper, version, str(orjson.loads(plain)["name"]))

    rows = await _rows(unit, wanted.order_by(A.name_ref), most)
    pepper = await _pepper(ground, unit, NAMES_PEPPER, version)
    return await _index(unit, rows, lambda row: led(row, pepper), lambda row: str(row.id))


async def _rows(unit: Unit, wanted: Select[Any], most: int | None) -> list[Row[Any]]:
    return list((await unit.connection.execute(wanted if most is None else wanted.limit(most))).all())


async def _pepper(ground: Ground, unit: Unit, name: str, version: int) -> bytes:
    """The pepper that is to be, which nobody finds by yet."""
    subject = versioned(name, version)
    wrapped = await key.wrapped_of(unit.connection, subject)
    assert wrapped is not None, "it was made as the rotation began"
    return ground.safe.ring.open_secret(subject, wrapped)


async def _index(
    unit: Unit, rows: Iterable[Row[Any]], led: Callable[[Row[Any]], str], called: Callable[[Row[Any]], str]
) -> tuple[Found, str]:
    """Keep where the index of each leads."""
    found, pairs, last = Found(0, []), [], ""
    for row in rows:
        last = row.at
        try:
            if row.wrapped is None:
                raise KeyRefused("forgotten")
            pairs.append((led(row), row.at))
        except KeyRefused:
            found.lost.append(called(row))
    await key.index(unit, pairs)
    found.led = len(pairs)
    return found, last
