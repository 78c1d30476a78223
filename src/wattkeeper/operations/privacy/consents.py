"""Consent: asked for in plain words, given and withdrawn by one tap, and asked after by each job when it runs.

Whoever reads for one of these purposes asks `agreed` or `agreed_among` in the transaction in which it reads, never
earlier: what was queued before somebody withdrew finds nobody there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.privacy.consent import TEXTS, Consented, Door, counts
from wattkeeper.charging.privacy.rights import Use
from wattkeeper.language import tell_in
from wattkeeper.operations.privacy.restriction import excluded, is_excluded
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account
from wattkeeper.store.privacy import consent
from wattkeeper.store.privacy.consent import Said, TextRow
from wattkeeper.store.unit import Unit

USED: Mapping[Consented, Use] = {Consented.INSIGHT: Use.INSIGHT, Consented.NEWS: Use.MARKETING}
"""By which use somebody restricts or objects to what they had agreed to."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that may be agreed to, as its person sees it."""

    purpose: Consented
    text: TextRow
    """The newest text, in the person's language."""
    agrees: bool
    since: datetime | None
    """When they said so last; None where they never did."""
    is_older: bool
    """Whether they agreed to an older text that covers less than what is asked now: that counts no more."""


class Consents:
    """What people agree to."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def mine(self, viewer: Viewer, language: str) -> list[Choice]:
        """What the viewer may agree to, and what they said."""
        person = viewer.need_own(Scope.ACCOUNT_READ)
        async with self._store.read() as connection:
            said = await consent.history(connection, person)
        return [_choice(purpose, language, said) for purpose in TEXTS]

    async def history(self, viewer: Viewer) -> list[Said]:
        """All that the viewer ever said, the newest first, each with the text before them then."""
        person = viewer.need_own(Scope.ACCOUNT_READ)
        async with self._store.read() as connection:
            return await consent.history(connection, person)

    async def say(self, viewer: Viewer, purpose: Consented, language: str, door: Door, *, agrees: bool) -> None:
        """The viewer agrees, or withdraws: at once, as often as they like; nothing where they had said so already.

        Refusal FORBIDDEN where the viewer is nobody in particular, UNAUTHENTICATED where their account is gone.
        """
        person = viewer.need_own(Scope.ACCOUNT_WRITE)
        async with self._store.unit() as unit:
            if await account.of_person(unit.connection, person) is None:
                raise Refusal(Code.UNAUTHENTICATED, phrase("This account is gone."))
            await enter(unit, person, viewer.name, purpose, language, door, agrees=agrees)


async def enter(
    unit: Unit, person: str, by: str, purpose: Consented, language: str, door: Door, *, agrees: bool
) -> None:
    """Write down in this transaction what a person said, with the text that was before them."""
    was_given, version = await consent.newest(unit.connection, person, purpose)
    text = text_of(purpose, language)
    if was_given == agrees and (not agrees or version == text.version):
        return
    await consent.keep_text(unit, text)
    kind = DeedKind.CONSENT_GIVEN if agrees else DeedKind.CONSENT_WITHDRAWN
    body = {"purpose": purpose.value, "version": text.version, "text": text.hash, "door": door.value}
    n = await deed.enter(unit, kind, by, person, body)
    await consent.enter(unit, n, person, text, door, is_given=agrees)


async def agreed(unit: Unit, person: str, purpose: Consented) -> bool:
    """Whether this person agrees now, and their data may be used: to be asked in the transaction that uses it."""
    if await is_excluded(unit.connection, person, USED[purpose]):
        return False
    is_given, version = await consent.newest(unit.connection, person, purpose)
    return is_given and counts(purpose, version)


async def agreed_among(unit: Unit, purpose: Consented) -> frozenset[str]:
    """The ids of all who agree now, and whose data may be used: to be asked in the transaction that uses the answer."""
    may_not = await excluded(unit, USED[purpose])
    rows = await unit.connection.execute(consent.agreeing(purpose, TEXTS[purpose].counts_from))
    return frozenset(person for (person,) in rows) - may_not


def text_of(purpose: Consented, language: str) -> TextRow:
    """The newest text in a language, with what proves that it is this one (`digest`)."""
    text = TEXTS[purpose]
    title, words = str(tell_in(language, text.title)), str(tell_in(language, text.words))
    return TextRow(digest(title, words), purpose, text.version, language, title, words)


def digest(title: str, words: str) -> str:
    """What proves that a text is this one: SHA-256 of its title, a line feed, its words; hexadecimal."""
    return hashlib.sha256(f"{title}\n{words}".encode()).hexdigest()


def _choice(purpose: Consented, language: str, said: list[Said]) -> Choice:
    """What the newest word on a purpose comes to."""
    last = next((one for one in said if one.purpose == purpose), None)
    is_given = last is not None and last.is_given
    counted = last is not None and is_given and counts(purpose, last.version)
    text = text_of(purpose, language)
    return Choice(purpose, text, counted, last.at if last else None, is_given and not counted)
