"""Letters to people: queued in the same transaction as the deed they tell of, sent by the post afterwards.

What a stranger asks for (to sign up, to recover) is queued as it was asked, and judged by the post: so known and
unknown addresses take the same steps and the same time while somebody waits for the answer.
"""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import DEFAULT
from wattkeeper.operations.people.address import is_mail
from wattkeeper.operations.people.letters.letters import Kind, letter
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account
from wattkeeper.store.people import mail as queue
from wattkeeper.store.people.account import AccountRow
from wattkeeper.store.people.mail import MailRow
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused

ASKED = "asked:"
"""How the kind begins of what was asked for and not judged yet."""
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with a letter."""

    name: str
    media_type: str
    """Such as text/plain."""
    content: bytes


@dataclass(frozen=True, slots=True)
class Posted:
    """A letter as it goes out, or as the outbox shows it."""

    kind: str
    to: str
    subject: str
    text: str
    created_at: datetime
    file: Attached | None = None


class Mail:
    """Writes letters into the queue."""

    def __init__(self, store: Store, safe: Safe, settings: Settings) -> None:
        self._store = store
        self._safe = safe
        self._settings = settings

    @property
    def home(self) -> str:
        """The address that letters name."""
        return self._settings.address

    def door(self, *, staff: bool) -> str:
        """Where somebody signs in: those who work here, or drivers."""
        return self.home if staff else f"{self.home}/app/"

    def link(self, code: str, *, staff: bool) -> str:
        """Where the link of a letter leads."""
        return f"{self.home}/{'login' if staff else 'app'}/link/{code}"

    async def write(
        self,
        unit: Unit,
        person: str,
        kind: str,
        subject: str,
        text: str,
        to: str = "",
        *,
        file: Attached | None = None,
    ) -> bool:
        """Queue a letter to a person's address, or to ``to``; False where they have no address."""
        if not to:
            row = await account.of_person(unit.connection, person)
            to = "" if row is None else (await self.known(unit, row))["name"]
        if not is_mail(to):
            return False
        plain = orjson.dumps({"to": to, "subject": subject, "text": text} | _packed(file))
        sealed = await self._safe.seal_for(unit, person, "mail", "sealed", plain)
        await queue.keep(unit, secrets.token_hex(8), person, kind, sealed)
        return True

    async def write_to(self, unit: Unit, to: str, kind: Kind, language: str, link: str = "") -> None:
        """Queue a letter to an address whose person is not known."""
        words = letter(kind, language, self.door(staff=kind is Kind.INVITE), link)
        await _keep(unit, self._safe, kind, {"to": to, "subject": words.subject, "text": words.text})

    async def tell(self, unit: Unit, row: AccountRow, kind: Kind, to: str = "", **words: Any) -> None:
        """Queue a letter of a kind to an account's person, in their language."""
        known = await self.known(unit, row)
        said = letter(kind, known.get("language", "en"), self.door(staff=row.role.is_staff), **words)
        await self.write(unit, row.person, kind, said.subject, said.text, to or known["name"])

    async def ask(self, unit: Unit, kind: Kind, about: Mapping[str, Any]) -> None:
        """Queue what somebody asked for; the post judges it."""
        await ask(unit, self._safe, kind, about)

    async def known(self, unit: Unit, row: AccountRow) -> dict[str, str]:
        """What an account signs in with (``name``), and its ``language``; raises KeyRefused where it was forgotten."""
        plain = await self._safe.unseal_for(unit, row.person, "account", "sealed", row.sealed)
        found: dict[str, str] = orjson.loads(plain)
        return found

    async def language_of(self, person: str) -> str:
        """The language that a person reads; ours where they have no account, or were forgotten."""
        async with self._store.unit() as unit:
            row = await account.of_person(unit.connection, person) if person else None
            try:
                return DEFAULT if row is None else (await self.known(unit, row)).get("language", DEFAULT)
            except KeyRefused:
                return DEFAULT

    async def outbox(self) -> list[Posted]:
        """The letters of a demo, the newest first; Refusal NOT_FOUND where mail is sent, or the outbox is off."""
        if not self.shows:
            raise Refusal(Code.NOT_FOUND, phrase("There is no outbox here: letters are sent by mail."))
        async with self._store.unit() as unit:
            rows = await queue.newest(unit.connection, MOST_SHOWN)
            return [one for row in rows if (one := await self._shown(unit, row))]

    @property
    def shows(self) -> bool:
        """Whether letters are shown on a page instead of sent."""
        return self._settings.outbox and not self._settings.mail_host

    async def open(self, unit: Unit, row: MailRow) -> Posted:
        """A letter of the queue, opened; raises KeyRefused where its person was forgotten."""
        about = await self.asked(unit, row)
        file = _unpacked(about)
        return Posted(row.kind, about["to"], about["subject"], about["text"], row.created_at, file)

    async def _shown(self, unit: Unit, row: MailRow) -> Posted | None:
        """A letter as the outbox shows it; None for what is not judged yet, or whose person was forgotten."""
        try:
            return None if row.kind.startswith(ASKED) else await self.open(unit, row)
        except KeyRefused:
            return None

    async def asked(self, unit: Unit, row: MailRow) -> dict[str, Any]:
        """What a row of the queue holds; raises KeyRefused where its person was forgotten."""
        if row.person:
            plain = await self._safe.unseal_for(unit, row.person, "mail", "sealed", row.sealed)
        else:
            plain = self._safe.unseal("mail", "sealed", row.sealed)
        about: dict[str, Any] = orjson.loads(plain)
        return about


async def ask(unit: Unit, safe: Safe, kind: Kind, about: Mapping[str, Any]) -> None:
    """Queue what somebody asked for; the post judges it."""
    await _keep(unit, safe, f"{ASKED}{kind}", about)


async def _keep(unit: Unit, safe: Safe, kind: str, about: Mapping[str, Any]) -> None:
    """Queue what belongs to nobody who is known."""
    await queue.keep(unit, secrets.token_hex(8), "", kind, safe.seal("mail", "sealed", orjson.dumps(about)))


def _packed(file: Attached | None) -> dict[str, Any]:
    """A file as it is kept with its letter."""
    if file is None:
        return {}
    return {"file": {"name": file.name, "type": file.media_type, "base64": b64encode(file.content).decode()}}


def _unpacked(about: Mapping[str, Any]) -> Attached | None:
    """The file that goes with a letter."""
    told = about.get("file")
    return None if told is None else Attached(told["name"], told["type"], b64decode(told["base64"]))
