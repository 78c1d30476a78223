"""What people ask about their data, by a button or a letter: due in a month, proved, answered, each step in the log."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.privacy.rights import Proof, Right, month_after
from wattkeeper.operations.keys.kinds import HOUSE
from wattkeeper.operations.safe import Safe
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.people import person as persons
from wattkeeper.store.privacy import request
from wattkeeper.store.privacy.request import OPEN, RequestRow
from wattkeeper.vault.keys import KeyRefused

DOORS = ("app", "letter", "mail", "in person")
LONGEST_WORDS, LONGEST_ANSWER, SHORTEST_ANSWER = 5000, 500, 10
NO_REQUEST = phrase("There is no such request, or it was answered already.")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, with what was written where that still opens."""

    row: RequestRow
    words: str
    is_late: bool
    left: timedelta
    """Until it is due; below zero where it is late."""


class Requests:
    """Takes in and answers what people ask."""

    def __init__(self, store: Store, safe: Safe) -> None:
        self._store = store
        self._safe = safe

    async def ask(self, viewer: Viewer, right: Right, words: str = "") -> str:
        """The viewer asks something about their own data; the request's id."""
        person = viewer.need_own(Scope.ACCOUNT_READ)
        return await self._take(viewer, person, right, "app", words, Proof.ACCOUNT, None)

    async def enter(
        self, viewer: Viewer, person: str, right: Right, door: str, words: str, received_at: datetime | None = None
    ) -> str:
        """What came by letter or mail (scope privacy:write), from whomever it says; nobody has proved anything yet."""
        viewer.need(Scope.PRIVACY_WRITE)
        if door not in DOORS:
            raise Refusal(Code.INVALID, phrase("A request comes by {doors}.", doors=", ".join(DOORS)))
        return await self._take(viewer, person, right, door, words, Proof.NOTHING, received_at)

    async def listed(self, viewer: Viewer, *, open_only: bool = False) -> list[Asked]:
        """All requests, overdue ones first (scope privacy:read)."""
        viewer.need(Scope.PRIVACY_READ)
        async with self._store.read() as connection:
            rows = await request.listed(connection, open_only=open_only)
        return [await self._opened(row) for row in rows]

    async def one(self, viewer: Viewer, identifier: str) -> Asked:
        """One request (scope privacy:read); Refusal NOT_FOUND."""
        viewer.need(Scope.PRIVACY_READ)
        async with self._store.read() as connection:
            row = await request.one(connection, identifier)
        if row is None:
            raise Refusal(Code.NOT_FOUND, NO_REQUEST)
        return await self._opened(row)

    async def mine(self, viewer: Viewer) -> list[RequestRow]:
        """The viewer's own requests, the newest first."""
        person = viewer.need_own(Scope.ACCOUNT_READ)
        async with self._store.read() as connection:
            return await request.of(connection, person)

    async def tally(self, viewer: Viewer) -> tuple[int, int]:
        """How many are open, and how many of them overdue (scope privacy:read)."""
        viewer.need(Scope.PRIVACY_READ)
        async with self._store.read() as connection:
            return await request.tally(connection, self._store.clock())

    async def prove(self, viewer: Viewer, identifier: str, proof: Proof, person: str = "") -> None:
        """Note how somebody proved who they are, and who that is (scope privacy:write); Refusal NOT_FOUND."""
        viewer.need(Scope.PRIVACY_WRITE)
        async with self._store.unit() as unit:
            if person and not await persons.is_kept(unit.connection, person):
                raise Refusal(Code.NOT_FOUND, phrase("There is no such person here. Were they forgotten already?"))
            values = {"proof": proof.value, **({"person_id": person} if person else {})}
            if not await request.change(unit, identifier, **values):
                raise Refusal(Code.NOT_FOUND, NO_REQUEST)
            await deed.enter(unit, DeedKind.REQUEST_PROVED, viewer.name, identifier, {"proof": proof.value})

    async def extend(self, viewer: Viewer, identifier: str, why: str) -> None:
        """Take two months more, once, for a reason the person is told within the first (Art. 12(3))."""
        viewer.need(Scope.PRIVACY_WRITE)
        reason = _words(why)
        async with self._store.unit() as unit:
            row = await request.one(unit.connection, identifier)
            if row is None or row.state != OPEN:
                raise Refusal(Code.NOT_FOUND, NO_REQUEST)
            if row.extended_why is not None or unit.now > row.due_at:
                raise Refusal(Code.CONFLICT, phrase("It can be extended once, and only before it is due."))
            due_at = month_after(row.received_at, 3)
            await request.change(unit, identifier, due_at=due_at, extended_why=reason)
            body = {"due_at": due_at.isoformat()}
            await deed.enter(unit, DeedKind.REQUEST_EXTENDED, viewer.name, identifier, body)

    async def answer(self, viewer: Viewer, identifier: str, words: str, *, refused: bool = False) -> None:
        """Say what was done, or why not (scope privacy:write); without names. Refusal NOT_FOUND, INVALID.

        CONFLICT where it is answered with nobody's identity proved: what is handed out then goes to a stranger.
        """
        viewer.need(Scope.PRIVACY_WRITE)
        told = _words(words)
        async with self._store.unit() as unit:
            row = await request.one(unit.connection, identifier)
            if row is None or row.state != OPEN:
                raise Refusal(Code.NOT_FOUND, NO_REQUEST)
            if row.proof is Proof.NOTHING and not refused:
                why = phrase("Nobody has proved who they are yet. Note how they did first, or refuse it.")
                raise Refusal(Code.CONFLICT, why)
            state = request.REFUSED if refused else request.ANSWERED
            values = {"state": state, "answer": told, "answered_at": unit.now, "answered_by": viewer.name}
            await request.change(unit, identifier, **values)
            body = {"right": row.right.value, "state": state}
            await deed.enter(unit, DeedKind.REQUEST_ANSWERED, viewer.name, identifier, body)

    async def _take(
        self,
        viewer: Viewer,
        person: str,
        right: Right,
        door: str,
        words: str,
        proof: Proof,
        received_at: datetime | None,
    ) -> str:
        if len(words) > LONGEST_WORDS:
            raise Refusal(Code.INVALID, phrase("That is {most} characters at most.", most=LONGEST_WORDS))
        identifier = secrets.token_hex(6)
        async with self._store.unit() as unit:
            at = received_at or unit.now
            if at > unit.now:
                raise Refusal(Code.INVALID, phrase("It cannot have come later than now."))
            is_known = bool(person) and await persons.is_kept(unit.connection, person)
            if person and not is_known:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such person here. Were they forgotten already?"))
            sealed, plain = None, words.strip().encode()
            if plain and is_known:
                sealed = await self._safe.seal_for(unit, person, "privacy_request", "sealed", plain)
            elif plain:
                sealed = self._safe.seal("privacy_request", "sealed", plain)
            row = {"id": identifier, "person_id": person, "right": right.value, "door": door, "sealed": sealed}
            row |= {"sealed_for": person if is_known else HOUSE, "proof": proof.value, "state": OPEN}
            await request.keep(unit, {**row, "received_at": at, "due_at": month_after(at)})
            await deed.enter(unit, DeedKind.REQUESTED, viewer.name, identifier, {"right": right.value, "door": door})
        return identifier

    async def _opened(self, row: RequestRow) -> Asked:
        words = ""
        if row.sealed is not None:
            try:
                async with self._store.unit() as unit:
                    if row.sealed_for == HOUSE:
                        plain = self._safe.unseal("privacy_request", "sealed", row.sealed)
                    else:
                        plain = await self._safe.unseal_for(
                            unit, row.sealed_for, "privacy_request", "sealed", row.sealed
                        )
                words = plain.decode()
            except KeyRefused:
                words = ""
        left = row.due_at - self._store.clock()
        return Asked(row, words, row.state == OPEN and left < timedelta(0), left)


def _words(text: str) -> str:
    """What is said for the record; Refusal INVALID."""
    told = " ".join(text.split())
    if not SHORTEST_ANSWER <= len(told) <= LONGEST_ANSWER or not told.isprintable():
        span = {"least": SHORTEST_ANSWER, "most": LONGEST_ANSWER}
        raise Refusal(Code.INVALID, phrase("Say it in {least} to {most} characters, without names.", **span))
    return told
