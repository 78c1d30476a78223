"""The archive of one person (GDPR Art. 15 and 20): everything that is kept about them, and nothing of anybody else.

A ZIP that is made while it is read, so that it is never whole on disk: ``data.json`` with ``schema.json``, CSV for
people, and a page that says what is in it.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.language import spoken
from wattkeeper.operations.people.letters.links import Links
from wattkeeper.operations.privacy.archive_page import page, said_in
from wattkeeper.operations.privacy.asked import need_asked
from wattkeeper.operations.privacy.erasure.forgetting import NOBODY
from wattkeeper.operations.privacy.register.register import activities
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.people.secret_link import Purpose
from wattkeeper.store.privacy import leaving, own
from wattkeeper.store.privacy.leaving import Leaving
from wattkeeper.store.sessions import reading as readings
from wattkeeper.store.sessions import session
from wattkeeper.store.sessions.session import SessionRow, Sought
from wattkeeper.store.tables import metadata, subject_key
from wattkeeper.vault.keys import KeyRefused

FORMAT = "wattkeeper-archive-1"
PAGE = 200
"""Sessions read at a time."""
MOST_READINGS = 100_000
CHUNK = 64 * 1024


@dataclass(slots=True)
class Sink(io.RawIOBase):
    """Where a ZIP is written to, and read from piece by piece; it cannot go back."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Take some bytes."""
        self.parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        told, self.parts, self.size = b"".join(self.parts), [], 0
        return told


class Archives:
    """Makes people's archives."""

    def __init__(self, store: Store, safe: Safe, settings: Settings) -> None:
        self._store = store
        self._safe = safe
        self._settings = settings
        self._links = Links(safe)

    # --- who may have it ------------------------------------------------------------------------------

    async def ticket(self, viewer: Viewer) -> str:
        """A code that is good once, for five minutes, for the viewer's own archive; Refusal PROOF, FORBIDDEN."""
        viewer.need_own(Scope.ACCOUNT_READ)
        viewer.need_fresh(self._store.clock())
        async with self._store.unit() as unit:
            return await self._links.make(unit, Purpose.ARCHIVE, viewer.account, {"person": viewer.person})

    async def by_ticket(self, viewer: Viewer, code: str) -> AsyncIterator[bytes]:
        """The viewer's own archive, piece by piece; Refusal NOT_FOUND where the code is not theirs or was used."""
        person = viewer.need_own(Scope.ACCOUNT_READ)
        async with self._store.unit() as unit:
            link = await self._links.spend(unit, code, Purpose.ARCHIVE)
        if link.account != viewer.account or link.about.get("person") != person:
            raise Refusal(Code.NOT_FOUND, NOBODY)
        return await self._begun(person, viewer.account)

    async def mine(self, viewer: Viewer) -> AsyncIterator[bytes]:
        """The viewer's own archive, piece by piece; Refusal PROOF, FORBIDDEN."""
        person = viewer.need_own(Scope.ACCOUNT_READ)
        viewer.need_fresh(self._store.clock())
        return await self._begun(person, viewer.account)

    async def of(self, viewer: Viewer, person: str) -> AsyncIterator[bytes]:
        """Somebody's archive, to be handed to them (scope privacy:write); the door that hands it out says so (`look`).

        Refusal NOT_FOUND; PROOF; CONFLICT where they did not ask, or nobody noted how they proved who they are.
        """
        viewer.need(Scope.PRIVACY_WRITE)
        if viewer.account:
            viewer.need_fresh(self._store.clock())
        begun = await self._begun(person, "")
        async with self._store.unit() as unit:
            if viewer.account:
                await need_asked(unit, person)
            body = {"what": "archive", "purpose": "privacy_request"}
            await deed.enter(unit, DeedKind.LOOKED, viewer.name, person, body)
        return begun

    # --- what is in it --------------------------------------------------------------------------------

    async def _begun(self, person: str, account: str) -> AsyncIterator[bytes]:
        """Gather what is small; Refusal NOT_FOUND where there is no such person."""
        async with self._store.unit() as unit:
            going = await leaving.gathered(unit, [person])
            wrapped = await unit.connection.scalar(select(subject_key.c.wrapped).where(subject_key.c.subject == person))
            known = await unit.select_in("SELECT id FROM person WHERE id IN {values}", [person])
        if wrapped is None or not known:
            raise Refusal(Code.NOT_FOUND, NOBODY)
        ours = frozenset({account, *going.accounts} - {""})
        return self._pieces(person, going, bytes(wrapped), ours, spoken())

    async def _pieces(
        self, person: str, going: Leaving, wrapped: bytes, ours: frozenset[str], language: str
    ) -> AsyncIterator[bytes]:
        """The ZIP, as it is made; nothing of the database is held while whoever asked takes their time."""
        sink = Sink()
        viewer = Viewer("archive", Role.DRIVER, own=frozenset(Scope), person=person)
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as box:
            async with self._store.read() as connection:
                told = await self._told(connection, person, going, wrapped, ours) | said_in(language)
            for name, text in self._small(told, language):
                box.writestr(name, text)
                yield sink.taken()
            async for piece in _sessions(self._store, viewer, box, sink):
                yield piece
        yield sink.taken()

    async def _told(
        self, connection: AsyncConnection, person: str, going: Leaving, wrapped: bytes, ours: frozenset[str]
    ) -> dict[str, Any]:
        """Everything but sessions and readings."""

        def opened(table: str, column: str, sealed: bytes) -> Any:
            try:
                plain = self._safe.unseal_by(wrapped, person, table, column, sealed)
                return _plain(plain)
            except KeyRefused:
                return None

        since = await own.held_since(connection, person)
        kept = {name: rows async for name, rows in own.rows(connection, going, since, opened, ours)}
        for row in kept.get("card", []):
            row.pop("sealed", None)  # the number of a card is shown to nobody, and opens a plug: its ending says which
        stays = {name: rows async for name, rows in own.stated(connection, person)}
        decisions = [row async for row in own.decided(connection, person)]
        return {
            "format": FORMAT,
            "made_at": self._store.clock(),
            "person": person,
            "kept_while_you_are_here": kept,
            "kept_longer": stays,
            "decisions_about_cards": decisions,
            "what_for": [_activity(one) for one in activities(metadata)],
        }

    def _small(self, told: Mapping[str, Any], language: str) -> Iterator[tuple[str, bytes]]:
        """The files that are no longer than a person's account."""
        yield "read-me.html", page(told, language).encode()
        yield "data.json", orjson.dumps(told, default=_json, option=orjson.OPT_INDENT_2)
        yield "schema.json", orjson.dumps(SCHEMA, option=orjson.OPT_INDENT_2)
        for name, rows in (*told["kept_while_you_are_here"].items(), *told["kept_longer"].items()):
            yield f"csv/{name}.csv", _table(rows).encode("utf-8-sig")


async def _sessions(store: Store, viewer: Viewer, box: zipfile.ZipFile, sink: Sink) -> AsyncIterator[bytes]:
    """Sessions with their readings: one line of JSON for each, and two tables for people."""
    tables = {"sessions.csv": io.StringIO(), "readings.csv": io.StringIO()}
    writers = {name: csv.writer(table) for name, table in tables.items()}
    writers["sessions.csv"].writerow(("session", "station", "started", "ended", "energy kWh", "state", "card ends in"))
    writers["readings.csv"].writerow(("session", "at", "register Wh", "power W", "charge %"))
    with box.open("sessions.jsonl", "w", force_zip64=True) as file:
        async for row, told in _each(store, viewer):
            file.write(orjson.dumps(told, default=_json) + b"\n")
            writers["sessions.csv"].writerow(
                (
                    told["id"],
                    row.station,
                    row.started_at,
                    row.ended_at or "",
                    _kwh(row),
                    row.state.value,
                    row.last2 or "",
                )
            )
            for one in told["readings"]:
                marks = (one.get("energy_wh", ""), one.get("power_w", ""), one.get("soc_percent", ""))
                writers["readings.csv"].writerow((told["id"], one["at"], *marks))
            if sink.size > CHUNK:
                yield sink.taken()
    for name, table in tables.items():
        box.writestr(f"csv/{name}", table.getvalue().encode("utf-8-sig"))
        yield sink.taken()


async def _each(store: Store, viewer: Viewer) -> AsyncIterator[tuple[SessionRow, dict[str, Any]]]:
    """A person's sessions, the newest first, each with its readings."""
    before: tuple[datetime, str] | None = None
    while rows := await _page_of(store, viewer, before):
        for row in rows:
            async with store.read() as connection:
                kept = await readings.of_session(connection, viewer, row.station, row.id, MOST_READINGS)
            told: dict[str, Any] = {"id": shown(row.id), "station": row.station, "evse": row.evse}
            told |= {"started_at": row.started_at, "ended_at": row.ended_at, "energy_wh": row.energy_wh}
            told |= {"state": row.state.value, "evidence": row.grade.value, "card": row.token, "by_phone": row.by_phone}
            told["readings"] = [_reading(one.reading) for one in kept]
            yield row, told
        before = (rows[-1].started_at, rows[-1].id)


async def _page_of(store: Store, viewer: Viewer, before: tuple[datetime, str] | None) -> list[SessionRow]:
    """The next sessions, each page at a snapshot of its own."""
    async with store.read() as connection:
        return await session.find(connection, viewer, Sought(), PAGE, before)


def _reading(one: Any) -> dict[str, Any]:
    """A reading, what was not measured left out."""
    values = {name: getattr(one, name) for name in one.__struct_fields__ if name not in ("rest", "signed", "context")}
    return {name: value for name, value in values.items() if value is not None}


# --- how it is written --------------------------------------------------------------------------------


SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": FORMAT,
    "type": "object",
    "required": ["format", "made_at", "person", "kept_while_you_are_here", "kept_longer", "decisions_about_cards"],
    "properties": {
        "format": {"const": FORMAT},
        "made_at": {"type": "string", "format": "date-time"},
        "person": {"type": "string"},
        "kept_while_you_are_here": {"$ref": "#/$defs/tables"},
        "kept_longer": {"$ref": "#/$defs/tables"},
        "decisions_about_cards": {"type": "array", "items": {"type": "object"}},
        "sources": {"type": "array", "items": {"type": "string"}},
        "what_for": {"type": "array", "items": {"$ref": "#/$defs/activity"}},
        "withheld": {"type": "string"},
        "automated_decisions": {"type": "string"},
    },
    "$defs": {
        "tables": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "object"}},
        },
        "activity": {
            "type": "object",
            "required": ["area", "bases", "retentions", "recipients"],
            "properties": {
                "area": {"type": "string"},
                "bases": {"type": "array", "items": {"type": "string"}},
                "retentions": {"type": "array", "items": {"type": "string"}},
                "recipients": {"type": "array", "items": {"type": "string"}},
            },
        },
    },
}


def _activity(one: Any) -> dict[str, Any]:
    """What is done with one area of what is kept."""
    told = {name: [value.value for value in getattr(one, name)] for name in ("bases", "retentions", "recipients")}
    return {"area": one.area.value, **told}


def _plain(plain: bytes) -> Any:
    """What was sealed: JSON where it is, a text otherwise."""
    try:
        return orjson.loads(plain)
    except orjson.JSONDecodeError:
        return plain.decode(errors="replace")


def _json(value: Any) -> Any:
    """What JSON has no word for."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def _kwh(row: SessionRow) -> str:
    return "" if row.energy_wh is None else f"{row.energy_wh / 1000:f}"


def _table(rows: list[dict[str, Any]]) -> str:
    """Rows as CSV that a spreadsheet reads and does not run."""
    names = [*dict.fromkeys(name for row in rows for name in row)]
    told = io.StringIO()
    writer = csv.writer(told)
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name, "")) for name in names])
    return told.getvalue()


def _cell(value: Any) -> str:
    text = orjson.dumps(value, default=_json).decode() if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
