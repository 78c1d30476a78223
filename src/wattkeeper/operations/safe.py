"""The vault in use: keys kept wrapped in the store, opened by the root key; pseudonyms and seals for every deed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert, select

from wattkeeper.charging.cards.token import TokenKind, TokenRef
from wattkeeper.settings import Settings
from wattkeeper.store.columns import to_micros
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import subject_key
from wattkeeper.store.unit import Unit
from wattkeeper.vault.envelope import seal, unseal
from wattkeeper.vault.keys import INSTALLATION, KeyRefused, KeyRing, Root
from wattkeeper.vault.pseudonym import key_digest, name_pseudonym, pseudonym, tag
from wattkeeper.vault.root import FileRoot, open_root

PEPPER = "pepper:1"
STATIONS_PEPPER = "pepper:stations"
NAMES_PEPPER = "pepper:names"
CODES_PEPPER = "pepper:codes"
SECRETS = (PEPPER, STATIONS_PEPPER, NAMES_PEPPER, CODES_PEPPER)
SINCE_0002 = (NAMES_PEPPER, CODES_PEPPER)
"""What an installation of the first release does not have yet."""
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
        self._names_pepper = ring.open_secret(NAMES_PEPPER, wrapped[NAMES_PEPPER])
        self._codes_pepper = ring.open_secret(CODES_PEPPER, wrapped[CODES_PEPPER])

    def ref(self, uid: str, kind: TokenKind = TokenKind.RFID) -> TokenRef:
        """The pseudonym of a token, the same for every spelling of it; what was typed is never what was tapped."""
        return TokenRef(pseudonym(self._pepper, 1, uid if kind in TAPPED else f"{kind.value}/{uid}"))

    def station_digest(self, salt: bytes, key: bytes) -> bytes:
        """What is stored of a station's key."""
        return key_digest(self._stations_pepper, salt, key)

    def name_ref(self, name: str) -> str:
        """The pseudonym of an e-mail address or sign-in name, the same for every spelling of it."""
        return name_pseudonym(self._names_pepper, 1, name)

    def tag(self, purpose: str, data: bytes, size: int = 16) -> bytes:
        """A keyed tag of data for one purpose: what only we can make and know again (codes that we give out)."""
        return tag(self._codes_pepper, purpose, data)[:size]

    def seal(self, table: str, column: str, plain: bytes) -> bytes:
        """Seal what is nobody's personal value in particular."""
        return seal(self._house, table, column, HOUSE, plain)

    def unseal(self, table: str, column: str, sealed: bytes) -> bytes:
        """Open what `seal` sealed; raises KeyRefused."""
        return unseal(self._house, table, column, HOUSE, sealed)

    async def make_subject(self, unit: Unit, subject: str) -> None:
        """Give a person a key of their own, at once."""
        await _keep(unit, subject, self._ring.make(subject))

    def enter_subject(self, unit: Unit, subject: str) -> Callable[[str, str, bytes], bytes]:
        """Give a person a key of their own at the next flush; gives what seals under it: (table, column, plain)."""
        wrapped = self._ring.make(subject)
        unit.insert(subject_key, (subject, wrapped, to_micros(unit.now)))
        cipher = self._ring.cipher(subject, wrapped)
        return lambda table, column, plain: seal(cipher, table, column, subject, plain)

    async def make_secret(self, unit: Unit, subject: str) -> bytes:
        """Make and keep 32 random bytes under a name, such as ``log:1``, at once."""
        wrapped = self._ring.make_secret(subject)
        await _keep(unit, subject, wrapped)
        return self._ring.open_secret(subject, wrapped)

    def secret(self, subject: str, wrapped: bytes) -> bytes:
        """The bytes of `make_secret`; raises KeyRefused."""
        return self._ring.open_secret(subject, wrapped)

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

    def unseal_by(self, wrapped: bytes, subject: str, table: str, column: str, sealed: bytes) -> bytes:
        """Open a person's value by their wrapped key, where both were read together; raises KeyRefused."""
        return unseal(self._ring.cipher(subject, wrapped), table, column, subject, sealed)

    async def secret_of(self, unit: Unit, subject: str) -> bytes:
        """32 random bytes of this name, the same for ever; made and kept where there are none yet."""
        wrapped = await unit.connection.scalar(select(subject_key.c.wrapped).where(subject_key.c.subject == subject))
        if wrapped is None:
            wrapped = self._ring.make_secret(subject)
            await _keep(unit, subject, wrapped)
        return self._ring.open_secret(subject, wrapped)

    def forget_opened(self) -> None:
        """Drop every opened key of a person from memory: some of them were destroyed."""
        self._ring.forget_opened()


async def _keep(unit: Unit, subject: str, wrapped: bytes) -> None:
    """Store a wrapped key."""
    await unit.connection.execute(insert(subject_key).values(subject=subject, wrapped=wrapped, created_at=unit.now))


def root_of(settings: Settings) -> Root:
    """The root key that the settings name; raises ValueError."""
    return open_root(settings.root, settings.root_key, settings.root_token_file, settings.root_ca_file)


async def open_safe(store: Store, root: Path | Root) -> Safe:
    """Open the installation's safe; on an empty database make its keys (and a root key file if there is none)."""
    root = FileRoot(root) if isinstance(root, Path) else root
    async with store.unit() as unit:
        rows = (await unit.connection.execute(select(subject_key.c.subject, subject_key.c.wrapped))).all()
        wrapped = {subject: bytes(key) for subject, key in rows}
        if not wrapped and isinstance(root, FileRoot) and not root.exists():
            root.make()
        ring = KeyRing(root)
        lacking = [name for name in (SINCE_0002 if wrapped else (HOUSE, *SECRETS)) if name not in wrapped]
        if not wrapped:
            wrapped = {INSTALLATION: await asyncio.to_thread(ring.make_installation)}
            await _keep(unit, INSTALLATION, wrapped[INSTALLATION])
        await asyncio.to_thread(ring.open_installation, wrapped[INSTALLATION])
        await _complete(unit, ring, wrapped, lacking)
        return Safe(ring, wrapped)


async def _complete(unit: Unit, ring: KeyRing, wrapped: dict[str, bytes], lacking: list[str]) -> None:
    """Make and keep the keys that are lacking; KeyRefused where one that must be there is not."""
    for subject in lacking:
        wrapped[subject] = ring.make(subject) if subject == HOUSE else ring.make_secret(subject)
        await _keep(unit, subject, wrapped[subject])
    lost = {HOUSE, *SECRETS} - set(wrapped)
    if lost:
        raise KeyRefused(f"The database has lost its key {min(lost)}. Restore it from a backup.")
