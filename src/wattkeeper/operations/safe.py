"""The vault in use: keys kept wrapped in the store, opened by the root key; pseudonyms and seals for every deed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection
from tink import aead

from wattkeeper.charging.cards.token import TokenKind, TokenRef
from wattkeeper.operations.keys.kinds import CODES_PEPPER, HOUSE, MARKS_PEPPER, PEPPERS
from wattkeeper.operations.keys.shared import Shared, open_shared
from wattkeeper.settings import Settings
from wattkeeper.store import key
from wattkeeper.store.columns import to_micros
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import subject_key
from wattkeeper.store.unit import Unit
from wattkeeper.vault.envelope import seal, unseal
from wattkeeper.vault.keys import INSTALLATION, MARK, KeyRefused, KeyRing, Root, version_of, versioned
from wattkeeper.vault.pseudonym import key_digest, name_pseudonym, pseudonym, tag
from wattkeeper.vault.root import FileRoot, open_root

SINCE_0002 = ("pepper:names", "pepper:codes")
"""What an installation of the first release does not have yet."""
TAPPED = frozenset({TokenKind.RFID, TokenKind.CENTRAL})
"""Kinds that share the names of cards: a card, and a card that we start a session with from afar."""


class Safe:
    """Seals, opens and pseudonymises for this installation; holds opened keys in memory only.

    Another process may replace keys at any time. `keep_up` runs as each transaction and each look begins, so within
    one everything fits what the database holds then.
    """

    def __init__(self, ring: KeyRing) -> None:
        self.ring = ring
        self._shared: Shared | None = None
        self._names: Mapping[str, str] = {}
        self._names_of = 0
        self._gone: Mapping[bytes, aead.Aead] = {}
        self._enrolled: frozenset[str] = frozenset()
        self._change = -1

    def __repr__(self) -> str:
        """Which keys are open; never a key."""
        return f"<Safe {self.ring!r}>"

    @property
    def shared(self) -> Shared:
        """The shared keys as they are open."""
        assert self._shared is not None, "the safe was not opened"
        return self._shared

    async def keep_up(self, connection: AsyncConnection) -> None:
        """Take up what changed about the keys since the last time; raises KeyRefused where they do not open."""
        newest = await key.newest_change(connection)
        if newest > self._change:
            await self._load(connection, newest)

    async def _load(self, connection: AsyncConnection, change: int) -> None:
        """Open the shared keys as they are now."""
        rows = await key.shared(connection)
        wrapped = {subject: row.wrapped for subject, row in rows.items()}
        await open_above(self.ring, wrapped)
        opened = open_shared(self.ring, wrapped)
        if opened.cards.version != self._names_of:
            self._names = await key.names_by_index(connection, f"p{opened.cards.version}:")
            self._enrolled, self._names_of = frozenset(self._names.values()), opened.cards.version
        self._gone = {} if self._shared is None else self._shared.houses
        self._shared, self._change = opened, change

    def let_go(self) -> None:
        """Drop from memory the keys that are gone: what was read before they went is opened by now."""
        self._gone = {}
        self.ring.let_go()

    # --- finding ----------------------------------------------------------------------------------------

    def ref(self, uid: str, kind: TokenKind = TokenKind.RFID) -> TokenRef:
        """The name of a token, the same for every spelling of it; what was typed is never what was tapped.

        A card that was enrolled before a rotation keeps the name it had: the index of the newer pepper leads to it.
        """
        pepper = self.shared.cards
        found = pseudonym(pepper.key, pepper.version, uid if kind in TAPPED else f"{kind.value}/{uid}")
        return TokenRef(self._names.get(found, found))

    def is_known_name(self, token: str) -> bool:
        """Whether `ref` can still come to this name: not that of a card that nobody had enrolled when keys changed."""
        return token.startswith(f"p{self.shared.cards.version}:") or token in self._enrolled

    def station_digest(self, salt: bytes, key: bytes) -> bytes:
        """What is stored of a station's key."""
        return self.station_digests(salt, key)[0]

    def station_digests(self, salt: bytes, key: bytes) -> list[bytes]:
        """What may be stored of a station's key: under the newest pepper first, then under those before it."""
        return [key_digest(pepper.key, salt, key) for pepper in self.shared.stations]

    @property
    def station_version(self) -> int:
        """The version of the pepper under which stations' keys are kept from now on."""
        return self.shared.stations[0].version

    def name_ref(self, name: str) -> str:
        """The pseudonym of an e-mail address or sign-in name, the same for every spelling of it."""
        return name_pseudonym(self.shared.names.key, self.shared.names.version, name)

    def tag(self, purpose: str, data: bytes, size: int = 16) -> bytes:
        """A keyed tag of data for one purpose: what only we can make and know again (codes that we give out)."""
        return self.tags(purpose, data, size)[0]

    def tags(self, purpose: str, data: bytes, size: int = 16) -> list[bytes]:
        """The tag as it is made now, then as it was made before the codes' key was replaced, while that is kept."""
        return [tag(pepper.key, purpose, data)[:size] for pepper in self.shared.codes]

    @property
    def code_versions(self) -> list[int]:
        """The versions by which `tags` are made, in their order."""
        return [pepper.version for pepper in self.shared.codes]

    def marks(self, purpose: str, data: bytes, size: int = 16) -> list[bytes]:
        """As `tags`, of what must be known again for as long as the books: each version is kept for that."""
        return [tag(pepper.key, purpose, data)[:size] for pepper in self.shared.marks]

    # --- sealing ----------------------------------------------------------------------------------------

    def seal(self, table: str, column: str, plain: bytes) -> bytes:
        """Seal what is nobody's personal value in particular."""
        return seal(self.shared.house, table, column, HOUSE, plain)

    def unseal(self, table: str, column: str, sealed: bytes) -> bytes:
        """Open what `seal` sealed; raises KeyRefused."""
        house = self.shared.houses.get(sealed[:MARK]) or self._gone.get(sealed[:MARK])
        if house is None:
            raise KeyRefused(f"A sealed value in {table}.{column} was sealed by a key that is gone.")
        return unseal(house, table, column, HOUSE, sealed)

    async def make_subject(self, unit: Unit, subject: str) -> None:
        """Give a person a key of their own, at once."""
        await key.keep(unit, subject, self.ring.make(subject))

    def enter_subject(self, unit: Unit, subject: str) -> Callable[[str, str, bytes], bytes]:
        """Give a person a key of their own at the next flush; gives what seals under it: (table, column, plain)."""
        wrapped = self.ring.make(subject)
        unit.insert(subject_key, (subject, wrapped, to_micros(unit.now)))
        cipher = self.ring.cipher(subject, wrapped)
        return lambda table, column, plain: seal(cipher, table, column, subject, plain)

    async def make_secret(self, unit: Unit, subject: str) -> bytes:
        """Make and keep 32 random bytes under a name, such as ``log:1``, at once."""
        wrapped = self.ring.make_secret(subject)
        await key.keep(unit, subject, wrapped)
        return self.ring.open_secret(subject, wrapped)

    def secret(self, subject: str, wrapped: bytes) -> bytes:
        """The bytes of `make_secret`; raises KeyRefused."""
        return self.ring.open_secret(subject, wrapped)

    async def seal_for(self, unit: Unit, subject: str, table: str, column: str, plain: bytes) -> bytes:
        """Seal a person's value under their own key; raises KeyRefused when the key was destroyed."""
        return seal(await self._cipher(unit, subject), table, column, subject, plain)

    async def unseal_for(self, unit: Unit, subject: str, table: str, column: str, sealed: bytes) -> bytes:
        """Open a person's value; raises KeyRefused when the key was destroyed."""
        return unseal(await self._cipher(unit, subject), table, column, subject, sealed)

    def unseal_by(self, wrapped: bytes, subject: str, table: str, column: str, sealed: bytes) -> bytes:
        """Open a person's value by their wrapped key, where both were read together; raises KeyRefused."""
        return unseal(self.ring.cipher(subject, wrapped), table, column, subject, sealed)

    async def secret_of(self, unit: Unit, subject: str) -> bytes:
        """32 random bytes of this name, the same for ever; made and kept where there are none yet."""
        wrapped = await key.wrapped_of(unit.connection, subject)
        if wrapped is None:
            wrapped = self.ring.make_secret(subject)
            await key.keep(unit, subject, wrapped)
        return self.ring.open_secret(subject, wrapped)

    def forget_opened(self) -> None:
        """Drop every opened key of a person from memory, and by which indexes cards are found: some were destroyed."""
        self.ring.let_go()
        self._change, self._names_of = -1, 0

    async def _cipher(self, unit: Unit, subject: str) -> aead.Aead:
        wrapped = await key.wrapped_of(unit.connection, subject)
        if wrapped is None:
            raise KeyRefused(f"There is no key for {subject}; it may have been forgotten.")
        return self.ring.cipher(subject, wrapped)


def root_of(settings: Settings) -> Root:
    """The root key that the settings name; raises ValueError."""
    return open_root(settings.root, settings.root_key, settings.root_token_file, settings.root_ca_file)


async def open_safe(store: Store, root: Path | Root) -> Safe:
    """Open the installation's safe; on an empty database make its keys (and a root key file if there is none)."""
    root = FileRoot(root) if isinstance(root, Path) else root
    safe = Safe(KeyRing(root))
    store.before = None
    async with store.unit() as unit:
        if await key.is_empty(unit.connection):
            await _begin(unit, safe.ring)
        wrapped = {subject: row.wrapped for subject, row in (await key.shared(unit.connection)).items()}
        newest = await open_above(safe.ring, wrapped)
        await _complete(unit, safe.ring, wrapped)
        await safe.keep_up(unit.connection)
    if isinstance(root, FileRoot):
        root.settle(wrapped[newest], newest.encode())
    store.before = safe.keep_up
    return safe


async def open_above(ring: KeyRing, wrapped: Mapping[str, bytes]) -> str:
    """Open every version of the installation's key and close those that are gone; the subject of the newest."""
    versions = {version for name, version in map(version_of, wrapped) if name == INSTALLATION}
    if not versions:
        raise KeyRefused("The database has lost its key installation. Restore it from a backup.")
    for version in sorted(versions - ring.versions):
        await asyncio.to_thread(ring.open_installation, wrapped[versioned(INSTALLATION, version)], version)
    for version in ring.versions - versions:
        ring.close_installation(version)
    return versioned(INSTALLATION, max(versions))


async def _begin(unit: Unit, ring: KeyRing) -> None:
    """The first keys of an installation."""
    if isinstance(ring.root, FileRoot) and not ring.root.exists():
        ring.root.make()
    wrapped = await asyncio.to_thread(ring.make_installation)
    await key.keep(unit, INSTALLATION, wrapped)
    ring.open_installation(wrapped)
    await key.keep(unit, HOUSE, ring.make(HOUSE))
    for subject in PEPPERS:
        await key.keep(unit, subject, ring.make_secret(subject))


async def _complete(unit: Unit, ring: KeyRing, wrapped: Mapping[str, bytes]) -> None:
    """Make the keys that installations of older releases do not have yet."""
    for subject in SINCE_0002:
        if subject not in {version_of(one)[0] for one in wrapped}:
            await key.keep(unit, subject, ring.make_secret(subject))
    if MARKS_PEPPER not in {version_of(one)[0] for one in wrapped}:
        codes = wrapped.get(CODES_PEPPER)  # what made marks before there was a key for them
        plain = None if codes is None else ring.open_secret(CODES_PEPPER, codes)
        made = ring.make_secret(MARKS_PEPPER) if plain is None else ring.keep_secret(MARKS_PEPPER, plain)
        await key.keep(unit, MARKS_PEPPER, made)
