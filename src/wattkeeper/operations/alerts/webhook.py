"""One webhook is told one thing: signed as Standard Webhooks says, at an address that was looked at first.

The host is resolved once, every address it has is judged, and the connection goes to one that was, the next where
nothing listens at the one before: a name that leads elsewhere a moment later (DNS rebinding) leads nowhere. Redirects
are not followed, and of an answer only its status and how long to wait are read.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase

WITHIN_S = 10.0
"""How long a webhook may take for all of it."""
MOST_TRIED = 4
"""How many addresses of one host are tried, in the order in which they are found."""
LONGEST_ADDRESS = 500
SECRET_BYTES = 32
NOT_ALLOWED, TIMEOUT = "not_allowed", "timeout"
"""What an answer says where there was none."""
PREFIX = "whsec_"
"""How a secret begins (Standard Webhooks)."""
CARRIERS = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
"""Networks whose addresses carry one of IPv4 at their end."""

IpAddress = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``status`` 0: nothing did."""

    status: int
    words: str
    wait_s: int = 0
    """How long it asks to be left alone (Retry-After)."""

    @property
    def is_taken(self) -> bool:
        """Whether it was taken."""
        return 200 <= self.status < 300

    @property
    def wants_no_more(self) -> bool:
        """Whether nothing is ever to be sent there again (410)."""
        return self.status == 410


def signature(secret: bytes, identifier: str, at: int, body: bytes) -> str:
    """What ``webhook-signature`` says: HMAC-SHA256 over id, second and body."""
    signed = b".".join((identifier.encode(), str(at).encode(), body))
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def shown_secret(secret: bytes) -> str:
    """A secret as its receiver is given it."""
    return PREFIX + base64.b64encode(secret).decode()


def checked_address(typed: str, *, may_be_inside: bool) -> SplitResult:
    """An address that a webhook may have, as far as its words tell; Refusal INVALID.

    Without ``may_be_inside`` https alone; with it http too, which then leads to no public address (`tell`).
    """
    if len(typed) > LONGEST_ADDRESS or not typed.isascii() or not typed.isprintable() or " " in typed or "\\" in typed:
        raise Refusal(Code.INVALID, WRONG)
    try:
        parts = urlsplit(typed)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise Refusal(Code.INVALID, WRONG) from None
    if parts.scheme not in ("https", "http") or not host or port == 0 or parts.username is not None or parts.fragment:
        raise Refusal(Code.INVALID, WRONG)
    if parts.scheme == "http" and not may_be_inside:
        raise Refusal(Code.INVALID, ONLY_HTTPS)
    literal = _literal(host)
    if literal is not None and not is_allowed(literal, parts.scheme, may_be_inside=may_be_inside):
        raise Refusal(Code.INVALID, INSIDE if parts.scheme == "https" else ONLY_HTTPS)
    return parts


WRONG = phrase("A webhook's address looks like https://example.org/alerts, without a name, a password or a # in it.")
ONLY_HTTPS = phrase("Alerts go out by https alone; by http only within the own network, where the settings allow that.")
INSIDE = phrase("This address is not a public one. The setting alert_inside allows webhooks within the own network.")


def _literal(host: str) -> IpAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_public(address: IpAddress) -> bool:
    """Whether an address is one of the open internet, and so is whatever it carries within."""
    if isinstance(address, IPv6Address):
        within = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        within += [IPv4Address(int(address) & 0xFFFFFFFF)] if any(address in one for one in CARRIERS) else []
        if address.is_site_local or any(one is not None and not is_public(one) for one in within):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_allowed(address: IpAddress, scheme: str, *, may_be_inside: bool, is_strict: bool = False) -> bool:
    """Whether an alert may go to an address: public ones by https; others where the settings say so, by http too.

    ``is_strict``, as in production: by http to this machine alone.
    """
    if is_public(address):
        return scheme == "https"
    if is_strict and scheme == "http" and not address.is_loopback:
        return False
    return may_be_inside and not address.is_multicast and not address.is_unspecified


async def resolved(host: str, port: int) -> Sequence[str]:
    """Every address of a host; raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Webhooks:
    """Tells webhooks; ``resolve`` finds the addresses of hosts, ``trust`` says whose certificates are good."""

    def __init__(
        self,
        *,
        may_be_inside: bool,
        resolve: Resolve = resolved,
        within_s: float = WITHIN_S,
        trust: ssl.SSLContext | None = None,
        is_strict: bool = False,
    ) -> None:
        self._may_be_inside = may_be_inside
        self._is_strict = is_strict
        self._resolve = resolve
        self._within_s = within_s
        self._trust = trust
        self._loading = asyncio.Lock()

    async def tell(self, address: str, secret: bytes, identifier: str, body: bytes, now: datetime) -> Answer:
        """Send one thing once; whatever goes wrong is an answer too."""
        try:
            async with asyncio.timeout(self._within_s):
                return await self._tell(address, secret, identifier, body, now)
        except Refusal:
            return Answer(0, NOT_ALLOWED)
        except TimeoutError:
            return Answer(0, TIMEOUT)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as problem:
            return Answer(0, type(problem).__name__)

    async def _trusted(self) -> ssl.SSLContext:
        """Whose certificates are good: read once, for that takes longer than to tell a webhook."""
        async with self._loading:
            if self._trust is None:
                self._trust = await asyncio.to_thread(httpx.create_ssl_context, trust_env=False)
            return self._trust

    def _may_reach(self, address: IpAddress, scheme: str) -> bool:
        return is_allowed(address, scheme, may_be_inside=self._may_be_inside, is_strict=self._is_strict)

    async def _tell(self, address: str, secret: bytes, identifier: str, body: bytes, now: datetime) -> Answer:
        parts = checked_address(address, may_be_inside=self._may_be_inside)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        found = [ip_address(one.partition("%")[0]) for one in await self._resolve(host, port)]
        if not found or not all(self._may_reach(one, parts.scheme) for one in found):
            return Answer(0, NOT_ALLOWED)
        at, tried = int(now.timestamp()), found[:MOST_TRIED]
        headers = {"Host": parts.netloc, "Content-Type": "application/json", "User-Agent": "Wattkeeper"}
        headers |= {"webhook-id": identifier, "webhook-timestamp": str(at)}
        headers["webhook-signature"] = signature(secret, identifier, at, body)
        within = httpx.Timeout(self._within_s, connect=self._within_s / len(tried))
        options: dict[str, Any] = {"follow_redirects": False, "trust_env": False, "timeout": within}
        async with httpx.AsyncClient(**options, verify=await self._trusted()) as client:
            for there in tried:
                wanted = parts._replace(netloc=f"{_bracketed(there)}:{port}").geturl()
                asked = client.build_request("POST", wanted, content=body, headers=headers)
                asked.extensions["sni_hostname"] = host
                try:
                    return await _sent(client, asked, now)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    if there is tried[-1]:
                        raise
        raise AssertionError("the last address answers or raises")


def _bracketed(address: IpAddress) -> str:
    """An address as a URL has it."""
    return f"[{address}]" if address.version == 6 else str(address)


async def _sent(client: httpx.AsyncClient, asked: httpx.Request, now: datetime) -> Answer:
    """What comes back; httpx.ConnectError, ConnectTimeout: nothing was sent."""
    answer = await client.send(asked, stream=True)
    try:
        return Answer(answer.status_code, f"HTTP {answer.status_code}", _wait_s(answer, now))
    finally:
        await answer.aclose()


def _wait_s(answer: httpx.Response, now: datetime) -> int:
    """How long an answer asks to wait, in seconds or until an instant (RFC 9110 10.2.3); 0 where it does not."""
    told = answer.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return int(told[:7])
    try:
        at = parsedate_to_datetime(told)
    except (ValueError, OverflowError):
        return 0
    return max(0, int((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()))
