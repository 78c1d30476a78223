"""A16 at every door: old versions, weak suites and compression are refused; a renewed certificate needs no restart."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.doors import KEY, until
from wattkeeper.assembly import Doors, open_doors, open_rooms
from wattkeeper.settings import Settings
from wattkeeper.web.rooms import Rooms

HOW: dict[str, Any] = {"compression": None, "proxy": None}


def make(folder: Path, name: str, *, curve: bool = True) -> tuple[bytes, bytes]:
    """A certificate of this name and its key, PEM, that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, 2048)
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(1))
    signed = made.not_valid_after(now + datetime.timedelta(9)).sign(key, hashes.SHA256())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return signed.public_bytes(serialization.Encoding.PEM), key.private_bytes(*form)


def put(folder: Path, certificate: bytes, key: bytes) -> None:
    """Put both in place, as whoever renews them does."""
    for name, content in (("key.pem", key), ("certificate.pem", certificate)):
        part = folder / f"{name}.part"
        part.write_bytes(content)
        part.replace(folder / name)


@asynccontextmanager
async def doors(folder: Path) -> AsyncIterator[tuple[Rooms, Doors]]:
    """Both doors, with a certificate called first.example."""
    put(folder, *make(folder, "first.example", curve=False))
    settings = Settings(
        database=f"sqlite:///{folder / 'w.db'}",
        root_key=folder / "root.key",
        http_port=0,
        ocpp_port=0,
        tls_certificate=str(folder / "certificate.pem"),
        tls_key=str(folder / "key.pem"),
    )
    async with open_rooms(settings) as rooms, open_doors(rooms) as opened:
        yield rooms, opened


def ports(opened: Doors) -> dict[str, int]:
    return {"people": int(opened.http.rpartition(":")[2]), "stations": int(opened.ocpp.split(":")[2].split("/")[0])}


def naive(**how: ssl.TLSVersion) -> ssl.SSLContext:
    """Somebody who takes any certificate, and offers what is told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name, version in how.items():
        setattr(context, name, version)
    return context


async def handshake(port: int, context: ssl.SSLContext, name: str | None = None) -> tuple[str, ssl.SSLObject]:
    """The name on the certificate that is shown, and what was agreed on."""
    _reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name or "")
    agreed: ssl.SSLObject = writer.get_extra_info("ssl_object")
    shown = x509.load_der_x509_certificate(agreed.getpeercert(binary_form=True) or b"")
    writer.close()
    return str(shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value), agreed


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning", "ignore::ResourceWarning")
async def test_a16_every_door_refuses_old_versions_and_weak_suites(tmp_path: Path) -> None:
    async with doors(tmp_path) as (_, opened):
        for door, port in ports(opened).items():
            for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
                old = naive()
                old.set_ciphers("ALL:@SECLEVEL=0")
                old.minimum_version = old.maximum_version = version
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    await handshake(port, old)
            for suites in ("AES128-GCM-SHA256", "AES256-SHA", "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA"):
                weak = naive(maximum_version=ssl.TLSVersion.TLSv1_2)
                weak.set_ciphers(suites)
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    await handshake(port, weak)
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                name, agreed = await handshake(port, naive(minimum_version=version, maximum_version=version))
                assert name == "first.example", door
                assert agreed.compression() is None
            odd = naive(maximum_version=ssl.TLSVersion.TLSv1_2)
            odd.set_ecdh_curve("secp224r1")
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await handshake(port, odd)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_renewed_certificate_is_shown_to_who_comes_next_and_who_is_there_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from websockets.asyncio.client import connect
    from websockets.typing import Subprotocol

    from tests.doors import Station, basic

    async with doors(tmp_path) as (rooms, opened):
        await rooms.admission.provision("CP1", "test", key=KEY)
        url, how = f"{opened.ocpp}/CP1", HOW
        offered = [Subprotocol("ocpp1.6")]
        headers = basic("CP1", KEY)
        async with connect(url, ssl=naive(), subprotocols=offered, additional_headers=headers, **how) as socket:
            station = Station(socket)
            await station.boot()
            put(tmp_path, b"-----BEGIN CERTIFICATE-----\nnot yet\n", make(tmp_path, "half.example")[1])
            await until(lambda: "stays in use" in caplog.text, "a broken certificate was told")
            for port in ports(opened).values():
                assert (await handshake(port, naive()))[0] == "first.example"
            put(tmp_path, *make(tmp_path, "second.example"))
            for port in ports(opened).values():
                for name in (None, "second.example"):

                    async def renewed(port: int = port, name: str | None = name) -> bool:
                        return (await handshake(port, naive(), name))[0] == "second.example"

                    await until(renewed, "the new certificate was shown")
            assert (await station.boot())[2]["status"] == "Accepted", "the old socket lives"
