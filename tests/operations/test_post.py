"""Letters go out by SMTP: over verified TLS, again where it fails, and never with a header of somebody else's."""

from __future__ import annotations

import asyncio
import email
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.operations.people import ADDRESS, HOME, Town
from wattkeeper.operations.people.house import people_of
from wattkeeper.operations.people.letters.mail import Posted
from wattkeeper.operations.people.letters.post import message
from wattkeeper.store.tables import mail

ANNA = "anna@example.org"
BREAKING = "anna@example.org\r\nBcc: all@example.org"


@dataclass(slots=True)
class Sink:
    """A mail server that takes every letter, or answers as it is told."""

    tls: ssl.SSLContext | None = None
    answers: list[str] = field(default_factory=list)
    """What to say to the next letters instead of taking them."""
    took: list[Message] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    port: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation (RFC 5321), STARTTLS included."""
        secure = False

        def say(line: str) -> None:
            writer.write(line.encode() + b"\r\n")

        say("220 sink")
        while line := (await reader.readline()).decode():
            verb = line.split()[0].upper() if line.strip() else ""
            if verb == "EHLO":
                say("250-sink" if self.tls and not secure else "250 sink")
                if self.tls and not secure:
                    say("250 STARTTLS")
            elif verb == "STARTTLS" and self.tls:
                say("220 go ahead")
                await writer.drain()
                await writer.start_tls(self.tls)
                secure = True
            elif verb == "RCPT" and self.answers:
                say(self.answers.pop(0))
            elif verb == "RCPT":
                self.to.append(line.strip())
                say("250 ok")
            elif verb == "DATA":
                say("354 go on")
                lines = []
                while (text := await reader.readline()) not in (b".\r\n", b""):
                    lines.append(text)
                self.took.append(email.message_from_bytes(b"".join(lines)))
                self.secured.append(secure)
                say("250 taken")
            else:
                say("221 bye" if verb == "QUIT" else "250 ok")
            await writer.drain()
        writer.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Sink]:
        """Listen while the block runs."""

        async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await self.talk(reader, writer)
            except (OSError, ssl.SSLError):
                writer.close()

        server = await asyncio.start_server(quietly, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self


@pytest.fixture
def engine() -> str:
    """What goes over the wire is not about the store."""
    return "sqlite"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that nobody else vouches for, and a server's context with it."""
    key, cert = tmp_path / "mail.key", tmp_path / "mail.pem"
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    named = [
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        str(key),
        "-out",
        str(cert),
    ]
    subprocess.run([*made, *named], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return cert, context


async def town_of(database: str, folder: Path, sink: Sink, **given: Any) -> Town:
    """An installation that sends its letters to the sink."""
    wanted = {"mail_host": "localhost", "mail_port": sink.port, "mail_tls": "none", "outbox": True} | given
    return await Town.build(database, folder, **wanted)


async def states(town: Town) -> list[tuple[str, str | None, bytes]]:
    """The queue: state, why, and what is still kept of each letter."""
    async with town.store.read() as connection:
        rows = (await connection.execute(select(mail))).all()
    return [(row.state, row.why, row.sealed) for row in rows]


async def work_off(town: Town) -> None:
    """Let the post do what is due."""
    while await town.people.post.round():
        pass


async def test_a_letter_goes_out_and_is_wiped(database: str, tmp_path: Path) -> None:
    async with Sink().open() as sink:
        town = await town_of(database, tmp_path, sink, mail_from="keeper@charge.example")
        await town.people.accounts.sign_up(ANNA, "Anna", None, HOME)
        await work_off(town)
        (letter,) = sink.took
        assert (letter["To"], letter["From"]) == (ANNA, "keeper@charge.example")
        assert letter["Auto-Submitted"] == "auto-generated"
        assert letter["Message-ID"].endswith("@charge.example>")
        assert "https://charge.example/app/link/" in letter.get_payload()
        assert await states(town) == [("sent", None, b"")]
        await town.store.close()


async def test_tls_is_verified_or_nothing_is_said(
    database: str, tmp_path: Path, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    authority, context = certificate
    async with Sink(context).open() as sink:
        town = await town_of(database, tmp_path, sink, mail_tls="starttls")
        await town.people.accounts.sign_up(ANNA, "", None, HOME)
        await work_off(town)
        assert sink.took == []
        assert [state for state, _, _ in await states(town)] == ["queued"]
        await town.store.close()
        town = await town_of(database, tmp_path, sink, mail_tls="starttls", mail_ca_file=str(authority))
        town.clock.on(minutes=10)
        await work_off(town)
        assert sink.secured == [True]
        await town.store.close()


async def test_a_server_without_starttls_gets_no_letter(database: str, tmp_path: Path) -> None:
    async with Sink().open() as sink:
        town = await town_of(database, tmp_path, sink, mail_tls="starttls")
        await town.people.accounts.sign_up(ANNA, "", None, HOME)
        await work_off(town)
        assert sink.took == []
        await town.store.close()


async def test_what_fails_is_tried_again_each_time_later_and_once_only(database: str, tmp_path: Path) -> None:
    async with Sink(answers=["451 later"] * 2).open() as sink:
        town = await town_of(database, tmp_path, sink)
        await town.people.accounts.sign_up(ANNA, "", None, HOME)
        await work_off(town)
        await work_off(town)
        assert (len(sink.answers), sink.took) == (1, [])
        town.clock.on(seconds=31)
        await work_off(town)
        town.clock.on(seconds=31)
        await work_off(town)
        assert (sink.answers, sink.took) == ([], [])
        town.clock.on(seconds=31)
        await asyncio.gather(*(town.people.post.round() for _ in range(5)))
        assert len(sink.took) == 1
        await town.store.close()


async def test_what_is_in_vain_is_given_up_and_wiped(database: str, tmp_path: Path) -> None:
    async with Sink(answers=["550 no such mailbox"]).open() as sink:
        town = await town_of(database, tmp_path, sink)
        await town.people.accounts.sign_up(ANNA, "", None, HOME)
        await work_off(town)
        ((state, why, kept),) = await states(town)
        assert (state, kept) == ("failed", b"")
        assert why is not None
        assert ANNA not in why
        await town.store.close()


async def test_without_a_server_letters_are_not_kept(database: str, tmp_path: Path) -> None:
    town = await Town.build(database, tmp_path, outbox=False)
    await town.people.accounts.sign_up(ANNA, "", None, HOME)
    await work_off(town)
    ((state, why, kept),) = await states(town)
    assert (state, kept) == ("failed", b"")
    assert "WATTKEEPER_MAIL_HOST" in str(why)
    await town.store.close()


async def test_letters_are_forgotten_after_thirty_days(database: str, tmp_path: Path) -> None:
    town = await Town.build(database, tmp_path)
    await town.people.accounts.sign_up(ANNA, "", None, HOME)
    await work_off(town)
    town.clock.on(days=31)
    await town.people.accounts.sign_up("bert@example.org", "", None, HOME)
    await work_off(town)
    assert [one.to for one in await town.people.mail.outbox()] == ["bert@example.org"]
    await town.store.close()


def test_e20_no_header_of_somebody_else_s() -> None:
    good = Posted("verify", ANNA, "Hello", "x", datetime.now(UTC))
    assert message(good, "a@b.example", ADDRESS)["To"] == ANNA
    for bad in (replace(good, to=BREAKING), replace(good, subject=BREAKING)):
        with pytest.raises(ValueError, match="linefeed"):
            message(bad, "a@b.example", ADDRESS)


@pytest.mark.parametrize("way", [{"mail_tls": "none", "mail_host": "mail.example.org"}, {"mail_tls": "ssl"}])
async def test_letters_never_cross_the_net_in_clear(database: str, tmp_path: Path, way: dict[str, Any]) -> None:
    town = await Town.build(database, tmp_path)
    with pytest.raises(ValueError, match="WATTKEEPER_MAIL_TLS"):
        people_of(town.store, town.safe, replace(town.settings, **way), town.access)
    await town.store.close()
