"""The one door through which staff see whose something is: a purpose, a reason, a short time, and the person is told.

Nothing that names a person, or singles one out by their id, is shown to somebody else but within `Looking.at` or after
`Looking.need`. What is written down, and it is written before anything is shown: one deed when a person is opened to an
account, and one for each part of theirs when it is first seen in that time; looking at it again adds none.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.charging.privacy.looking import (
    EMERGENCY_WORDS,
    IN_EMERGENCY,
    LONGEST,
    LONGEST_CASE,
    MAY_SEE,
    NEED_CASE,
    SHORTEST,
    WORDS,
    LookPurpose,
    Part,
    is_reason,
)
from wattkeeper.operations.people.letters.notice_words import NoticeKind
from wattkeeper.operations.people.letters.notices import Notices
from wattkeeper.operations.people.names import ACCOUNT
from wattkeeper.operations.people.security import Case, note
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account
from wattkeeper.store.people import person as persons
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.privacy import look
from wattkeeper.store.privacy.look import LookRow
from wattkeeper.store.unit import Unit

MOST_AN_HOUR, MOST_EMERGENCIES = 60, 3
"""How many openings an account has in an hour, and how often it may break the glass in a day."""
MOST_SEARCHES = 60
"""How many addresses an account may look for in an hour: whether there is one here tells something by itself."""
NOBODY = phrase("There is no such person, or they were forgotten.")
TOO_MANY = phrase("That is more people than anybody needs to open in this time. Ask the privacy officer.")
ASKED = phrase("To see this, say for what and why: it opens this person to you for {minutes} minutes, and they see it.")
HOW = phrase(
    "Say for what and why: the headers Purpose ({purposes}), Reason and, where there is one, Case. It opens this "
    "person to you for {minutes} minutes, and they see it."
)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody says before they look."""

    purpose: LookPurpose
    reason: str
    case: str = ""


@dataclass(frozen=True, slots=True)
class Who:
    """Whoever is open: what names them. Empty where nothing is known."""

    person: str
    name: str
    email: str
    state: AccountState | None
    """Of their account; None where they have none."""


class Looking:
    """Opens one person to one of the staff."""

    def __init__(self, store: Store, safe: Safe, settings: Settings, notices: Notices) -> None:
        self._store = store
        self._safe = safe
        self._minutes = settings.look_minutes
        self._notices = notices
        self._searches: dict[str, list[datetime]] = {}

    # --- opening ----------------------------------------------------------------------------------------

    async def open(self, viewer: Viewer, person: str, given: Given) -> LookRow:
        """Open a person (scope persons:read). Refusal INVALID says what is missing, NOT_FOUND, BUSY after too many."""
        viewer.need(Scope.PERSONS_READ)
        _need_reason(given)
        async with self._store.unit() as unit:
            await _need_patience(unit, viewer)
            return await self._opened(unit, viewer, person, given)

    async def open_once(self, viewer: Viewer, person: str, given: Given) -> None:
        """Open a person unless they are open to the viewer for this purpose and case already. Refusal as `open`."""
        viewer.need(Scope.PERSONS_READ)
        _need_reason(given)
        async with self._store.unit() as unit:
            row = await look.standing(unit.connection, viewer.name, viewer.role, person, unit.now)
            same = row is not None and row.purpose is given.purpose
            if row is not None and same and await self._unsealed(unit, person, "look", row.sealed) == _told(given):
                return
            await _need_patience(unit, viewer)
            await self._opened(unit, viewer, person, given)

    async def break_glass(self, viewer: Viewer, person: str, reason: str) -> LookRow:
        """Open a person without the right, in an emergency (scope persons:emergency).

        Owners and privacy officers are told, and the person at once; it waits until a second person has reviewed it.
        Refusal INVALID, NOT_FOUND, BUSY.
        """
        viewer.need(Scope.PERSONS_EMERGENCY)
        if not is_reason(reason.strip(), EMERGENCY_WORDS):
            why = phrase("Say what the emergency is, in at least {words} words.", words=EMERGENCY_WORDS)
            raise Refusal(Code.INVALID, why)
        async with self._store.unit() as unit:
            await _need_patience(unit, viewer, emergency=True)
            given = Given(LookPurpose.EMERGENCY, reason.strip())
            row = await self._opened(unit, viewer, person, given, is_emergency=True)
            await self._alert(unit, viewer, person)
        note(Case.GLASS_BROKEN, viewer.account)
        return row

    async def _opened(
        self, unit: Unit, viewer: Viewer, person: str, given: Given, *, is_emergency: bool = False
    ) -> LookRow:
        """Write down that a person is open, with why, sealed under their key."""
        if not await persons.is_kept(unit.connection, person):
            raise Refusal(Code.NOT_FOUND, NOBODY)
        told = orjson.dumps(_told(given))
        sealed = await self._safe.seal_for(unit, person, "look", "sealed", told)
        until = unit.now + timedelta(minutes=self._minutes)
        identifier = secrets.token_hex(8)
        row = LookRow(
            *(identifier, person, viewer.name, viewer.role, given.purpose, sealed, is_emergency, (), unit.now, until)
        )
        await look.keep(unit, row)
        mark = self._safe.tag("look", identifier.encode() + told).hex()
        body = {"look": identifier, "purpose": given.purpose.value, "role": viewer.role.value, "reason": mark}
        await deed.enter(unit, DeedKind.LOOKED, viewer.name, person, body | {"emergency": is_emergency})
        return row

    async def _alert(self, unit: Unit, viewer: Viewer, person: str) -> None:
        """Tell the person, and whoever answers for privacy, in the transaction that opens."""
        await self._notices.tell(unit, person, NoticeKind.GLASS_BROKEN, {"mark": mark_of(viewer.name)})
        for row in await account.staff(unit.connection):
            is_told = row.role in (Role.OWNER, Role.PRIVACY_OFFICER) and row.state is AccountState.ACTIVE
            if is_told and row.id != viewer.account:
                await self._notices.tell(unit, row.person, NoticeKind.GLASS_REVIEW, {"mark": mark_of(viewer.name)})

    # --- looking ----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def at(self, viewer: Viewer, person: str, *parts: Part) -> AsyncIterator[Unit]:
        """A transaction in which these parts of a person may be read and shown; what was seen is written down in it.

        Refusal FORBIDDEN where the role never sees them, PURPOSE where the person is not open to the viewer.
        """
        async with self._store.unit() as unit:
            if viewer.person != person or not person:
                await self._see(unit, viewer, person, parts)
            yield unit

    async def need(self, viewer: Viewer, person: str, *parts: Part) -> None:
        """As `at`, for what is read elsewhere right after: it is written down before anything is shown."""
        async with self.at(viewer, person, *parts):
            pass

    async def see(self, viewer: Viewer, person: str) -> Who:
        """What names a person who is open, and how they are reached. Refusal as `at`; NOT_FOUND."""
        async with self.at(viewer, person, Part.NAME, Part.CONTACT) as unit:
            if not await persons.is_kept(unit.connection, person):
                raise Refusal(Code.NOT_FOUND, NOBODY)
            row = await account.of_person(unit.connection, person)
            sealed = await persons.sealed(unit.connection, person)
            known = {} if sealed is None else await self._unsealed(unit, person, "person", sealed)
            mail = {} if row is None else await self._unsealed(unit, person, "account", row.sealed)
        return Who(person, known.get("name", ""), mail.get("name", ""), row.state if row else None)

    async def _unsealed(self, unit: Unit, person: str, table: str, sealed: bytes) -> dict[str, str]:
        known: dict[str, str] = orjson.loads(await self._safe.unseal_for(unit, person, table, "sealed", sealed))
        return known

    async def _see(self, unit: Unit, viewer: Viewer, person: str, parts: Collection[Part]) -> None:
        """Write down what of this is seen for the first time; Refusal FORBIDDEN, PURPOSE."""
        may_break = viewer.may(Scope.PERSONS_EMERGENCY) and not viewer.may(Scope.PERSONS_READ)
        if not may_break:
            viewer.need(Scope.PERSONS_READ)
        if not await persons.is_kept(unit.connection, person):
            return  # whoever was forgotten is nobody: what is left in the books leads to no one
        row = await look.standing(unit.connection, viewer.name, viewer.role, person, unit.now)
        allowed = (IN_EMERGENCY if row is not None and row.is_emergency else MAY_SEE).get(viewer.role, frozenset())
        if not set(parts) <= (IN_EMERGENCY.get(viewer.role, frozenset()) if may_break else allowed):
            raise Refusal(Code.FORBIDDEN, phrase("Your role does not see that of a person."))
        if row is None:
            raise Refusal(Code.PURPOSE, self._asked(viewer), person=person)
        fresh = [one for one in parts if one not in row.parts]
        if fresh:
            await look.saw(unit, row, (*row.parts, *fresh))
        for part in fresh:
            await deed.enter(unit, DeedKind.LOOKED, viewer.name, person, {"look": row.id, "part": part.value})

    def _asked(self, viewer: Viewer) -> Phrase:
        """What to do where nobody was opened."""
        if viewer.role is not Role.SERVICE:
            return ASKED.filled(minutes=self._minutes)
        purposes = ", ".join(one.value for one in LookPurpose if one is not LookPurpose.EMERGENCY)
        return HOW.filled(purposes=purposes, minutes=self._minutes)

    # --- finding whom to open ------------------------------------------------------------------------------

    async def find(self, viewer: Viewer, email: str) -> str:
        """The id of whoever signs in with this address: whole, or nobody. Refusal FORBIDDEN, NOT_FOUND, BUSY."""
        if not (viewer.may(Scope.PERSONS_READ) or viewer.may(Scope.PERSONS_EMERGENCY)):
            viewer.need(Scope.PERSONS_READ)
        self._need_few(viewer)
        async with self._store.read() as connection:
            row = await account.by_name(connection, self._safe.name_ref(email.strip()))
        if row is None or row.role is not Role.DRIVER:
            raise Refusal(Code.NOT_FOUND, phrase("No driver signs in with this address. It must be whole and exact."))
        return row.person

    def _need_few(self, viewer: Viewer) -> None:
        """Refusal BUSY where somebody tries addresses one after the other."""
        now = self._store.clock()
        lately = [at for at in self._searches.get(viewer.name, []) if at > now - timedelta(hours=1)]
        if len(lately) >= MOST_SEARCHES:
            raise Refusal(Code.BUSY, TOO_MANY, retry_s=1800)
        self._searches[viewer.name] = [*lately, now]


def mark_of(by: str) -> str:
    """How one of the staff is told apart without their name: the end of their account's id; a program by its name."""
    return f"••{by[-4:]}" if ACCOUNT.fullmatch(by) else by


def _told(given: Given) -> dict[str, str]:
    return {"reason": given.reason.strip(), "case": given.case.strip()}


def _need_reason(given: Given) -> None:
    """Refusal INVALID says what is missing."""
    if given.purpose is LookPurpose.EMERGENCY or not is_reason(given.reason.strip()):
        told = {"words": WORDS, "least": SHORTEST, "most": LONGEST}
        raise Refusal(
            Code.INVALID, phrase("Say why, in {words} words or more and {least} to {most} characters.", **told)
        )
    case = given.case.strip()
    if len(case) > LONGEST_CASE or not case.isprintable():
        raise Refusal(Code.INVALID, phrase("A case has at most {most} characters.", most=LONGEST_CASE))
    if given.purpose in NEED_CASE and not case:
        why = phrase("Say which case it is: the number of the enquiry, the request or the court's file.")
        raise Refusal(Code.INVALID, why)


async def _need_patience(unit: Unit, viewer: Viewer, *, emergency: bool = False) -> None:
    """Refusal BUSY where somebody goes through people as through a list."""
    span = timedelta(days=1) if emergency else timedelta(hours=1)
    most = MOST_EMERGENCIES if emergency else MOST_AN_HOUR
    if await look.count_since(unit.connection, viewer.name, unit.now - span, emergency=emergency) >= most:
        raise Refusal(Code.BUSY, TOO_MANY, retry_s=span.total_seconds() / 2)
