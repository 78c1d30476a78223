"""What is typed into the forms about bills: amounts, energies, and who a bill is made out to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.papers.paper import Party

PLAIN = re.compile(r"([0-9]{1,12})(?:[.,]([0-9]{1,6}))?")
SPACES = re.compile(r"[\s’']")
NO_NUMBER = phrase("{field} must be a number such as 12.50, without a point or comma between thousands.")
LONGEST = 200
WISH = ("kwh", "amount", "reason", "seen")
BUYER = ("name", "street", "postcode", "city", "country", "vat_id")


def number(text: str, field: str, at: str = "") -> Decimal | None:
    """A number with a point or a comma before its decimals; None where nothing is typed; Refusal INVALID.

    ``field``: what people call it; ``at``: what the form does.
    """
    if not text:
        return None
    found = PLAIN.fullmatch(SPACES.sub("", text))
    if found is None:
        raise Refusal(Code.INVALID, NO_NUMBER.filled(field=field), field=at)
    return Decimal(f"{found[1]}.{found[2] or 0}")


def minor(text: str, currency: str, field: str) -> int:
    """An amount in minor units, 0 where nothing is typed; Refusal INVALID where it is none of this currency."""
    minor = (number(text, field) or Decimal(0)).scaleb(digits_of(currency))
    if minor != minor.to_integral_value():
        raise Refusal(Code.INVALID, phrase("That is a fraction of the smallest coin there is."))
    return int(minor)


def seen(text: str) -> tuple[int, int | None]:
    """What a form's page showed: what the session came to as told, and what was billed; else (-1, None)."""
    told, _, billed = text.partition(":")
    try:
        return int(told[:20]), int(billed[:20]) if billed else None
    except ValueError:
        return -1, None


def said(what: tuple[int, int | None] | None) -> str:
    """The same as a form carries it."""
    return "" if what is None else f"{what[0]}:{'' if what[1] is None else what[1]}"


def buyer(form: Mapping[str, str]) -> Party:
    """To whom an invoice is made out; Refusal INVALID where something is no line of an address."""
    parts = {name: form[name] for name in BUYER} | {"country": form["country"].upper()}
    if any(len(part) > LONGEST or not part.isprintable() for part in parts.values()):
        raise Refusal(Code.INVALID, phrase("Each line of an address has at most {most} characters.", most=LONGEST))
    return Party(**parts)
