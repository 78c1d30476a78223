"""What is to be known of people before they are forgotten: for one person or a thousand, by the same few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from wattkeeper.charging.money.ledger import AccountKind, account
from wattkeeper.charging.privacy.erasure import Obstacle, Recipient, Telling, What
from wattkeeper.store.cards.renaming import NAMES
from wattkeeper.store.columns import from_micros, from_millionths, to_micros
from wattkeeper.store.privacy.leaving import GOING, Leaving, Whose
from wattkeeper.store.unit import Unit

SPEAKS_2 = "ocpp2"
"""How the names of dialects begin in which a station can be asked to forget a customer."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose each account, grant and card is."""

    by: Mapping[Whose, Mapping[str, str]]

    @property
    def cards(self) -> Mapping[str, str]:
        """Whose each card is."""
        return self.by[Whose.CARD]

    def sum(self, rows: list[Any], whose: Whose) -> dict[str, int]:
        """Counts by id as counts by person."""
        found: dict[str, int] = defaultdict(int)
        for one, count in rows:
            found[self.by[whose][one]] += int(count)
        return found


async def owners(unit: Unit, leaving: Leaving) -> Owners:
    """Whose each of these is."""
    accounts = dict(
        map(tuple, await unit.select_in("SELECT id, person_id FROM account WHERE id IN {values}", leaving.accounts))
    )
    cards = dict(
        map(tuple, await unit.select_in("SELECT ref, person_id FROM card WHERE ref IN {values}", leaving.cards))
    )
    grants = await unit.select_in("SELECT id, account_id FROM app_grant WHERE id IN {values}", leaving.grants)
    by_grant = {grant: accounts[whose] for grant, whose in grants}
    persons = {person: person for person in leaving.persons}
    return Owners({Whose.PERSON: persons, Whose.ACCOUNT: accounts, Whose.CARD: cards, Whose.GRANT: by_grant})


async def rows_of(unit: Unit, leaving: Leaving, whose: Owners) -> dict[str, dict[str, int]]:
    """How many rows of each table would go, by person."""
    found: dict[str, dict[str, int]] = {person: {} for person in leaving.persons}
    for one in GOING:
        ids = leaving.ids(one.whose)
        if not ids:
            continue
        sql = f"SELECT {one.column}, count(*) FROM {one.table} WHERE {one.column} IN {{values}}{one.only} GROUP BY 1"
        for person, count in whose.sum(await unit.select_in(sql, ids), one.whose).items():
            found[person][one.table] = count
    return found


async def sessions_of(unit: Unit, whose: Owners) -> dict[str, tuple[int, Decimal, int]]:
    """How many sessions each person's cards have, their energy in Wh, and how many of them run."""
    sql = "SELECT token, count(*), sum(energy_wh), sum(CASE WHEN live THEN 1 ELSE 0 END) FROM session"
    found: dict[str, tuple[int, Decimal, int]] = {}
    for token, count, energy, live in await unit.select_in(
        f"{sql} WHERE token IN {{values}} GROUP BY 1", [*whose.cards]
    ):
        before = found.get(whose.cards[token], (0, Decimal(0), 0))
        wh = from_millionths(int(energy or 0))
        found[whose.cards[token]] = (before[0] + int(count), before[1] + wh, before[2] + int(live))
    return found


@dataclass(frozen=True, slots=True)
class Documents:
    """What tax law keeps of a person."""

    count: int
    newest: datetime
    gross: Mapping[str, int]


async def documents_of(unit: Unit, persons: list[str]) -> dict[str, Documents]:
    """Bills and monthly invoices of each person; what the bills come to, by currency."""
    sql = "SELECT person_id, currency, count(*), max(issued_at), sum({}) FROM {}"
    sql += " WHERE person_id IN {{values}} GROUP BY 1, 2"
    found: dict[str, Documents] = {}
    for table, column in (("bill", "gross_minor"), ("monthly_invoice", "0")):
        for person, currency, count, newest, gross in await unit.select_in(sql.format(column, table), persons):
            at = from_micros(int(newest))
            known = found.get(person, Documents(0, at, {}))
            sums = {**known.gross, currency: known.gross.get(currency, 0) + int(gross)}
            found[person] = Documents(known.count + int(count), max(known.newest, at), sums)
    return found


async def told_of(unit: Unit, whose: Owners) -> dict[str, set[Telling]]:
    """Which stations must forget each person's cards, and what the payment provider must."""
    found: dict[str, set[Telling]] = defaultdict(set)
    seen = (
        "SELECT DISTINCT t.token, t.station_id, s.version FROM (SELECT token, station_id FROM decision WHERE token IN"
        " {values} UNION SELECT token, station_id FROM session WHERE token IN {again}) t"
        " JOIN station ON station.id = t.station_id LEFT JOIN station_state s ON s.station_id = t.station_id"
    )
    cards = [*whose.cards]
    for token, station, version in await unit.select_lists(seen, values=cards, again=cards):
        told = found[whose.cards[token]]
        told.add(Telling(Recipient.STATION, station, What.CACHE))
        if str(version or "").startswith(SPEAKS_2):
            told.add(Telling(Recipient.STATION, station, What.CUSTOMER))
    for token, station in await _listed(unit, whose.cards):
        found[whose.cards[token]].add(Telling(Recipient.STATION, station, What.LIST))
    means = "SELECT person_id, provider FROM payment_means WHERE person_id IN {values} AND method IS NOT NULL"
    for person, provider in await unit.select_in(means, [*whose.by[Whose.PERSON]]):
        found[person].add(Telling(Recipient.PROVIDER, provider, What.MEANS))
    return found


async def _listed(unit: Unit, cards: Mapping[str, str]) -> list[tuple[str, str]]:
    """Which of these cards stand in which station's list, as confirmed or under way."""
    asked = "SELECT id, content FROM list_content"
    rows: list[Any] = [*await unit.connection.exec_driver_sql(asked)] if cards else []
    named = {row[0]: {ref for ref in NAMES.findall(row[1]) if ref in cards} for row in rows}
    named = {one: refs for one, refs in named.items() if refs}
    if not named:
        return []
    sql = "SELECT station_id, content FROM local_list WHERE content IN {a} UNION ALL"
    sql += " SELECT station_id, sending_content FROM local_list WHERE sending_content IN {b}"
    lists = await unit.select_lists(sql, a=[*named], b=[*named])
    return [(ref, row[0]) for row in lists for ref in named[row[1]]]


# --- what stands in the way ---------------------------------------------------------------------------


async def obstacles_of(unit: Unit, persons: list[str], whose: Owners) -> dict[str, set[Obstacle]]:
    """What stands in the way of forgetting each person, but for sessions that run."""
    found: dict[str, set[Obstacle]] = defaultdict(set)
    by_card = "SELECT DISTINCT s.token FROM session s JOIN {} x ON x.session_id = s.id WHERE s.token IN {{values}}{}"
    now = to_micros(unit.now)
    stands = f"until > {now} AND ended_at IS NULL"
    asked: list[tuple[Obstacle, str, Whose]] = [
        (
            Obstacle.HELD,
            f"SELECT subject FROM legal_hold WHERE kind = 'person' AND {stands} AND subject IN {{values}}",
            Whose.PERSON,
        ),
        (
            Obstacle.HELD,
            "SELECT DISTINCT s.token FROM session s JOIN legal_hold x ON x.subject = s.id AND x.kind = 'session'"
            f" AND x.{stands.replace('ended_at', 'x.ended_at')} WHERE s.token IN {{values}}",
            Whose.CARD,
        ),
        (Obstacle.UNBILLED, by_card.format("due", ""), Whose.CARD),
        (Obstacle.UNBILLED, by_card.format("hold", " AND x.state = 'open'"), Whose.CARD),
        (
            Obstacle.PAYING,
            "SELECT DISTINCT person_id FROM payment WHERE person_id IN {values} AND kind <> 'setup' AND state IN"
            " ('asked', 'waiting', 'authorised')",
            Whose.PERSON,
        ),
    ]
    for obstacle, sql, by in asked:
        ids = [*whose.by[by]]
        for (one,) in await unit.select_in(sql, ids) if ids else []:
            found[whose.by[by][one]].add(obstacle)
    await _balances(unit, persons, found)
    await _last_owner(unit, whose, found)
    return found


async def _balances(unit: Unit, persons: list[str], found: dict[str, set[Obstacle]]) -> None:
    """Who owes, and who paid ahead."""
    kinds: tuple[tuple[AccountKind, Obstacle, Callable[[int], bool]], ...] = (
        (AccountKind.OWED, Obstacle.OWES, lambda amount: amount > 0),
        (AccountKind.PREPAID, Obstacle.CREDIT, lambda amount: amount < 0),
    )
    for kind, obstacle, holds in kinds:
        whose = {account(kind, person): person for person in persons}
        sql = "SELECT account, amount_minor FROM ledger_balance WHERE account IN {values}"
        for name, amount in await unit.select_in(sql, [*whose]):
            if holds(int(amount)):
                found[whose[name]].add(obstacle)


async def _last_owner(unit: Unit, whose: Owners, found: dict[str, set[Obstacle]]) -> None:
    """Whoever is among the owners, where none of them would be left."""
    rows = (
        await unit.connection.exec_driver_sql("SELECT id FROM account WHERE role = 'owner' AND state = 'active'")
    ).all()
    ours = whose.by[Whose.ACCOUNT]
    if rows and all(one in ours for (one,) in rows):
        for (one,) in rows:
            found[ours[one]].add(Obstacle.LAST_OWNER)
