"""What leaves say instead of a card's pseudonym, and how that outlives its being forgotten.

A leaf commits to what a row said. When a person is forgotten, the pseudonyms of their cards are renamed in the rows
(``p1:…`` becomes ``gone:…``), and the leaf must hold all the same. So a leaf never covers a pseudonym: it covers that
pseudonym's commitment, which is made here when a row with it is logged first, and which follows it to its new name.

What may be renamed, without breaking a leaf: `pseudonyms` of cards, wherever they stand in a followed row, and nothing
else. Ids of persons, accounts, sessions and stations stay as they are: they are random and lead to nobody once their
key is destroyed. What else may change in a followed row stands in `store/log/source.py`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.columns import EPOCH
from wattkeeper.store.money.due import Followed, followed
from wattkeeper.store.tables import follower, log_name
from wattkeeper.store.unit import Unit

PSEUDONYM: Final = re.compile(r"\b((?:p[1-9][0-9]{0,3}|gone):[0-9a-zA-Z]{16,64})\b")
"""The pseudonym of a card, by any version of the pepper, or what it is called once forgotten: 128 random bits."""
RENAMES: Final = "log.renames"
"""The follower that counts renamings: whoever read rows before one of them reads them again."""
N = log_name.c


@dataclass(frozen=True, slots=True)
class Named:
    """The commitment to a name; ``salt`` where it is new and not kept yet."""

    commitment: bytes
    salt: bytes | None = None


def commit(salt: bytes, token: str) -> bytes:
    """What leaves say instead of a pseudonym."""
    return hashlib.sha256(salt + token.encode()).digest()


def parted(text: str) -> list[str]:
    """A text in parts: every second one is the pseudonym of a card."""
    return PSEUDONYM.split(text)


def tokens_in(text: str) -> set[str]:
    """The pseudonyms of cards that stand in a text."""
    return set(parted(text)[1::2])


async def commitments(connection: AsyncConnection, tokens: Iterable[str], is_sqlite: bool) -> dict[str, Named]:
    """What leaves say instead of each of these; new ones are made up and must be kept (`keep`)."""
    wanted = sorted(set(tokens))
    some = "(SELECT value FROM json_each(?))" if is_sqlite else "(SELECT unnest($1::text[]))"
    given = orjson.dumps(wanted).decode() if is_sqlite else wanted
    sql = f"SELECT token, commitment FROM log_name WHERE token IN {some}"
    rows = (await connection.exec_driver_sql(sql, (given,))).all() if wanted else []
    found = {row.token: Named(bytes(row.commitment)) for row in rows}
    for token in wanted:
        if token not in found:
            salt = os.urandom(16)
            found[token] = Named(commit(salt, token), salt)
    return found


def keep(unit: Unit, named: Mapping[str, Named]) -> None:
    """Keep what was made up, at the unit's next flush."""
    for token, one in named.items():
        if one.salt is not None:
            unit.insert(log_name, (token, one.salt, one.commitment))


async def renames(connection: AsyncConnection) -> int:
    """How often something was renamed so far."""
    return (await followed(connection, RENAMES)).n


async def renamed(unit: Unit, names: Mapping[str, str]) -> None:
    """Say that pseudonyms are called otherwise from now on, old by new, in the unit that renames them in the rows.

    Each new one must be a name nobody had, of the form of `PSEUDONYM`; raises ValueError where it is not. The salts are
    destroyed: from then on nobody can try whether a leaf was about a card, not even with every key of the house.
    """
    wrong = next((new for new in names.values() if PSEUDONYM.fullmatch(new) is None), None)
    if wrong is not None:
        raise ValueError(
            f"{wrong[:60]!r} is no name for a forgotten card; one is gone: and 16 to 64 letters and digits."
        )
    await unit.flush()
    change = "UPDATE log_name SET token = {}, salt = NULL WHERE token = {}"
    marks = ("?", "?") if unit.is_sqlite else ("$1", "$2")
    await unit.connection.exec_driver_sql(change.format(*marks), [(new, old) for old, new in names.items()])
    await _advance(unit, await followed(unit.connection, RENAMES))


async def _advance(unit: Unit, before: Followed) -> None:
    """Count one more renaming."""
    counted = update(follower).where(follower.c.name == RENAMES).values(n=before.n + 1)
    if not (await unit.connection.execute(counted)).rowcount:
        await unit.connection.execute(follower.insert().values(name=RENAMES, n=1, since=EPOCH))


async def opening(connection: AsyncConnection, token: str) -> Named | None:
    """The commitment to a name and its salt, while there is one; None: no leaf is about it."""
    row = (await connection.execute(select(N.commitment, N.salt).where(N.token == token))).first()
    return None if row is None else Named(bytes(row.commitment), None if row.salt is None else bytes(row.salt))


async def gone(connection: AsyncConnection) -> int:
    """How many names are those of cards whose holder was forgotten."""
    return int(await connection.scalar(select(func.count()).where(N.salt.is_(None))) or 0)


async def changed(connection: AsyncConnection) -> list[str]:
    """Names that are not those their commitment was made of: only who is forgotten is called otherwise."""
    rows = await connection.stream(select(N.token, N.salt, N.commitment))
    return [row.token async for row in rows if not _holds(row.token, row.salt, bytes(row.commitment))]


def _holds(token: str, salt: bytes | None, commitment: bytes) -> bool:
    """Whether a name is the one that was committed to, or chance has taken its place."""
    return token.startswith("gone:") if salt is None else commit(bytes(salt), token) == commitment
