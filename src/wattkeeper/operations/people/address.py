"""E-mail addresses: what is taken as one. Linear in its length, and nothing that could break a mail's header."""

from __future__ import annotations

import re

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase

LONGEST = 254
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""RFC 5322 3.2.3, dot-atom."""
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")


def is_mail(name: str) -> bool:
    """Whether what somebody signs in with is an e-mail address; others are made at the command line."""
    return "@" in name


def mail_address(text: str) -> str:
    """The address as we write to it, its domain in ASCII; Refusal INVALID where it is none."""
    local, at, domain = text[: LONGEST * 2].strip().rpartition("@")
    try:
        plain = domain.encode("idna").decode() if domain else ""
    except UnicodeError:
        plain = ""
    labels = plain.split(".")
    good = at and 0 < len(local) <= 64 and _LOCAL.fullmatch(local) and len(local) + 1 + len(plain) <= LONGEST
    if not good or not all(len(label) <= 63 and _LABEL.fullmatch(label) for label in labels):
        raise Refusal(
            Code.INVALID, phrase("This is not an e-mail address that can be written to, such as anna@example.org.")
        )
    return f"{local}@{plain.lower()}"
