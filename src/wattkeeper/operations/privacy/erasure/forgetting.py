"""Forgetting people (GDPR Art. 17): shown first, then done in one transaction, told to whoever else must forget.

The person's key is destroyed and with it whatever was sealed under it, in every copy; rows that are theirs alone are
deleted; their cards are called by new names of chance, so that sessions stay as energy, money, place and time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from wattkeeper.bus import Bus
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import joined, phrase
from wattkeeper.charging.privacy.erasure import IN_WORDS, Obstacle, Plan
from wattkeeper.operations.access import Access
from wattkeeper.operations.privacy.asked import need_asked
from wattkeeper.operations.privacy.erasure import certificate, tombstones
from wattkeeper.operations.privacy.erasure.certificate import SIGNING
from wattkeeper.operations.privacy.erasure.leftovers import Leftovers
from wattkeeper.operations.privacy.erasure.planning import Prepared, prepared
from wattkeeper.operations.privacy.erasure.tombstones import Tombstone
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.cards import renaming
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account
from wattkeeper.store.privacy import forgotten, leaving
from wattkeeper.store.privacy.forgotten import ForgottenRow, TellingRow
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.privacy")
TOGETHER = 500
"""How many are forgotten in one transaction, where there are many: stations wait no longer than for these."""
NOBODY = phrase("There is no such person here. Were they forgotten already?")
TOPIC = "forgotten"
"""Announced when somebody was forgotten."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Gone:
    """Who was forgotten, with their certificates; and who was not, and what stood in the way."""

    certificates: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, tuple[Obstacle, ...]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


class Forgetting:
    """Plans and carries out the erasure of people."""

    def __init__(self, store: Store, safe: Safe, bus: Bus, settings: Settings, access: Access) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus
        self._settings = settings
        self._access = access
        self._leftovers = Leftovers(safe)

    # --- to look --------------------------------------------------------------------------------------

    async def plan(self, viewer: Viewer, person: str) -> Plan:
        """What would be done to forget somebody: oneself, or anybody (scope privacy:read). Refusal NOT_FOUND."""
        _need_look(viewer, person)
        async with self._store.unit() as unit:
            plan = (await prepared(unit, [person])).plans.get(person)
        if plan is None:
            raise Refusal(Code.NOT_FOUND, NOBODY)
        return plan

    async def found(self, viewer: Viewer, who: str) -> str:
        """The id of the person somebody means by an id, a sign-in name or an e-mail address (privacy:read)."""
        viewer.need(Scope.PRIVACY_READ)
        name = who.strip()
        async with self._store.read() as connection:
            row = await account.by_name(connection, self._safe.name_ref(name))
            row = row or await account.by_id(connection, name)
        return row.person if row is not None else name

    async def certificate_of(self, viewer: Viewer, person: str) -> ForgottenRow | None:
        """What proves that somebody was forgotten, if they were (scope privacy:read)."""
        viewer.need(Scope.PRIVACY_READ)
        async with self._store.read() as connection:
            return await forgotten.one(connection, person)

    async def told(self, viewer: Viewer, person: str) -> list[TellingRow]:
        """Who else must forget somebody, and how far that is (scope privacy:read)."""
        viewer.need(Scope.PRIVACY_READ)
        async with self._store.read() as connection:
            return await forgotten.of(connection, person)

    # --- to do ----------------------------------------------------------------------------------------

    async def forget(self, viewer: Viewer, person: str, *, despite: bool = False, agreed: str = "") -> str:
        """Forget somebody: oneself, or anybody (scope privacy:write); the certificate, JSON. It cannot be undone.

        ``despite``: staff pass over what is owed or still to be billed. ``agreed``: the digest of the plan that was
        shown. Refusal NOT_FOUND; PROOF; CONFLICT says what stands in the way, that the plan is another by now, or that
        they did not ask, where somebody of the staff does it at a door.
        """
        is_staff = _need_do(viewer, person, self._store)
        if is_staff and viewer.account:
            async with self._store.unit() as unit:
                await need_asked(unit, person)
        gone = await self._batch(viewer.name, [person], staff=is_staff and despite, agreed=agreed)
        if person in gone.unknown:
            raise Refusal(Code.NOT_FOUND, NOBODY)
        if person in gone.refused:
            stands = gone.refused[person]
            why = joined([phrase("Nothing was done."), *(IN_WORDS[one] for one in stands)])
            raise Refusal(Code.CONFLICT, why, obstacles=[one.value for one in stands])
        await self._done()
        return gone.certificates[person]

    async def forget_many(
        self,
        viewer: Viewer,
        persons: Sequence[str],
        *,
        despite: bool = False,
        progress: Progress = lambda done, of: None,
    ) -> Gone:
        """Forget many people, some hundreds in each transaction (scope privacy:write); who stands where."""
        viewer.need(Scope.PRIVACY_WRITE)
        if viewer.account:
            viewer.need_fresh(self._store.clock())
        done: dict[str, str] = {}
        refused: dict[str, tuple[Obstacle, ...]] = {}
        unknown: list[str] = []
        for start in range(0, len(persons), TOGETHER):
            some = [*dict.fromkeys(persons[start : start + TOGETHER])]
            gone = await self._batch(viewer.name, some, staff=despite)
            done |= gone.certificates
            refused |= gone.refused
            unknown += gone.unknown
            progress(start + len(some), len(persons))
            await asyncio.sleep(0)
        await self._done()
        return Gone(done, refused, tuple(unknown))

    async def forget_again(self) -> int:
        """Before a door opens: whoever was forgotten and is here all the same is forgotten again; how many were.

        Raises ValueError where the file of tombstones cannot be read, OSError where it cannot be written.
        """
        stones = await asyncio.to_thread(tombstones.read, self._settings.tombstones)
        async with self._store.unit() as unit:
            back = await forgotten.back(unit, [stone.subject for stone in stones]) if stones else []
            known = {stone.subject for stone in stones}
            rows = [row for row in await forgotten.subjects(unit.connection) if row.subject not in known]
        lost = [Tombstone(row.subject, row.at, certificate.digest(row.certificate)) for row in rows]
        await asyncio.to_thread(tombstones.write, self._settings.tombstones, lost)
        for start in range(0, len(back), TOGETHER):
            await self._batch("wattkeeper", back[start : start + TOGETHER], again=True)
        if back:
            log.warning(
                "%d people had been forgotten and were in this copy of the database: forgotten again", len(back)
            )
            await self._done()
        return len(back)

    # --- one transaction ------------------------------------------------------------------------------

    async def _batch(
        self, by: str, persons: list[str], *, staff: bool = False, agreed: str = "", again: bool = False
    ) -> Gone:
        """Forget these in one transaction: all of a person, or nothing."""
        async with self._store.unit() as unit:
            ready = await prepared(unit, persons)
            unknown = tuple(one for one in persons if one not in ready.plans)
            if again and unknown:
                for one in unknown:
                    await forgotten.make_person(unit, one)
                ready, unknown = await prepared(unit, persons), ()
            refused = {} if again else _refused(ready, staff=staff)
            if refused:
                ready = await prepared(unit, [one for one in ready.plans if one not in refused])
            if agreed and any(certificate.digest_of(plan) != agreed for plan in ready.plans.values()):
                raise Refusal(
                    Code.CONFLICT, phrase("What would be done has changed meanwhile. Look at the plan again.")
                )
            certificates = await self._carry_out(unit, by, ready, again=again) if ready.plans else {}
        return Gone(certificates, refused, unknown)

    async def _carry_out(self, unit: Unit, by: str, ready: Prepared, *, again: bool) -> dict[str, str]:
        """Do what is planned; the tombstones are on disk before the transaction commits."""
        await self._leftovers.keep(unit, ready)
        names = renaming.fresh(ready.leaving.cards)
        whole = await renaming.rename(unit, names)
        await leaving.delete(unit, ready.leaving)
        renamed = whole if len(ready.plans) == 1 else {}
        secret = await self._safe.secret_of(unit, SIGNING)
        made = {one: certificate.certificate(secret, plan, renamed, unit.now) for one, plan in ready.plans.items()}
        bodies = {one: _body(ready.plans[one], made[one], again=again) for one in made}
        numbers = await deed.enter_all(unit, DeedKind.ERASED, by, bodies)
        for one, text in made.items():
            forgotten.keep(unit, one, numbers[one], text)
        await unit.flush()
        stones = [Tombstone(one, unit.now, certificate.digest(text)) for one, text in made.items()]
        if not again:
            await asyncio.to_thread(tombstones.write, self._settings.tombstones, stones)
        return made

    async def _done(self) -> None:
        """After the commit: nothing of them in memory, nothing of them in what the database wrote besides."""
        self._safe.forget_opened()
        self._access.forget()
        self._bus.announce("cards")
        self._bus.announce(TOPIC)
        await self._store.wipe(WIPED)


WIPED = tuple(sorted({one.table for one in leaving.GOING} | set(renaming.PLACES)))
"""Where PostgreSQL leaves dead rows behind when somebody is forgotten."""


def _refused(ready: Prepared, *, staff: bool) -> dict[str, tuple[Obstacle, ...]]:
    stands = {one: plan.blocked_for(staff=staff) for one, plan in ready.plans.items()}
    return {one: obstacles for one, obstacles in stands.items() if obstacles}


def _body(plan: Plan, text: str, *, again: bool) -> dict[str, object]:
    """What the log says of it."""
    told = {"certificate": certificate.digest(text), "plan": certificate.digest_of(plan), "sessions": plan.sessions}
    told["cards"] = plan.destroyed.get("card", 0)
    rows = {"rows": sum(plan.destroyed.values()), "told": len(plan.told)}
    return {**told, **rows, **({"again": True} if again else {})}


def _need_look(viewer: Viewer, person: str) -> None:
    """Refuse whoever may not know what would be done to forget somebody."""
    if not (viewer.person and viewer.person == person):
        viewer.need(Scope.PRIVACY_READ)


def _need_do(viewer: Viewer, person: str, store: Store) -> bool:
    """Refuse whoever may not forget somebody, or has not just shown who they are; whether it is staff who does."""
    is_own = bool(viewer.person) and viewer.person == person
    if not is_own:
        viewer.need(Scope.PRIVACY_WRITE)
    if viewer.account:
        viewer.need_fresh(store.clock())
    return not is_own


def persons_in(text: str) -> Collection[str]:
    """The ids of people in a text: one a line; empty lines and what begins with # are left out."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
