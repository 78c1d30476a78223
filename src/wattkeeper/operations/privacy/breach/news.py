"""Letters about what is new, to whoever agrees: asked after when they are queued, and again when each is sent."""

from __future__ import annotations

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.privacy.consent import Consented
from wattkeeper.language import tell_in
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.privacy.consents import agreed, agreed_among
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.people.mail import MailRow
from wattkeeper.store.unit import Unit

KIND = "news"
LONGEST_SUBJECT, LONGEST_TEXT = 150, 20_000
END = phrase("You get this because you agreed to it. Take it back by one tap: {where}")


class News:
    """Writes to whoever agrees."""

    def __init__(self, store: Store, mail: Mail) -> None:
        self._store = store
        self._mail = mail

    async def write(self, subject: str, text: str) -> int:
        """Queue a letter to everybody who agrees now and has an active account; how many. Refusal INVALID."""
        if not subject.strip() or len(subject) > LONGEST_SUBJECT or not subject.isprintable():
            raise Refusal(
                Code.INVALID, phrase("A subject is one line of 1 to {most} characters.", most=LONGEST_SUBJECT)
            )
        if not text.strip() or len(text) > LONGEST_TEXT:
            raise Refusal(Code.INVALID, phrase("A text has 1 to {most} characters.", most=LONGEST_TEXT))
        async with self._store.unit() as unit:
            persons = sorted(await agreed_among(unit, Consented.NEWS))
        written = 0
        for person in persons:
            async with self._store.unit() as unit:
                written += await self._to(unit, person, subject.strip(), text.strip())
        return written

    async def _to(self, unit: Unit, person: str, subject: str, text: str) -> int:
        """Queue one letter; 0 where they took it back meanwhile, or have no account that is open."""
        row = await account.of_person(unit.connection, person)
        if row is None or row.state is not AccountState.ACTIVE or not await agreed(unit, person, Consented.NEWS):
            return 0
        language = (await self._mail.known(unit, row)).get("language", "en")
        end = tell_in(language, END.filled(where=f"{self._mail.home}/app/privacy"))
        await self._mail.write(unit, person, KIND, subject, f"{text}\n\n{end}\n")
        return 1


async def is_wanted(unit: Unit, row: MailRow) -> bool:
    """Whether a letter of the queue may still go out: one about what is new only while its person agrees."""
    return row.kind != KIND or await agreed(unit, row.person, Consented.NEWS)
