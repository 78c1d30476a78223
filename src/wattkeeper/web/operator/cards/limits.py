"""What binds a card or a group, as people type it into a form and read it back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from wattkeeper.charging.cards.limits import Limits
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import Phrase, joined, phrase
from wattkeeper.language import means, tell
from wattkeeper.web.operator.hours import read_hours, say_hours
from wattkeeper.web.operator.said import amount, kwh

NONE = phrase("none")
"""What is typed for nothing at all, where an empty field is no limit; in any language that we speak."""
FIELDS = ("kwh", "money", "sites", "hours", "plugs")


def limits_of(form: Mapping[str, str]) -> Limits:
    """The limits that a form asks for; Refusal INVALID says which field."""
    return Limits(
        energy_wh_month=_amount(form.get("kwh", ""), Decimal(1000), phrase("Energy a month")),
        money_month=_amount(form.get("money", ""), Decimal(1), phrase("Money a month")),
        sites=_words(form.get("sites", "")),
        hours=read_hours(form.get("hours", "")),
        plugs=_words(form.get("plugs", "")),
    )


def typed(limits: Limits) -> dict[str, str]:
    """Limits as they are typed, by field; empty where there is none."""
    energy = None if limits.energy_wh_month is None else limits.energy_wh_month / 1000
    lists = {"sites": limits.sites, "plugs": limits.plugs}
    told: dict[str, str] = {
        name: "" if words is None else ", ".join(sorted(words)) or NONE for name, words in lists.items()
    }
    amounts = {"kwh": energy, "money": limits.money_month}
    told |= {name: "" if amount is None else f"{amount.normalize():f}" for name, amount in amounts.items()}
    return told | {"hours": say_hours(limits.hours)}


def in_words(limits: Limits) -> str:
    """Limits in words of the language spoken; empty where nothing binds."""
    said = list[Phrase]()
    if limits.energy_wh_month is not None:
        said.append(phrase("up to {energy} kWh a month", energy=kwh(limits.energy_wh_month)))
    if limits.money_month is not None:
        said.append(phrase("up to {money} a month in money, with tax", money=amount(limits.money_month)))
    if limits.sites is not None:
        sites = ", ".join(sorted(limits.sites))
        said.append(phrase("only at {sites}", sites=sites) if sites else phrase("at no site"))
    if limits.hours is not None:
        hours = say_hours(limits.hours)
        said.append(phrase("only {hours}", hours=hours) if limits.hours else phrase("at no hour"))
    if limits.plugs is not None:
        plugs = ", ".join(sorted(limits.plugs))
        said.append(phrase("only with {plugs}", plugs=plugs) if plugs else phrase("with no plug"))
    words = str(tell(joined(said, "; ")))
    return words[:1].upper() + words[1:]


def _amount(text: str, unit: Decimal, name: str) -> Decimal | None:
    """A number that was typed, with a point or a comma; empty is no limit."""
    if not text:
        return None
    try:
        amount = Decimal(text.replace(",", "."))
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or not 0 <= amount <= 10**9:
        raise Refusal(Code.INVALID, phrase("{field} must be a number, such as 250 or 49.50.", field=name))
    return amount * unit


def _words(text: str) -> frozenset[str] | None:
    """What was typed between commas; empty is no limit, ``none`` is nothing at all."""
    if means(text, NONE):
        return frozenset()
    told = frozenset(word.strip()[:200] for word in text.split(",") if word.strip())
    return told or None
