"""The vault in use: keys kept wrapped in the store, opened by the root key; pseudonyms and seals for every deed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert, select

from wattkeeper.charging.token import TokenKind, TokenRef
from wattkeeper.store.columns import to_micros
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import subject_key
from wattkeeper.store.unit import Unit
from wattkeeper.vault.envelope import seal, unseal
from wattkeeper.vault.keys import INSTALLATION, KeyRefused, KeyRing, load_root, make_root
from wattkeeper.vault.pseudonym import key_digest, pseudonym

PEPPER = "pepper:1"
STATIONS_PEPPER = "pepper:stations"
TAPPED = frozenset({TokenKind.RFID, TokenKind.CENTRAL})
"""Kinds that share the names of cards: a card, and a card that we start a session with from afar."""
HOUSE = "house"
"""The subject of what is secret but nobody's: orders, free text of stations."""


class Safe:
    """Seals, opens and pseudonymises for this installation; holds opened keys in memory only."""

    def __init__(self, ring: KeyRing, wrapped: dict[str, bytes]) -> None:
        self._ring = ring
        self._house = ring.cipher(HOUSE, wrapped[HOUSE])
        self._pepper = ring.open_secret(PEPPER, wrapped[PEPPER])
        self._stations_pepper = ring.open_secret(STATIONS_PEPPER, wrapped[STATIONS_PEPPER])

    def ref(self, uid: str, kind: TokenKind = TokenKind.RFID) -> TokenRef:
        """The pseudonym of a token, the same for every spelling of it; what was typed is never what was tapped."""
        return TokenRef(pseudonym(self._pepper, 1, uid if kind in TAPPED else f"{kind.value}/{uid}"))

    def station_digest(self, salt: bytes, key: bytes) -> bytes:
        """What is stored of a station's key."""
        return key_digest(self._stations_pepper, salt, key)

    def seal(self, table: str, column: str, plain: bytes) -> bytes:
        """Seal what is nobody's personal value in particular."""
        return seal(self._house, table, column, HOUSE, plain)

    def unseal(self, table: str, column: str, sealed: bytes) -> bytes:
        """Open what `seal` sealed; raises KeyRefused."""
        return unseal(self._house, table, column, HOUSE, sealed)

    async def make_subject(self, unit: Unit, subject: str) -> None:
        """Give a person a key of their own."""
        await _keep(unit, subject, self._ring.make(subject))

    def enter_subject(self, unit: Unit, subject: str) -> Callable[[str, str, bytes], bytes]:
        """Give a person a key of their own at the next flush; gives what seals under it: (table, column, plain)."""
        wrapped = self._ring.make(subject)
        unit.insert(subject_key, (subject, wrapped, to_micros(unit.now)))
        cipher = self._ring.cipher(subject, wrapped)
        return lambda table, column, plain: seal(cipher, table, column, subject, plain)

    async def seal_for(self, unit: Unit, subject: str, table: str, column: str, plain: bytes) -> bytes:
        """Seal a person's value under their own key; raises KeyRefused when the key was destroyed."""
        wrapped = await unit.connection.scalar(select(subject_key.c.wrapped).where(subject_key.c.subject == subject))
        if wrapped is None:
            raise KeyRefused(f"There is no key for {subject}; it may have been forgotten.")
        return seal(self._ring.cipher(subject, wrapped), table, column, subject, plain)

    async def unseal_for(self, unit: Unit, subject: str, table: str, column: str, sealed: bytes) -> bytes:
        """Open a person's value; raises KeyRefused when the key was destroyed."""
        wrapped = await unit.connection.scalar(select(subject_key.c.wrapped).where(subject_key.c.subject == subject))
        if wrapped is None:
            raise KeyRefused(f"There is no key for {subject}; it may have been forgotten.")
        return unseal(self._ring.cipher(subject, wrapped), table, column, subject, sealed)


async def _keep(unit: Unit, subject: str, wrapped: bytes) -> None:
    """Store a wrapped key."""
    await unit.connection.execute(insert(subject_key).values(subject=subject, wrapped=wrapped, created_at=unit.now))


async def open_safe(store: Store, root_key: Path) -> Safe:
    """Open the installation's safe; on an empty database make its keys (and a root key file if there is none)."""
    async with store.unit() as unit:
        rows = (await unit.connection.execute(select(subject_key.c.subject, subject_key.c.wrapped))).all()
        wrapped = {subject: bytes(key) for subject, key in rows}
        if not wrapped and not root_key.exists():
            make_root(root_key)
        ring = KeyRing(load_root(root_key))
        if not wrapped:
            wrapped = await _make_installation(unit, ring)
        ring.open_installation(wrapped[INSTALLATION])
        return Safe(ring, wrapped)


async def _make_installation(unit: Unit, ring: KeyRing) -> dict[str, bytes]:
    """Make and keep the keys of a new installation."""
    wrapped = {INSTALLATION: ring.make_installation()}
    ring.open_installation(wrapped[INSTALLATION])
    wrapped |= {
        HOUSE: ring.make(HOUSE),
        PEPPER: ring.make_secret(PEPPER),
        STATIONS_PEPPER: ring.make_secret(STATIONS_PEPPER),
    }
    for subject, key in wrapped.items():
        await _keep(unit, subject, key)
    return wrapped
