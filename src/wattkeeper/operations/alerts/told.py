"""Alerts in words: what happened where, in figures; the same for pages, letters and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from wattkeeper.charging.alerts.rule import FORMS, PRICES, Kind, Rule, Where
from wattkeeper.charging.alerts.standing import State
from wattkeeper.charging.money.currency import digits_of, priced
from wattkeeper.charging.phrase import Figure, Money, Phrase, Said, figured, joined, phrase, plural
from wattkeeper.operations.alerts.webhook import NOT_ALLOWED, TIMEOUT
from wattkeeper.store.alerts.alert import AlertRow, Ended

KINDS: Mapping[Kind, Phrase] = {
    Kind.STATION_OFFLINE: phrase("Station not connected"),
    Kind.PEAK_NEAR_LIMIT: phrase("Peak near the limit"),
    Kind.FAILED_STARTS: phrase("Failed starts"),
    Kind.FAILED_SHARE: phrase("Share of failed starts"),
    Kind.ENERGY_WITHOUT_SESSION: phrase("Energy without a session"),
    Kind.PRICE_OF_HOUR: phrase("Price of the hour"),
    Kind.BOUGHT_PRICE: phrase("Price of what is bought"),
    Kind.UPTIME: phrase("Uptime"),
    Kind.BILLS_WAITING: phrase("Held bills"),
    Kind.LETTERS_WAITING: phrase("Letters that do not leave"),
}
"""What is measured, in words."""
MEASURED: Mapping[Kind, Phrase] = {
    Kind.STATION_OFFLINE: phrase("minutes without a connection"),
    Kind.PEAK_NEAR_LIMIT: phrase(
        "percent of the limit: what flows now, or the mean of the last quarter hour, whichever is more"
    ),
    Kind.FAILED_STARTS: phrase("sessions that began in the last hour and ended within five minutes without any energy"),
    Kind.FAILED_SHARE: phrase(
        "the same in percent of the sessions that began in the last hour and have ended; of five at least"
    ),
    Kind.ENERGY_WITHOUT_SESSION: phrase("kWh by which registers rose in the last hour while no session was there"),
    Kind.PRICE_OF_HOUR: phrase("what a kWh costs at this hour, with tax"),
    Kind.BOUGHT_PRICE: phrase("what a kWh costs the site at this hour, as its terms say"),
    Kind.UPTIME: phrase("percent of the last thirty days in which its ports were up, by NEVI’s equation"),
    Kind.BILLS_WAITING: phrase("bills that are held until a person decides"),
    Kind.LETTERS_WAITING: phrase("minutes for which the oldest letter has waited to be sent"),
}
"""What of it, exactly."""
TITLES: Mapping[Kind, Phrase] = {
    Kind.STATION_OFFLINE: phrase("{place} is not connected"),
    Kind.PEAK_NEAR_LIMIT: phrase("{place} is near its limit"),
    Kind.FAILED_STARTS: phrase("Charging fails at {place}"),
    Kind.FAILED_SHARE: phrase("Charging fails at {place}"),
    Kind.ENERGY_WITHOUT_SESSION: phrase("Energy without a session at {place}"),
    Kind.PRICE_OF_HOUR: phrase("A kWh costs {price}: {place}"),
    Kind.BOUGHT_PRICE: phrase("A kWh is bought at {price}: {place}"),
    Kind.UPTIME: phrase("{place} was often out"),
    Kind.BILLS_WAITING: phrase("Bills wait for a person"),
    Kind.LETTERS_WAITING: phrase("Letters do not leave"),
}
WHYS: Mapping[Kind, Phrase] = {
    Kind.STATION_OFFLINE: plural(
        "It had been without a connection for a minute when the alert was raised.",
        "It had been without a connection for {count} minutes when the alert was raised.",
    ),
    Kind.PEAK_NEAR_LIMIT: phrase("{power} kW of {limit} kW, which is {value} percent."),
    Kind.FAILED_STARTS: plural(
        "1 start failed within an hour: the session ended within five minutes without any energy.",
        "{count} starts failed within an hour: the sessions ended within five minutes without any energy.",
    ),
    Kind.FAILED_SHARE: phrase(
        "{value} percent of {ended} starts failed within an hour: no energy came within five minutes."
    ),
    Kind.ENERGY_WITHOUT_SESSION: phrase("{value} kWh within an hour while no session was there."),
    Kind.PRICE_OF_HOUR: phrase("Its rule tells of it from {from_price} on."),
    Kind.BOUGHT_PRICE: phrase("Its rule tells of it from {from_price} on."),
    Kind.UPTIME: phrase("Its ports were up for {value} percent of the last thirty days, by NEVI’s equation."),
    Kind.BILLS_WAITING: plural("1 bill was held.", "{count} bills were held."),
    Kind.LETTERS_WAITING: plural(
        "The oldest letter had waited for a minute to be sent.",
        "The oldest letter had waited for {count} minutes to be sent.",
    ),
}
STATES: Mapping[State, Phrase] = {
    State.RAISED: phrase("Raised"),
    State.ACKNOWLEDGED: phrase("Acknowledged"),
    State.CLEARED: phrase("Over"),
}
ENDS: Mapping[Ended, Phrase] = {
    Ended.FELL: phrase("It is well again."),
    Ended.PAUSED: phrase("Its rule was paused."),
    Ended.CHANGED: phrase("Its rule was changed."),
    Ended.DELETED: phrase("Its rule was deleted."),
    Ended.GONE: phrase("What it was about is no longer there."),
}
ANSWERS: Mapping[str, Phrase] = {
    "no_account": phrase("They do not work here any more."),
    "no_address": phrase("They have no e-mail address here, or may not know of it."),
    "not_written": phrase("The letter could not be written."),
    "no_hook": phrase("The webhook is gone."),
    "secret": phrase("Its secret does not open any more: make it anew."),
    NOT_ALLOWED: phrase("Its name leads to an address that is not allowed."),
    TIMEOUT: phrase("It did not answer in time."),
}
"""What came back, where it was no answer of a server."""
EVERYTHING = phrase("everything")
THE_PRICE = phrase("the standard tariff")


@dataclass(frozen=True, slots=True)
class Told:
    """An alert in words."""

    title: Phrase
    why: Phrase


def place_of(row: AlertRow, names: Mapping[str, str]) -> str:
    """Where it is: a station by what people call it, else a site."""
    return names.get(row.station, row.station) or row.site or THE_PRICE


def told_of(row: AlertRow, names: Mapping[str, str]) -> Told:
    """An alert in words; ``names``: what people call stations."""
    figures = {name: _figure(name, value) for name, value in row.figures.items()}
    given: dict[str, object] = {
        "value": figured(row.value),
    }
    given |= figures | {"place": place_of(row, names), "count": int(row.value)}
    currency = row.figures.get("currency", "")
    given |= {"price": _money(row.value, currency), "from_price": _money(row.raise_at, currency)}
    return Told(TITLES[row.kind].filled(**given), WHYS[row.kind].filled(**given))


def _figure(name: str, value: str) -> str:
    return Figure(Decimal(value), 1) if name in ("power", "limit") else value


def reach_of(rule: Rule, names: Mapping[str, str]) -> str:
    """How far a rule goes, in words."""
    if rule.where is Where.EVERYWHERE:
        return EVERYTHING
    return names.get(rule.subject, rule.subject) if rule.where is Where.STATION else rule.subject


def thresholds_of(rule: Rule, currency: str) -> Said:
    """When a rule raises and clears, in words."""
    at, back = (_threshold(rule.kind, one, currency) for one in (rule.raise_at, rule.clear_at))
    raised = phrase("raised at {at} or less", at=at) if rule.is_below else phrase("raised at {at} or more", at=at)
    cleared = (
        phrase("cleared at {at} or more", at=back) if rule.is_below else phrase("cleared at {at} or less", at=back)
    )
    after = phrase("after {wait}", wait=_minutes(rule.raise_after)) if rule.raise_after else ""
    again = phrase("after {wait}", wait=_minutes(rule.clear_after)) if rule.clear_after else ""
    apart = phrase("at most every {wait}", wait=_minutes(rule.apart)) if rule.apart else ""
    limit = phrase("limit {limit}", limit=figured(rule.limit_kw, "kW")) if rule.limit_kw is not None else ""
    parts = (joined((raised, after)), joined((cleared, again)), apart, limit)
    return joined([part for part in parts if part], ", ")


def _threshold(kind: Kind, value: Decimal, currency: str) -> Said:
    """A threshold in the unit of its kind."""
    if kind in PRICES:
        return phrase("{price} for a kWh", price=_money(value, currency))
    return FORMS[kind].figure(value)


def _money(value: Decimal, currency: str) -> Money:
    """Major units as an amount."""
    return priced(value.scaleb(digits_of(currency)), currency)


def _minutes(span: timedelta) -> str:
    """A span as people say it; its units are the same in every language of ours."""
    minutes = int(span.total_seconds()) // 60
    hours, rest = divmod(minutes, 60)
    parts = [(hours, "h"), (rest, "min")] if minutes else [(int(span.total_seconds()), "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
