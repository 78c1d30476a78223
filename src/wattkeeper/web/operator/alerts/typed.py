"""A rule on alerts as somebody typed it: read into a wish, or refused with what was typed kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.datastructures import FormData

from wattkeeper.charging.alerts.rule import FORMS, PRICES, Kind, Rule, Where
from wattkeeper.charging.cards.limits import Span
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.alerts.rules import Wish
from wattkeeper.store.alerts.rule import RuleRow
from wattkeeper.web.operator.hours import WRONG, read_hours, say_hours

LONGEST = 200
SITE, STATION = f"{Where.SITE.value}:", f"{Where.STATION.value}:"
USUAL: Mapping[Kind, tuple[str, str, str, str]] = {
    Kind.STATION_OFFLINE: ("10", "0", "0", "5"),
    Kind.PEAK_NEAR_LIMIT: ("90", "80", "2", "15"),
    Kind.FAILED_STARTS: ("3", "0", "0", "0"),
    Kind.FAILED_SHARE: ("50", "20", "0", "0"),
    Kind.ENERGY_WITHOUT_SESSION: ("0.5", "0.1", "0", "0"),
    Kind.PRICE_OF_HOUR: ("0.60", "0.50", "0", "0"),
    Kind.BOUGHT_PRICE: ("0.30", "0.25", "0", "0"),
    Kind.UPTIME: ("97", "98", "0", "0"),
    Kind.BILLS_WAITING: ("20", "5", "60", "0"),
    Kind.LETTERS_WAITING: ("30", "5", "0", "5"),
}
"""What a new rule begins with: raised at, cleared at, and after how many minutes each."""
APART = "60"


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form."""

    kind: str
    name: str = ""
    reach: str = Where.EVERYWHERE.value
    """``everywhere``, ``site:Linz`` or ``station:CP1``."""
    raise_at: str = ""
    clear_at: str = ""
    limit_kw: str = ""
    raise_after: str = ""
    clear_after: str = ""
    apart: str = ""
    below: str = ""
    quiet: str = ""
    harm: str = ""
    accounts: tuple[str, ...] = field(default=())
    hooks: tuple[str, ...] = field(default=())


def usual(kind: Kind, account: str) -> Typed:
    """A new rule of a kind as its form begins; whoever makes it is told."""
    raise_at, clear_at, raise_after, clear_after = USUAL[kind]
    waits: dict[str, Any] = {"raise_after": raise_after, "clear_after": clear_after, "apart": APART}
    told = (account,) if account else ()
    return Typed(kind.value, raise_at=raise_at, clear_at=clear_at, **waits, accounts=told)


def typed_of(row: RuleRow) -> Typed:
    """A rule as its form shows it."""
    rule = row.rule
    reach = rule.where.value if rule.where is Where.EVERYWHERE else f"{rule.where.value}:{rule.subject}"
    return Typed(
        rule.kind.value,
        row.name,
        reach,
        _plain(rule.raise_at),
        _plain(rule.clear_at),
        "" if rule.limit_kw is None else _plain(rule.limit_kw),
        _minutes(rule.raise_after),
        _minutes(rule.clear_after),
        _minutes(rule.apart),
        "yes" if rule.is_below else "",
        say_hours(rule.quiet) if rule.quiet else "",
        "yes" if rule.is_harm else "",
        row.accounts,
        row.hooks,
    )


def given(form: FormData) -> Typed:
    """What came with a form, cut to what a person would type."""
    texts = {name: value.strip()[:LONGEST] for name, value in form.items() if isinstance(value, str)}
    lists = {name: tuple(str(one)[:LONGEST] for one in form.getlist(name)[:100]) for name in ("accounts", "hooks")}
    known: dict[str, Any] = {name: texts.get(name, "") for name in Typed.__slots__ if name not in lists}
    return Typed(**known | lists)


def kind_of(typed: str) -> Kind:
    """Which kind was chosen; Refusal INVALID."""
    if typed not in set(Kind):
        raise Refusal(Code.INVALID, phrase("Choose what is to be measured."))
    return Kind(typed)


def wish_of(typed: Typed) -> Wish:
    """What was typed as a wish; Refusal INVALID with what cannot be understood."""
    kind = kind_of(typed.kind)
    where, subject = Where.EVERYWHERE, ""
    for one, head in ((Where.SITE, SITE), (Where.STATION, STATION)):
        if typed.reach.startswith(head):
            where, subject = one, typed.reach.removeprefix(head)
    rule = Rule(
        kind=kind,
        where=where,
        subject=subject,
        raise_at=_number(typed.raise_at, "raise_at"),
        clear_at=_number(typed.clear_at, "clear_at"),
        limit_kw=_number(typed.limit_kw, "limit_kw") if typed.limit_kw else None,
        raise_after=_span(typed.raise_after, "raise_after"),
        clear_after=_span(typed.clear_after, "clear_after"),
        apart=_span(typed.apart, "apart"),
        is_below=typed.below == "yes" or FORMS[kind].is_low,
        quiet=_quiet(typed.quiet) if typed.quiet else (),
        is_harm=typed.harm == "yes",
    )
    return Wish(typed.name, rule, typed.hooks, typed.accounts)


def _number(typed: str, field: str) -> Decimal:
    try:
        number = Decimal(typed.replace(",", "."))
    except InvalidOperation:
        raise Refusal(Code.INVALID, NUMBER, field=field) from None
    if not number.is_finite():
        raise Refusal(Code.INVALID, NUMBER, field=field)
    return number


NUMBER = phrase("A threshold is a number, such as 10 or 0.5.")


def _span(typed: str, field: str) -> timedelta:
    """Whole minutes; nothing is none."""
    if not typed:
        return timedelta(0)
    if not (typed.isascii() and typed.isdigit() and len(typed) < 6):
        raise Refusal(Code.INVALID, phrase("A wait is a whole number of minutes."), field=field)
    return timedelta(minutes=int(typed))


def _quiet(typed: str) -> tuple[Span, ...]:
    try:
        return read_hours(typed) or ()
    except Refusal as refusal:
        raise Refusal(refusal.code, WRONG, field="quiet") from None


def _minutes(span: timedelta) -> str:
    return str(int(span.total_seconds()) // 60)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def unit_of(kind: Kind, currency: str) -> str:
    """The unit of a kind's thresholds."""
    return f"{currency}/kWh" if kind in PRICES else FORMS[kind].unit
