"""The way to PostgreSQL: where its address asks for TLS nothing goes in clear, and nobody is taken for the database."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from wattkeeper.store.copying import connect
from wattkeeper.store.engines import Store
from wattkeeper.store.link import bare, is_far

CERTIFICATE = Path(__file__).parent.parent / "gateway" / "certificate.pem"
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""How a client asks a PostgreSQL server for TLS (PostgreSQL protocol, 55.7)."""


@asynccontextmanager
async def taken_for_the_database(answer: bytes, host: str = "127.0.0.1") -> AsyncIterator[tuple[int, bytearray]]:
    """Somebody who listens where the database should, says this to who asks for TLS, and hears what comes then."""
    heard = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readexactly(len(SSL_REQUEST))
        if asked != SSL_REQUEST:
            heard.extend(b"in clear: " + asked)
        writer.write(answer)
        await writer.drain()
        if answer == b"S":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_name("certificate_key.pem"))
            try:
                await writer.start_tls(context)
                heard.extend(await reader.read(64))
            except (OSError, asyncio.IncompleteReadError):
                pass
        else:
            heard.extend(await reader.read(64))
        writer.close()

    server = await asyncio.start_server(listen, host, 0)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_a_database_without_tls_is_told_nothing(mode: str) -> None:
    async with taken_for_the_database(b"N") as (port, heard):
        with pytest.raises((OSError, ConnectionError)):
            await connect(make_url(f"postgresql+asyncpg://ada:canary@127.0.0.1:{port}/x?sslmode={mode}"))
        await asyncio.sleep(0.05)
        assert bytes(heard) == b""


@pytest.mark.parametrize("more", ["", f"&sslrootcert={CERTIFICATE}"])
async def test_a_certificate_of_somebody_else_is_not_believed(more: str) -> None:
    async with taken_for_the_database(b"S", "127.0.0.2") as (port, heard):
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(make_url(f"postgresql+asyncpg://ada:canary@127.0.0.2:{port}/x?sslmode=verify-full{more}"))
        await asyncio.sleep(0.05)
        assert bytes(heard) == b""


async def test_the_certificate_that_bears_its_name_is_believed() -> None:
    named = f"sslmode=verify-full&sslrootcert={CERTIFICATE}"
    async with taken_for_the_database(b"S") as (port, heard):
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):  # for it is no database after all
            await connect(make_url(f"postgresql+asyncpg://ada:canary@127.0.0.1:{port}/x?{named}"))
        await asyncio.sleep(0.05)
        assert b"user" in bytes(heard), "it was told who comes, inside TLS"


async def test_what_an_engine_says_of_itself_holds_no_password(tmp_path: Path) -> None:
    store = Store("postgresql://ada:canary@db.example/x?sslmode=verify-full")
    assert "canary" not in repr(store.url) + str(store.url) + repr(store)
    await store.close()


def test_what_the_driver_does_not_know_is_left_out() -> None:
    url = make_url("postgresql+asyncpg://db.example/x?sslmode=require&sslrootcert=a.pem&application_name=w")
    assert dict(bare(url).query) == {"application_name": "w"}
    assert is_far(url)
    assert not is_far(make_url("sqlite:///x.db"))
