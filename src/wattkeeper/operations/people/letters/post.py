"""The post: judges what strangers asked for, then sends letters by SMTP, again and later where that fails."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import aiosmtplib

from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.letters.letters import Kind
from wattkeeper.operations.people.letters.links import Links
from wattkeeper.operations.people.letters.mail import ASKED, Mail, Posted
from wattkeeper.operations.people.security import Case, note
from wattkeeper.operations.people.sign_in.attempts import Attempts
from wattkeeper.operations.privacy.breach.news import is_wanted
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account
from wattkeeper.store.people import mail as queue
from wattkeeper.store.people.account import AccountRow, AccountState
from wattkeeper.store.people.mail import MailRow
from wattkeeper.store.people.secret_link import Purpose
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused

log = logging.getLogger(__name__)

EVERY_S = 1.0
TOGETHER = 20
"""Letters taken in one round."""
LEASE = timedelta(minutes=5)
"""How long a letter belongs to the sender who took it."""
MOST_TRIES = 10
TIMEOUT_S = 30.0
WAYS, HERE = ("starttls", "tls", "none"), ("", "localhost", "127.0.0.1", "::1")
UNSET = phrase("No mail server is set: see WATTKEEPER_MAIL_HOST.")


class Post:
    """Empties the queue of letters."""

    def __init__(self, store: Store, safe: Safe, settings: Settings, mail: Mail, links: Links) -> None:
        self._store = store
        self._safe = safe
        self._settings = settings
        self._mail = mail
        self._links = links
        if settings.mail_tls not in WAYS or (settings.mail_tls == "none" and settings.mail_host not in HERE):
            raise ValueError("WATTKEEPER_MAIL_TLS must be starttls or tls; none is for a mail server on this machine.")
        self._written = Attempts(free=5, longest_s=3600, first_s=300)
        """Letters by address, so that nobody can fill another's mailbox through us."""

    async def run(self) -> None:
        """Send what is due, for ever; a fault of one round is recorded and the next one tries again."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                while await self.round():
                    pass
            except Exception:
                log.exception("a round of the post failed")

    async def round(self) -> int:
        """Judge and send what is due; how many letters that was."""
        async with self._store.read() as connection:
            rows = await queue.due(connection, self._store.clock(), TOGETHER)
        for row in rows:
            await self._treat(row)
        if rows:
            async with self._store.unit() as unit:
                await queue.tidy(unit)
        return len(rows)

    async def _treat(self, row: MailRow) -> None:
        """One row of the queue; one that cannot be treated never holds up those behind it."""
        try:
            await (self._judge(row) if row.kind.startswith(ASKED) else self._send(row))
        except KeyRefused:
            async with self._store.unit() as unit:
                await queue.remove(unit, row.id)
        except Exception as problem:
            log.error("a letter (%s) failed: %s", row.kind, type(problem).__name__)  # the problem may hold names
            await self._put_off(row, problem)

    # --- what was asked ---------------------------------------------------------------------------------

    async def _judge(self, row: MailRow) -> None:
        """Turn what was asked into a letter, or into nothing where there is nobody to write to."""
        deeds: Mapping[str, Callable[[Unit, dict[str, Any]], Awaitable[None]]] = {
            Kind.VERIFY: self._signed_up,
            Kind.RECOVER: self._recovers,
            Kind.CHANGE_MAIL: self._changes_mail,
            Kind.STEP: self._steps_up,
            Kind.GUESSED: self._was_guessed,
        }
        async with self._store.unit() as unit:
            if not await queue.take(unit, row.id, row.tries, unit.now + LEASE):
                return
            about = await self._mail.asked(unit, row)
            await queue.remove(unit, row.id)
            await deeds[row.kind.removeprefix(ASKED)](unit, about)

    async def _signed_up(self, unit: Unit, about: dict[str, Any]) -> None:
        """A link for a new address; for one that has an account, a word that it has."""
        row = await self._of(unit, about["email"])
        if self._is_too_much(about["email"], row):
            return
        if row is not None:
            await self._mail.tell(unit, row, Kind.ALREADY)
            return
        code = await self._links.make(unit, Purpose.VERIFY, None, about)
        link = self._mail.link(code, staff=False)
        await self._mail.write_to(unit, about["email"], Kind.VERIFY, about["language"], link)

    async def _recovers(self, unit: Unit, about: dict[str, Any]) -> None:
        """A link to sign in with, where there is such an account."""
        row = await self._of(unit, about["email"])
        if row is None or row.state is not AccountState.ACTIVE or self._is_too_much(about["email"], row):
            return
        code = await self._links.make(unit, Purpose.RECOVER, row.id)
        await self._mail.tell(unit, row, Kind.RECOVER, link=self._mail.link(code, staff=row.role.is_staff))

    async def _changes_mail(self, unit: Unit, about: dict[str, Any]) -> None:
        """A link for the new address, unless it has an account."""
        row = await account.by_id(unit.connection, about["account"])
        if row is None or self._is_too_much(about["email"], row):
            return
        kind, link = Kind.MAIL_TAKEN, ""
        if await self._of(unit, about["email"]) is None:
            code = await self._links.make(unit, Purpose.CHANGE_MAIL, row.id, about)
            kind, link = Kind.CHANGE_MAIL, self._mail.link(code, staff=row.role.is_staff)
        await self._mail.write_to(unit, about["email"], kind, about["language"], link)

    async def _steps_up(self, unit: Unit, about: dict[str, Any]) -> None:
        """A link that completes a sign-in."""
        row = await account.by_id(unit.connection, about["account"])
        if row is not None and not self._is_too_much(row.id, row):
            code = await self._links.make(unit, Purpose.STEP, row.id, {"login": about["login"]})
            await self._mail.tell(unit, row, Kind.STEP, link=self._mail.link(code, staff=row.role.is_staff))

    async def _was_guessed(self, unit: Unit, about: dict[str, Any]) -> None:
        """A word that the password alone opens no more."""
        row = await account.by_id(unit.connection, about["account"])
        if row is not None:
            await self._mail.tell(unit, row, Kind.GUESSED)

    async def _of(self, unit: Unit, email: str) -> AccountRow | None:
        return await account.by_name(unit.connection, self._safe.name_ref(email))

    def _is_too_much(self, email: str, row: AccountRow | None) -> bool:
        """Whether this address had enough letters for now; each one asked for counts. ``row`` is whose it is."""
        key = self._safe.name_ref(email)
        wait_s = self._written.wait_s(key)
        if wait_s <= 0 and self._written.count(key):
            note(Case.LETTERS_FLOOD, "" if row is None else row.id)
        return wait_s > 0

    # --- sending ----------------------------------------------------------------------------------------

    async def _send(self, row: MailRow) -> None:
        """Send one letter, or say when it is tried again; in a demo it is only shown."""
        async with self._store.unit() as unit:
            if not await queue.take(unit, row.id, row.tries, unit.now + LEASE):
                return
            if not await is_wanted(unit, row):
                await queue.remove(unit, row.id)
                return
            posted = await self._mail.open(unit, row)
            if self._mail.shows:
                await queue.sent(unit, row.id, wipe=False)
            elif not self._settings.mail_host:
                await queue.give_up(unit, row.id, UNSET)
        if self._settings.mail_host:
            await self._hand_over(row, posted)

    async def _hand_over(self, row: MailRow, posted: Posted) -> None:
        """Give the letter to the mail server."""
        try:
            await self._deliver(posted)
        except (aiosmtplib.SMTPException, OSError, ValueError) as problem:
            await self._put_off(row, problem)
            return
        async with self._store.unit() as unit:
            await queue.sent(unit, row.id, wipe=True)

    async def _put_off(self, row: MailRow, problem: Exception) -> None:
        """Try again, each time twice as late; never where the server said that it is in vain (RFC 5321 4.2.1: 5yz)."""
        code = getattr(problem, "code", 0)
        why = f"{type(problem).__name__} {code or ''}".strip()
        final = row.tries + 1 >= MOST_TRIES or _is_final(problem)
        log.warning("a letter (%s) was not sent: %s", row.kind, why)
        async with self._store.unit() as unit:
            if final:
                await queue.give_up(unit, row.id, why)
            else:
                await queue.put_off(unit, row.id, unit.now + timedelta(seconds=30 * 2**row.tries), why)

    async def _deliver(self, posted: Posted) -> None:
        """One SMTP conversation: TLS from the start, or STARTTLS, with a certificate that is verified."""
        wanted = self._settings
        password = await asyncio.to_thread(_password, wanted.mail_password_file)
        await aiosmtplib.send(
            message(posted, wanted.mail_from, wanted.address),
            hostname=wanted.mail_host,
            port=wanted.mail_port,
            username=wanted.mail_user or None,
            password=password,
            use_tls=wanted.mail_tls == "tls",
            start_tls=wanted.mail_tls == "starttls",
            validate_certs=True,
            cert_bundle=wanted.mail_ca_file or None,
            timeout=TIMEOUT_S,
        )


def message(posted: Posted, sender: str, home: str) -> EmailMessage:
    """The letter as it goes over the wire; ValueError where a header would hold a line break."""
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = posted.to
    made["Subject"] = posted.subject
    made["Date"] = format_datetime(posted.created_at)
    host = home.partition("://")[2].partition(":")[0]
    made["Message-ID"] = f"<{secrets.token_hex(16)}@{host}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(posted.text)
    if posted.file is not None:
        main, _, sub = posted.file.media_type.partition("/")
        made.add_attachment(posted.file.content, maintype=main, subtype=sub, filename=posted.file.name)
    return made


def _is_final(problem: Exception) -> bool:
    """Whether trying again is in vain."""
    if isinstance(problem, aiosmtplib.SMTPRecipientsRefused):
        return all(refused.code >= 500 for refused in problem.recipients)
    return isinstance(problem, aiosmtplib.SMTPResponseException) and problem.code >= 550


def _password(path: str) -> str | None:
    """The mail server's password, from its file."""
    return Path(path).read_text(encoding="utf-8").strip() if path else None
