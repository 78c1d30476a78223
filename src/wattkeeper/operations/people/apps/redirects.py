"""Where an app may have people sent back to: registered addresses, compared character by character."""

from __future__ import annotations

import re

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase

LONGEST = 500
_PORT = r"(?::(?P<port>[1-9][0-9]{0,4}))?"
_REST = r"(?P<rest>(?:[/?][!$-;=?-\[\]_a-z~%]*)?)"
"""Path and query, without a fragment, quotes, brackets or blanks."""
WEB = re.compile(rf"https://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?){_PORT}{_REST}")
LOOPBACK = re.compile(rf"http://(?P<host>127\.0\.0\.1|\[::1\]){_PORT}{_REST}")
NATIVE = re.compile(r"(?P<scheme>[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+):[!$-;=?-\[\]_a-z~%]*")
"""A scheme in the form of a domain name turned round (RFC 8252 7.1): ``javascript:`` and its like have no dot."""
UNFIT = phrase(
    "A redirect address is https://…, a private scheme such as com.example.app:/callback, or for programs on a"
    " computer http://127.0.0.1/… or http://[::1]/…; without a fragment, name or password."
)


def need_fit(address: str) -> None:
    """Refusal INVALID where an address cannot be registered."""
    fits = any(kind.fullmatch(address) for kind in (WEB, LOOPBACK, NATIVE))
    if not fits or len(address) > LONGEST:
        raise Refusal(Code.INVALID, UNFIT)


def is_registered(address: str, registered: tuple[str, ...]) -> bool:
    """Whether an address is, exactly, one of these; on loopback the port may be any (RFC 8252 7.3)."""
    if address in registered:
        return True
    asked = LOOPBACK.fullmatch(address)
    if asked is None or int(asked["port"] or 80) > 65_535:
        return False
    known = [one for one in map(LOOPBACK.fullmatch, registered) if one is not None]
    return any((one["host"], one["rest"]) == (asked["host"], asked["rest"]) for one in known)


def place(address: str) -> str:
    """Where an address leads, for people to read."""
    web, native = WEB.fullmatch(address), NATIVE.fullmatch(address)
    if web is not None:
        return web["host"] + (f":{web['port']}" if web["port"] else "")
    if native is not None:
        return phrase("an app on this device ({scheme})", scheme=native["scheme"])
    return phrase("a program on this computer")


def source(address: str) -> str:
    """An address as a source of a content policy (CSP 3, 2.3.1), which has no form for an IPv6 address."""
    native = NATIVE.fullmatch(address)
    if native is not None:
        return f"{native['scheme']}:"
    if "[" in address:
        return "http:"
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{re.split('[/?]', rest, maxsplit=1)[0]}"


def with_answer(address: str, answer: str) -> str:
    """The address with an answer (a query) added to what it asks already (RFC 6749 4.1.2)."""
    return f"{address}{'&' if '?' in address else '?'}{answer}"
