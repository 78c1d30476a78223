"""What goes when a person is forgotten, derived from the register: every personal column is handled, or a test fails.

A row goes with its person where all that is personal in it is kept as long as an account, or for some days. What is
kept as the session stays without a person: its card is renamed (`store/renaming`). What tax law, the books and the
log keep stays by an id that leads to nobody, once the person's key is destroyed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Table

from wattkeeper.store.columns import Basis, Retention
from wattkeeper.store.log import source
from wattkeeper.store.tables import metadata
from wattkeeper.store.unit import Unit

PASSING = frozenset({Retention.ACCOUNT, Retention.DAYS_30, Retention.DAYS_90})
LASTING = frozenset({Retention.TAX, Retention.BOOKS, Retention.LOG})


class Whose(StrEnum):
    """By what a row is a person's."""

    PERSON = "persons"
    ACCOUNT = "accounts"
    GRANT = "grants"
    CARD = "cards"


BY_NAME: Mapping[str, Whose] = {
    "person_id": Whose.PERSON,
    "account_id": Whose.ACCOUNT,
    "grant_id": Whose.GRANT,
    "ref": Whose.CARD,
    "token": Whose.CARD,
}
"""What a column of this name says; the first that a table has decides."""
BY_TABLE: Mapping[str, tuple[str, Whose, str]] = {
    "person": ("id", Whose.PERSON, ""),
    "subject_key": ("subject", Whose.PERSON, ""),
    "blind_index": ("name", Whose.CARD, ""),
    "security_event": ("subject", Whose.ACCOUNT, ""),
    "pay_way": ("subject", Whose.PERSON, " AND kind = 'driver'"),
}
"""Tables that say it by another name."""
STAYS: Mapping[str, str] = {
    "api_token": "A program's, not a person's; who made it stands there by an id.",
    "app_client": "An app's, not a person's.",
    "card_group": "A group of cards; who made it stands there by an id.",
    "payment_event": "What the provider told, by its own id; it passes after 90 days.",
    "orders": "What a station was asked, by whom as an id; numbers of cards in it go when it is settled, or now.",
    "knock": "A station that is not known here.",
    "station": "Who admitted it, by an id.",
    "meter_key": "Who pinned it, by an id.",
    "meter_rule": "Who ruled so, by an id.",
    "reading": "A session's energy, without a person.",
    "session": "Energy, place and time, its card renamed.",
    "journal": "What stations told, its cards renamed; what names a card in what was sealed goes with the key.",
    "decision": "What a station was told about a card, which is renamed.",
    "phone_start": "What a start became, its token renamed, its person and account taken out.",
    "list_content": "What a station's list says, its cards renamed, until the list no longer holds it.",
    "log_name": "What leaves of the log say instead of a card, which is renamed and whose salt is destroyed.",
    "pin": "By which price a session is billed; a person stands there by an id that leads to nobody.",
    "due": "That a session is to be looked at.",
    "tallied": "What a session added to totals, without a person.",
    "untallied": "That a session is to be counted.",
    "attempt": "What was tried at a port, without a person.",
    "exclusion": "Why an outage does not count; who says so stands there by an id.",
    "unchecked": "That a session's signed values are to be checked.",
    "signed_record": "Keyed marks of what a meter signed.",
    "tariff": "A price; who set it stands there by an id.",
    "tariff_assignment": "Which price holds for whom; a person stands there by an id that leads to nobody.",
    "site_share": "What a host is paid: a business, and part of the books.",
    "grid_reading": "Who entered a reading, by an id.",
    "site_terms": "What a site's energy costs; who entered it, by an id.",
}
"""What outlives its person, or is nobody's in particular, and why that may be."""
EMPTIED: Mapping[str, tuple[str, ...]] = {"phone_start": ("person_id", "account_id")}
"""Columns that name a person in a row that stays: emptied."""


@dataclass(frozen=True, slots=True)
class Going:
    """A table whose rows go with their person, and by which column they are theirs."""

    table: str
    column: str
    whose: Whose
    only: str = ""


def personal(table: Table) -> list[str]:
    """The columns of a table that are kept about people."""
    return [column.name for column in table.columns if column.info["basis"] is not Basis.NONE]


def overlooked() -> list[str]:
    """Tables with something personal of which nobody says what becomes of it: a test holds that there is none."""
    return [table for table, found in _rules() if found is None]


def going() -> Iterator[Going]:
    """Every table whose rows go with their person."""
    yield from (Going(table, *found) for table, found in _rules() if found is not None)


def _rules() -> Iterator[tuple[str, tuple[str, Whose, str] | None]]:
    """Each table that goes, and by which column; None where that cannot be told."""
    for table in metadata.sorted_tables:
        kept = {table.c[name].info["retention"] for name in personal(table)}
        if not kept or kept <= LASTING or table.name in STAYS:
            continue
        found = BY_TABLE.get(table.name) or _by_name(table)
        yield str(table.name), found if kept & PASSING else None


def _by_name(table: Table) -> tuple[str, Whose, str] | None:
    return next(((name, whose, "") for name, whose in BY_NAME.items() if name in table.c), None)


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who is to be forgotten, and by which ids what is theirs is found."""

    persons: list[str]
    accounts: list[str] = field(default_factory=list)
    grants: list[str] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)

    def ids(self, whose: Whose) -> list[str]:
        """Their ids of one kind."""
        found: list[str] = getattr(self, whose.value)
        return found


async def gathered(unit: Unit, persons: Collection[str]) -> Leaving:
    """By which ids what is these persons' is found."""
    who = [*persons]
    accounts = await unit.select_in("SELECT id FROM account WHERE person_id IN {values}", who)
    cards = await unit.select_in("SELECT ref FROM card WHERE person_id IN {values}", who)
    ids = [row[0] for row in accounts]
    grants = await unit.select_in("SELECT id FROM app_grant WHERE account_id IN {values}", ids) if ids else []
    return Leaving(who, ids, [row[0] for row in grants], [row[0] for row in cards])


async def _say_gone(unit: Unit, leaving: Leaving) -> None:
    """Say in the log which rows go that it follows: whoever audits it then knows why they are missing."""
    for one in GOING:
        ids = leaving.ids(one.whose)
        if one.table in source.NAMED and ids:
            sql = f"SELECT {source.NAMED[one.table].key} FROM {one.table} WHERE {one.column} IN {{values}}{one.only}"
            refs = [str(row[0]) for row in await unit.select_in(sql, ids)]
            await source.gone(unit, one.table, refs, "forgotten")


async def delete(unit: Unit, leaving: Leaving) -> dict[str, int]:
    """Delete every row that goes; how many of each table."""
    await _say_gone(unit, leaving)
    done = {}
    for one in GOING:
        ids = leaving.ids(one.whose)
        if ids:
            which = f"DELETE FROM {one.table} WHERE {one.column} IN {{values}}{one.only}"
            count = await unit.change_in(which, ids)
            if count:
                done[one.table] = count
    for table, columns in EMPTIED.items():
        emptying = ", ".join(f"{column} = ''" for column in columns)
        await unit.change_in(f"UPDATE {table} SET {emptying} WHERE person_id IN {{values}}", leaving.persons)
    return done


GOING = tuple(going())
