"""Each key is replaced by one command that may be stopped at any moment and run again.

It goes in small transactions, so that what is running goes on. The first makes the new key and notes that a rotation
has begun; whoever holds keys open takes it up with their next transaction. The last looks that nothing depends on the
old key, and destroys it. Each of the two is a deed in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.keys import finding, resealing, waiting
from wattkeeper.operations.keys.ground import Ground, Tell
from wattkeeper.operations.keys.kinds import SUBJECTS, KeyKind
from wattkeeper.operations.safe import Safe
from wattkeeper.store import deed, key
from wattkeeper.store.engines import Store
from wattkeeper.store.key import Step
from wattkeeper.store.stations import station
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import INSTALLATION, Root, version_of, versioned
from wattkeeper.vault.root import FileRoot
from wattkeeper.vault.transit import Transit

ALL: Final = (
    KeyKind.ROOT,
    KeyKind.INSTALLATION,
    KeyKind.PERSONS,
    KeyKind.HOUSE,
    KeyKind.CARDS,
    KeyKind.NAMES,
    KeyKind.STATIONS,
    KeyKind.CODES,
    KeyKind.MARKS,
    KeyKind.LOG,
)
"""In this order by ``wattkeeper keys rotate all``."""
REWRAPPED_AT_ONCE: Final = 500


SignAnew = Callable[[str], Awaitable[str]]
"""Begins another key that signs the log, for whoever asks for it; gives its public half."""


class Rotation:
    """Replaces keys."""

    def __init__(self, store: Store, safe: Safe, by: str, sign_anew: SignAnew | None = None) -> None:
        self._sign_anew = sign_anew
        self._store = store
        self._safe = safe
        self._by = by
        self._ground = Ground(store, safe)

    async def rotate(self, kind: KeyKind, tell: Tell, *, end: bool = False) -> None:
        """Replace a key, or go on where it was stopped; ``end`` ends what waits for others. Refusal, KeyRefused."""
        deeds: Mapping[KeyKind, Callable[[Tell, bool], Awaitable[None]]] = {
            KeyKind.ROOT: self._root,
            KeyKind.INSTALLATION: self._installation,
            KeyKind.PERSONS: self._persons,
            KeyKind.HOUSE: self._house,
            KeyKind.CARDS: self._cards,
            KeyKind.NAMES: self._names,
            KeyKind.STATIONS: self._stations,
            KeyKind.CODES: self._codes,
            KeyKind.MARKS: self._marks,
            KeyKind.LOG: self._log,
        }
        await deeds[kind](tell, end)
        async with self._store.read():
            pass  # a look takes up what changed
        await self._ground.scrub(tell)

    # --- steps ------------------------------------------------------------------------------------------

    async def _begin(self, kind: KeyKind) -> int:
        """Make the next version and note that its rotation began, or find the one that is under way: its version."""
        async with self._store.unit() as unit:
            newest = await key.newest_of(unit.connection, kind)
            if newest is not None and newest.step is Step.BEGUN:
                return newest.version
            version = newest.version + 1 if newest is not None else 2
            await self._make(unit, kind, version)
            await self._note(unit, kind, version, Step.BEGUN, {})
            return version

    async def _make(self, unit: Unit, kind: KeyKind, version: int) -> None:
        """The key itself, where all share one."""
        name = SUBJECTS.get(kind)
        if name is None:
            return
        subject, ring = versioned(name, version), self._safe.ring
        if kind is KeyKind.INSTALLATION:
            wrapped = await asyncio.to_thread(ring.make_installation, version)
        else:
            wrapped = ring.make(subject) if kind is KeyKind.HOUSE else ring.make_secret(subject)
        await key.keep(unit, subject, wrapped)

    async def _end(
        self, unit: Unit, kind: KeyKind, version: int, told: Mapping[str, Any], *, keep: bool = False
    ) -> None:
        """Destroy the versions before and note it; with ``keep`` they stay, for what must be known again."""
        name = SUBJECTS.get(kind)
        if name is not None and not keep:
            found = [version_of(subject) for subject in await key.shared(unit.connection)]
            await key.destroy(unit, [versioned(*one) for one in found if one[0] == name and one[1] < version])
        await self._note(unit, kind, version, Step.ENDED, told)

    async def _note(self, unit: Unit, kind: KeyKind, version: int, step: Step, told: Mapping[str, Any]) -> None:
        await key.note(unit, kind, version, step, told)
        body = {"key": kind.value, "version": version, "step": step.value, **told}
        await deed.enter(unit, DeedKind.KEY_ROTATED, self._by, "", body)

    # --- each kind --------------------------------------------------------------------------------------

    async def _root(self, tell: Tell, end: bool) -> None:
        """A fresh root in the place of this one."""
        root = self._safe.ring.root
        if isinstance(root, Transit):
            version = await asyncio.to_thread(root.turn)
            await self.move(root)
            if end:
                await asyncio.to_thread(root.end_before, version)
            tell(_turned(root, version, end))
            return
        if not isinstance(root, FileRoot):
            await self.move(root)
            tell(
                f"{root.where}: the installation's key is wrapped by its newest version. Turn the key there as it asks."
            )
            return
        await self.move(root.make_next())
        tell(f"{root.where} holds a fresh root key; the one before opens nothing of this database any more.")
        tell("Back it up now, apart from the database. Backups of keys made before need the root key of then.")

    async def move(self, root: Root) -> None:
        """Wrap the installation's key by another root."""
        before = self._safe.ring.root
        async with self._store.unit() as unit:
            rows = [
                row
                for row in (await key.shared(unit.connection)).values()
                if version_of(row.subject)[0] == INSTALLATION
            ]
            wrapped: dict[str, bytes] = {}
            for row in rows:
                plain = await asyncio.to_thread(before.unwrap, row.wrapped, row.subject.encode())
                wrapped[row.subject] = await asyncio.to_thread(root.wrap, plain, row.subject.encode())
            await key.rewrap(unit, wrapped)
            newest = await key.newest_of(unit.connection, KeyKind.ROOT)
            await self._note(unit, KeyKind.ROOT, 2 if newest is None else newest.version + 1, Step.ENDED, {})
        if isinstance(before, FileRoot):
            for subject, one in wrapped.items():
                before.settle(one, subject.encode())

    async def _installation(self, tell: Tell, end: bool) -> None:
        """A fresh installation key, and all keys below wrapped by it."""
        version = await self._begin(KeyKind.INSTALLATION)
        done = 0
        while True:
            async with self._store.unit() as unit:
                roots = [versioned(INSTALLATION, one) for one in self._safe.ring.versions]
                mark = self._safe.ring.mark
                rows = await key.wrapped_otherwise(unit.connection, mark, roots, REWRAPPED_AT_ONCE)
                if not rows:
                    await self._end(unit, KeyKind.INSTALLATION, version, {"keys": done})
                    break
                await key.rewrap(unit, {row.subject: self._safe.ring.rewrap(row.subject, row.wrapped) for row in rows})
            done += len(rows)
        tell(f"The installation has a fresh key; {done:,} keys below are wrapped by it.")

    async def _persons(self, tell: Tell, end: bool) -> None:
        """A fresh key for each person, and what is theirs sealed by it."""
        version = await self._begin(KeyKind.PERSONS)
        told = await resealing.persons(self._ground)
        async with self._store.unit() as unit:
            await self._end(unit, KeyKind.PERSONS, version, told.counts("persons"))
        tell(f"{told.keys:,} persons have a fresh key; {told.values:,} values were sealed anew.")
        told.name(tell)

    async def _house(self, tell: Tell, end: bool) -> None:
        """A fresh house key, and what is nobody's in particular sealed by it."""
        version = await self._begin(KeyKind.HOUSE)
        told = await resealing.house(self._ground)
        async with self._store.unit() as unit:
            await self._end(unit, KeyKind.HOUSE, version, told.counts("values"))
        tell(f"The house has a fresh key; {told.values:,} values were sealed anew.")
        told.name(tell)

    async def _cards(self, tell: Tell, end: bool) -> None:
        """A fresh pepper for cards; each keeps the name that the journal knows it by."""
        version = await self._begin(KeyKind.CARDS)
        found = await finding.cards(self._ground, version)
        async with self._store.unit() as unit:
            found += await finding.cards_in(self._ground, unit, version)
            await key.drop_indexes(unit, "p", but=f"p{version}:")
            await self._end(unit, KeyKind.CARDS, version, {"cards": found.led, "lost": len(found.lost)})
        tell(
            f"Cards are found by a fresh pepper; {found.led:,} were indexed by it and keep their names in the journal."
        )
        found.name(tell, "card", "its number cannot be opened, so that nothing finds it by that any more")

    async def _names(self, tell: Tell, end: bool) -> None:
        """A fresh pepper for what people sign in with."""
        version = await self._begin(KeyKind.NAMES)
        found = await finding.names(self._ground, version)
        async with self._store.unit() as unit:
            found += await finding.names_in(self._ground, unit, version)
            await finding.rename_accounts(unit, version)
            await key.drop_indexes(unit, "n")
            await self._end(unit, KeyKind.NAMES, version, {"accounts": found.led, "lost": len(found.lost)})
        tell(f"Accounts are found by a fresh pepper; {found.led:,} were indexed by it.")
        found.name(tell, "account", "its name cannot be opened, so that nobody signs in by it any more")

    async def _stations(self, tell: Tell, end: bool) -> None:
        """A fresh pepper for stations' keys, which each needs that signs in."""
        version = await self._begin(KeyKind.STATIONS)
        async with self._store.unit() as unit:
            left = await station.kept_before(unit.connection, version)
            if end or not left:
                await self._end(unit, KeyKind.STATIONS, version, {"left": len(left)})
        if not left:
            tell("Every station is known by the fresh pepper; the one before is destroyed.")
        elif end:
            tell(f"The pepper before is destroyed. {len(left):,} stations are not let in until they get another key:")
        else:
            tell(f"Both peppers are tried until each station has signed in once; {len(left):,} have not yet:")
        for name in left[:20]:
            tell(f"  {name}")

    async def _codes(self, tell: Tell, end: bool) -> None:
        """A fresh pepper for codes; those given out before go on until this is ended."""
        version = await self._begin(KeyKind.CODES)
        async with self._store.unit() as unit:
            begun = await key.newest_of(unit.connection, KeyKind.CODES)
            assert begun is not None
            told = await waiting.codes_before(unit.connection, begun.at, version)
            if end:
                await waiting.end_codes(unit, begun.at, version)
                await self._end(unit, KeyKind.CODES, version, told)
        for line in waiting.codes_in_words(told, ended=end):
            tell(line)

    async def _log(self, tell: Tell, end: bool) -> None:
        """Another key that signs the log; the deed is the log's own, and the old key signs what there is first."""
        if self._sign_anew is None:
            raise Refusal(Code.CONFLICT, phrase("The log's key is replaced from the command line."))
        tell(f"The log is signed by another key from now on: {await self._sign_anew(self._by)}")
        tell("The one before has signed all there was, and signs the new one's first checkpoint too.")

    async def _marks(self, tell: Tell, end: bool) -> None:
        """A fresh pepper for marks; those before are kept, for what they marked must be known again."""
        version = await self._begin(KeyKind.MARKS)
        async with self._store.unit() as unit:
            await self._end(unit, KeyKind.MARKS, version, {}, keep=True)
        tell(
            "Signed records and buyers are marked by a fresh pepper. The ones before are kept to know what they marked."
        )


def _turned(root: Transit, version: int, ended: bool) -> str:
    """What was done at Vault, and what is left to do there."""
    if ended:
        return f"{root.where} is at version {version}; older versions open nothing any more, in backups neither."
    return (
        f"{root.where} is at version {version} and wraps the installation's key. Backups of keys made before need the "
        f"versions before: once you have a new backup, end them with: wattkeeper keys rotate root --end"
    )
