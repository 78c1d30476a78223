"""Persons: what is known of them, sealed under their own keys."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.tables import person, subject_key


async def sealed(connection: AsyncConnection, identifier: str) -> bytes | None:
    """What is known of a person, sealed under their key; None where nothing is."""
    found = await connection.scalar(select(person.c.sealed).where(person.c.id == identifier))
    return None if found is None else bytes(found)


async def is_kept(connection: AsyncConnection, identifier: str) -> bool:
    """Whether there is such a person, who was not forgotten."""
    return await connection.scalar(select(subject_key.c.subject).where(subject_key.c.subject == identifier)) is not None
