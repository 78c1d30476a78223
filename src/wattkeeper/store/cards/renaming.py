"""A card's pseudonym is called otherwise, wherever it stands: the same card tapped again is a stranger to what was.

The journal, sessions, decisions and lists keep what happened; only the name of the card changes, from what can be
worked out of its number by who holds the pepper to chance. `rebuild` gives the same afterwards: the journal is renamed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wattkeeper.store.log import name as log_name
from wattkeeper.store.tables import decision, finding, journal, list_content, phone_start, session, sighting, step_up
from wattkeeper.store.unit import Unit

GONE = "gone:"
NAMES = re.compile(r"p[1-9][0-9]{0,3}:[0-9a-f]{32}")
"""The pseudonym of a card, as `vault.pseudonym` makes it."""
HOUSE = "house"
PLACES = {
    "decision": (decision.c.token,),
    "journal": (journal.c.body,),
    "list_content": (list_content.c.content,),
    "phone_start": (phone_start.c.ref,),
    "session": (session.c.token, session.c.key, session.c.fold),
}
"""Where a card's pseudonym stands in what outlives its holder."""
DROPPED = {"finding": (finding.c.token,), "sighting": (sighting.c.token,), "step_up": (step_up.c.token,)}
"""Where it stands in what goes with its holder."""

TOLD = """
SELECT n FROM decision WHERE token IN {names} UNION
SELECT j.n FROM session s JOIN journal j ON j.station_id = s.station_id
AND j.received_at BETWEEN s.known_at AND s.heard_at AND j.session_id = s.id WHERE s.id IN {sessions}
"""
THEIRS = """
SELECT id FROM session WHERE token IN {values} UNION
SELECT session_id FROM decision WHERE token IN {again} AND session_id IS NOT NULL
"""


def fresh(old: Iterable[str]) -> dict[str, str]:
    """A new name for each of these cards, by chance alone."""
    return {name: GONE + secrets.token_hex(16) for name in old}


async def rename(unit: Unit, names: Mapping[str, str]) -> dict[str, int]:
    """Call these cards otherwise, everywhere, in this transaction; how many rows of each table said so."""
    if not names:
        return {}
    await unit.flush()
    sessions = [row[0] for row in await unit.select_lists(THEIRS, values=[*names], again=[*names])]
    entries = await unit.select_lists(TOLD, names=[*names], sessions=sessions)
    done = {
        "session": await _sessions(unit, names, sessions),
        "journal": await _journal(unit, names, [int(row[0]) for row in entries]),
        "list_content": await _lists(unit, names),
    }
    for table, column in (("decision", "token"), ("phone_start", "ref"), ("card", "replaced_by")):
        done[table] = await _column(unit, table, column, names)
    await log_name.renamed(unit, names)
    return {table: count for table, count in done.items() if count}


def renamed(text: str, names: Mapping[str, str]) -> str:
    """A text in which every one of these cards is called by its new name."""
    return NAMES.sub(lambda found: names.get(found.group(), found.group()), text)


async def _sessions(unit: Unit, names: Mapping[str, str], ids: list[str]) -> int:
    rows = await unit.select_in("SELECT id, token, key, fold FROM session WHERE id IN {values}", ids)
    changed = []
    for identifier, *texts in rows:
        fresh_texts = [None if text is None else renamed(text, names) for text in texts]
        if fresh_texts != texts:
            changed.append((*fresh_texts, identifier))
    await _write(unit, "UPDATE session SET token = {}, key = {}, fold = {} WHERE id = {}", changed)
    return len(changed)


async def _journal(unit: Unit, names: Mapping[str, str], numbers: list[int]) -> int:
    """Rename in entries; what the house alone had sealed of them, which may hold a card's number, is destroyed."""
    changed, unsealed = [], []
    wanted = "SELECT n, body, sealed_for FROM journal WHERE n IN {values}"
    for n, body, sealed_for in await unit.select_numbers(wanted, numbers):
        told = renamed(body, names)
        if told != body:
            changed.append((told, n))
        if sealed_for == HOUSE:
            unsealed.append((n,))
    await _write(unit, "UPDATE journal SET body = {} WHERE n = {}", changed)
    await _write(unit, "UPDATE journal SET sealed = NULL, sealed_for = NULL WHERE n = {}", unsealed)
    return len(changed)


async def _lists(unit: Unit, names: Mapping[str, str]) -> int:
    """Rename in what stations' lists say; they are few, and their ids are nothing but names."""
    rows: list[Any] = [*await unit.connection.exec_driver_sql("SELECT id, content FROM list_content")]
    changed = [(told, row[0]) for row in rows if (told := renamed(row[1], names)) != row[1]]
    await _write(unit, "UPDATE list_content SET content = {} WHERE id = {}", changed)
    return len(changed)


async def _column(unit: Unit, table: str, column: str, names: Mapping[str, str]) -> int:
    """Rename in a column that holds nothing else."""
    found = await unit.select_in(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IN {{values}}", [*names])
    pairs = [(names[row[0]], row[0]) for row in found]
    await _write(unit, f"UPDATE {table} SET {column} = {{}} WHERE {column} = {{}}", pairs)
    return len(pairs)


async def _write(unit: Unit, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Run a change once for each row, its places marked ``{}``."""
    if rows:
        marks = (("?" if unit.is_sqlite else f"${place}") for place in range(1, sql.count("{}") + 1))
        await unit.connection.exec_driver_sql(sql.format(*marks), [*rows])
