"""E18: a webhook's address is resolved once, every address judged, the connection goes to one of them, no further."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from tests.hooks import listening
from wattkeeper.charging.errors import Refusal
from wattkeeper.operations.alerts.webhook import Webhooks, checked_address, is_public, signature

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = bytes(range(32))
INSIDE = (
    *("127.0.0.1", "127.8.9.1", "0.1.2.3", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *(
        "::1",
        "::",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
    ),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:c0a8:101::1", "::7f00:1", "::a00:1"),
)
HOSTILE = (
    *("ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "javascript:alert(1)", "//example.org/"),
    *("https://", "https:///alerts", "https://user:secret@example.org/", "https://@example.org/", "example.org"),
    *("https://example.org:99999/", "https://example.org:0/", "https://example.org/#x", "https://exa mple.org/"),
    *("https://example.org\\@127.0.0.1/", "https://example.org/\r\nHost: evil", "https://exämple.org/", "https://[::1"),
    "https://example.org/" + "a" * 600,
)


def resolving(*found: str) -> object:
    """A name server that says this."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return found

    return resolve


@pytest.mark.parametrize("inside", INSIDE)
async def test_e18_no_webhook_leads_inside(inside: str) -> None:
    address = f"https://[{inside}]/" if ":" in inside else f"https://{inside}/"
    assert not is_public(ip_address(inside))
    with pytest.raises(Refusal):
        checked_address(address, may_be_inside=False)
    told = Webhooks(may_be_inside=False, resolve=resolving(inside))  # type: ignore[arg-type]
    answer = await told.tell("https://example.org/alerts", SECRET, "msg_1", b"{}", NOW)
    assert (answer.status, answer.words) == (0, "not_allowed")
    mixed = Webhooks(may_be_inside=False, resolve=resolving("93.184.216.34", inside))  # type: ignore[arg-type]
    assert (await mixed.tell("https://example.org/", SECRET, "msg_1", b"{}", NOW)).words == "not_allowed"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_e18_an_address_that_is_none_is_refused(hostile: str) -> None:
    for may_be_inside in (False, True):
        with pytest.raises(Refusal):
            checked_address(hostile, may_be_inside=may_be_inside)


async def test_e18_numbers_that_are_written_oddly_are_judged_by_what_they_lead_to() -> None:
    for odd in ("https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://localhost/", "https://0/"):
        answer = await Webhooks(may_be_inside=False, within_s=5).tell(odd, SECRET, "msg_1", b"{}", NOW)
        assert answer.status == 0, odd
        assert answer.words in ("not_allowed", "gaierror"), odd


async def test_e18_http_leads_nowhere_but_inside_and_there_only_where_the_settings_say_so() -> None:
    with pytest.raises(Refusal):
        checked_address("http://example.org/", may_be_inside=False)
    outside = Webhooks(may_be_inside=True, resolve=resolving("93.184.216.34"))  # type: ignore[arg-type]
    assert (await outside.tell("http://example.org/", SECRET, "m", b"{}", NOW)).words == "not_allowed"
    async with listening() as there:
        shut = await Webhooks(may_be_inside=False).tell(there.address, SECRET, "msg_1", b"{}", NOW)
        assert (shut.status, there.heard) == (0, [])
        assert (await Webhooks(may_be_inside=True).tell(there.address, SECRET, "msg_1", b"{}", NOW)).is_taken


async def test_e18_in_production_nothing_goes_in_clear_but_to_this_machine() -> None:
    async with listening() as there:
        strict = Webhooks(may_be_inside=True, is_strict=True)
        assert (await strict.tell(there.address, SECRET, "msg_1", b"{}", NOW)).is_taken
        away = Webhooks(may_be_inside=True, is_strict=True, resolve=resolving("10.0.0.1"))  # type: ignore[arg-type]
        address = f"http://pager.local:{there.port}/"
        assert (await away.tell(address, SECRET, "msg_1", b"{}", NOW)).words == "not_allowed"


async def test_e18_a_name_that_leads_elsewhere_the_second_time_leads_nowhere_else() -> None:
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async with listening() as there, listening(host="127.0.0.2") as trap:
        address = f"http://rebinds.example:{there.port}/alerts?x=1"
        answer = await Webhooks(may_be_inside=True, resolve=rebinding).tell(address, SECRET, "msg_1", b"{}", NOW)
        assert answer.is_taken
        assert asked == ["rebinds.example"]
        assert trap.heard == []
        (heard,) = there.heard
        assert heard.headers["host"] == f"rebinds.example:{there.port}"
        assert heard.path == "/alerts?x=1"


async def test_e18_where_nothing_listens_the_next_address_is_tried_and_each_was_judged() -> None:
    async with listening(host="127.0.0.2") as there, listening(host="127.0.0.3") as later:
        address = f"http://many.example:{there.port}/alerts"
        many = Webhooks(may_be_inside=True, resolve=resolving("127.0.0.1", "127.0.0.2", "127.0.0.3"))  # type: ignore[arg-type]
        assert (await many.tell(address, SECRET, "msg_1", b"{}", NOW)).is_taken
        assert (len(there.heard), later.heard) == (1, []), "told once, at the first that answers"
        assert there.heard[0].headers["host"] == f"many.example:{there.port}"
        mixed = Webhooks(may_be_inside=True, resolve=resolving("127.0.0.1", "127.0.0.2", "93.184.216.34"))  # type: ignore[arg-type]
        assert (await mixed.tell(address, SECRET, "msg_2", b"{}", NOW)).words == "not_allowed", (
            "by http to none outside"
        )
        nobody = Webhooks(may_be_inside=True, resolve=resolving("127.0.0.1", "127.0.0.4"))  # type: ignore[arg-type]
        assert (await nobody.tell(address, SECRET, "msg_3", b"{}", NOW)).words == "ConnectError"
        many_more = Webhooks(may_be_inside=True, resolve=resolving(*(f"127.0.1.{n}" for n in range(9)), "127.0.0.2"))  # type: ignore[arg-type]
        assert not (await many_more.tell(address, SECRET, "msg_4", b"{}", NOW)).is_taken, "not without end"
        assert len(there.heard) == 1


async def test_e18_one_that_answers_badly_is_not_tried_elsewhere() -> None:
    async with listening("500 Broken") as there, listening(host="127.0.0.2") as other:
        address = f"http://many.example:{there.port}/"
        many = Webhooks(may_be_inside=True, resolve=resolving("127.0.0.1", "127.0.0.2"))  # type: ignore[arg-type]
        answer = await many.tell(address, SECRET, "msg_1", b"{}", NOW)
        assert (answer.status, len(there.heard), other.heard) == (500, 1, [])


async def test_e18_a_redirect_inside_is_not_followed() -> None:
    async with listening() as trap, listening(f"307 There\r\nLocation: {trap.address}") as there:
        answer = await Webhooks(may_be_inside=True).tell(there.address, SECRET, "msg_1", b"{}", NOW)
        assert (answer.status, answer.is_taken, trap.heard) == (307, False, [])


async def test_e18_the_certificate_is_that_of_the_name_though_the_connection_goes_to_an_address() -> None:
    here = Path(__file__).parents[1] / "gateway"
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(here / "certificate.pem", here / "certificate_key.pem")
    trust = ssl.create_default_context(cafile=str(here / "certificate.pem"))
    async with listening(tls=tls) as there:
        made = Webhooks(may_be_inside=True, resolve=resolving("127.0.0.1"), trust=trust)  # type: ignore[arg-type]
        right = await made.tell(f"https://localhost:{there.port}/", SECRET, "msg_1", b"{}", NOW)
        wrong = await made.tell(f"https://example.org:{there.port}/", SECRET, "msg_1", b"{}", NOW)
        nobodys = Webhooks(may_be_inside=True, resolve=resolving("127.0.0.1"))  # type: ignore[arg-type]
        unknown = await nobodys.tell(f"https://localhost:{there.port}/", SECRET, "msg_1", b"{}", NOW)
        assert right.is_taken
        assert (wrong.status, unknown.status, len(there.heard)) == (0, 0, 1)


@pytest.mark.parametrize(
    "odd",
    [
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2026 99999999999999999999:00:00 GMT",
        "Mon, 1 Jan 2026 00:00:00 +99999999999999999999",
        "9" * 5000,
        "-1",
        "1e400",
        "\u00b2",
    ],
)
async def test_e18_however_oddly_an_answer_asks_to_wait_it_is_an_answer(odd: str) -> None:
    async with listening(f"503 Busy\r\nRetry-After: {odd}") as there:
        answer = await Webhooks(may_be_inside=True).tell(there.address, SECRET, "msg_1", b"{}", NOW)
        assert (answer.status, answer.words) == (503, "HTTP 503")


async def test_e18_whose_certificates_are_good_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a tenth of a second: for each of a thousand alerts, nothing else would be done for minutes."""
    made: list[ssl.SSLContext] = []
    real = ssl.create_default_context

    def counted(*given: Any, **named: Any) -> ssl.SSLContext:
        made.append(real(*given, **named))
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", counted)
    async with listening() as there:
        told = Webhooks(may_be_inside=True)
        answers = await asyncio.gather(*(told.tell(there.address, SECRET, f"m{n}", b"{}", NOW) for n in range(5)))
        assert all(one.is_taken for one in answers)
    assert len(made) == 1


def test_e18_the_signature_is_that_of_standard_webhooks() -> None:
    """The example that the specification gives."""
    import base64

    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
