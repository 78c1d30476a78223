"""Security profile 2: TLS from the first byte, and a word about handshakes that fail."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.conftest import OpenDoor
from tests.doors import KEY, Door, Raw, until
from wattkeeper.gateway.tls import make_context
from wattkeeper.settings import Settings

HERE = Path(__file__).parent
CERTIFICATE, PRIVATE_KEY = str(HERE / "certificate.pem"), str(HERE / "certificate_key.pem")


@pytest.fixture
def engine() -> str:
    """One engine is enough here."""
    return "sqlite"


@pytest.fixture
async def secured(open_door: OpenDoor) -> Door:
    """A door with a certificate, and CP1."""
    door = await open_door(tls_certificate=CERTIFICATE, tls_key=PRIVATE_KEY)
    await door.admit("CP1", KEY)
    return door


def trusting() -> ssl.SSLContext:
    """A station that was given our certificate."""
    context = ssl.create_default_context(cafile=CERTIFICATE)
    context.check_hostname = False
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_station_connects_by_tls(secured: Door, version: ssl.TLSVersion) -> None:
    context = trusting()
    context.minimum_version = context.maximum_version = version
    async with secured.plugged(ssl=context) as station:
        assert (await station.boot())[2]["status"] == "Accepted"
        large = {"vendorId": "Volt", "data": "x" * 300_000}
        assert (await station.call("DataTransfer", large))[0] == 3
    await until(lambda: not secured.gateway.connected("CP1"))


async def test_a_wrong_key_is_refused_by_tls_too(secured: Door) -> None:
    assert (await secured.refusal(key="badbadbadbadbadbadbad", ssl=trusting()))[0] == 401


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_a16_old_tls_is_refused(secured: Door, caplog: pytest.LogCaptureFixture) -> None:
    context = trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        async with secured.plugged(ssl=context):
            pass
    assert "UNSUPPORTED_PROTOCOL" in caplog.text


async def test_suites_without_forward_secrecy_are_refused(secured: Door) -> None:
    context = trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-GCM-SHA256:AES256-SHA")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        async with secured.plugged(ssl=context):
            pass


async def test_q57_a_station_that_does_not_trust_us_is_told_of_by_address_once(
    secured: Door, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        with pytest.raises(ssl.SSLError):
            async with secured.plugged(ssl=ssl.create_default_context()):
                pass
    await until(lambda: "TLS handshake" in caplog.text)
    told = [record.getMessage() for record in caplog.records if "TLS handshake" in record.getMessage()]
    assert len(told) == 1
    assert "127.0.0.1" in told[0]
    async with secured.plugged(ssl=trusting()) as station:
        await station.boot()


async def test_who_speaks_no_tls_is_dropped(secured: Door) -> None:
    raw = await Raw.dial(secured)
    raw.writer.write(b"GET /ocpp/CP1 HTTP/1.1\r\n\r\n")
    assert b"HTTP" not in await raw.rest()


async def test_who_never_finishes_the_tls_handshake_is_dropped(open_door: OpenDoor) -> None:
    door = await open_door(tls_certificate=CERTIFICATE, tls_key=PRIVATE_KEY, handshake_s=0.5, max_connections=20)
    await door.admit("CP1", KEY)
    for raw in [await Raw.dial(door) for _ in range(20)]:
        await raw.rest()
    async with door.plugged(ssl=trusting()) as station:  # and their places are free again
        await station.boot()


async def test_stopping_does_not_wait_for_handshakes(open_door: OpenDoor) -> None:
    door = await open_door(tls_certificate=CERTIFICATE, tls_key=PRIVATE_KEY, handshake_s=1000.0)
    raw = await Raw.dial(door)
    await door.gateway.stop()
    assert await raw.rest() == b""


def test_a_certificate_that_cannot_be_used_is_told_with_what_to_do() -> None:
    for certificate, key in ((str(HERE / "nothing.pem"), ""), (CERTIFICATE, CERTIFICATE), (__file__, __file__)):
        with pytest.raises(ValueError, match="WATTKEEPER_TLS_CERTIFICATE"):
            make_context(Settings(tls_certificate=certificate, tls_key=key))
