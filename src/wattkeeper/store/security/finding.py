"""Findings of the security audit with their history, and its runs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import security_audit, security_finding
from wattkeeper.store.unit import Unit

F, A = security_finding.c, security_audit.c


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding as kept: one for as long as it is seen in every audit."""

    id: str
    code: str
    subject: str
    severity: str
    figures: Mapping[str, Any]
    first_at: datetime
    last_at: datetime
    gone_at: datetime | None
    accepted_at: datetime | None
    accepted_by: str | None
    accepted_until: datetime | None
    accepted_why: bytes | None
    """The reason given, sealed."""

    def is_accepted(self, now: datetime) -> bool:
        """Whether somebody accepted it, and that still holds."""
        return self.accepted_until is not None and self.accepted_until > now


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One run of the audit."""

    at: datetime
    by: str
    checks: Sequence[Mapping[str, Any]]
    """Each with its ``name``, how much it ``looked`` at, and why something was ``unchecked``."""
    found: Mapping[str, int]
    """How many findings of each severity, accepted ones too."""


async def standing(connection: AsyncConnection) -> list[FindingRow]:
    """Every finding that is not gone, the oldest first."""
    asked = select(security_finding).where(F.gone_at.is_(None)).order_by(F.first_at, F.id)
    return [_row(row) for row in await connection.execute(asked)]


async def find(connection: AsyncConnection, viewer: Viewer) -> list[FindingRow]:
    """Every finding that is not gone (scope security:read)."""
    viewer.need(Scope.SECURITY_READ)
    return await standing(connection)


async def gone(connection: AsyncConnection, viewer: Viewer, limit: int) -> list[FindingRow]:
    """The findings that went last (scope security:read)."""
    viewer.need(Scope.SECURITY_READ)
    asked = select(security_finding).where(F.gone_at.is_not(None)).order_by(F.gone_at.desc(), F.id).limit(limit)
    return [_row(row) for row in await connection.execute(asked)]


async def by_id(connection: AsyncConnection, identifier: str) -> FindingRow | None:
    """The finding with this id."""
    row = (await connection.execute(select(security_finding).where(F.id == identifier))).first()
    return None if row is None else _row(row)


async def appear(unit: Unit, code: str, subject: str, severity: str, figures: Mapping[str, Any]) -> None:
    """Keep a finding that was not there before."""
    values = {"id": secrets.token_hex(8), "code": code, "subject": subject, "severity": severity}
    values |= {"figures": orjson.dumps(figures).decode()}
    times = {"first_at": unit.now, "last_at": unit.now}
    await unit.connection.execute(insert(security_finding).values(values | times))


async def seen(unit: Unit, identifier: str, severity: str, figures: Mapping[str, Any], *, graver: bool) -> None:
    """Note that a finding is there still; where it is ``graver`` than before, what was accepted is not any more."""
    values: dict[str, Any] = {"last_at": unit.now, "severity": severity, "figures": orjson.dumps(figures).decode()}
    if graver:
        values |= {"accepted_at": None, "accepted_by": None, "accepted_until": None, "accepted_why": None}
    await unit.connection.execute(update(security_finding).where(F.id == identifier).values(values))


async def vanish(unit: Unit, identifiers: Sequence[str]) -> None:
    """Note that findings are not there any more."""
    which = F.id.in_(identifiers)
    await unit.connection.execute(update(security_finding).where(which).values(gone_at=unit.now))


async def accept(unit: Unit, identifier: str, by: str, until: datetime, why: bytes) -> bool:
    """Accept a finding until then; False where it is gone."""
    values = {"accepted_at": unit.now, "accepted_by": by, "accepted_until": until, "accepted_why": why}
    which = (F.id == identifier) & F.gone_at.is_(None)
    return bool((await unit.connection.execute(update(security_finding).where(which).values(values))).rowcount)


async def reconsider(unit: Unit, identifier: str) -> bool:
    """Take an acceptance back; False where there is none."""
    values = {"accepted_at": None, "accepted_by": None, "accepted_until": None, "accepted_why": None}
    which = (F.id == identifier) & F.accepted_until.is_not(None)
    return bool((await unit.connection.execute(update(security_finding).where(which).values(values))).rowcount)


# --- runs -----------------------------------------------------------------------------------------------


async def ran(unit: Unit, by: str, checks: Sequence[Mapping[str, Any]], found: Mapping[str, int]) -> None:
    """Write down one run; of two at the same instant the later."""
    at, told = to_micros(unit.now), (orjson.dumps(checks).decode(), orjson.dumps(found).decode())
    unit.upsert(security_audit, (at,), (at, by, *told))
    await unit.flush()


async def runs(connection: AsyncConnection, limit: int) -> list[AuditRow]:
    """The newest runs."""
    rows = await connection.execute(select(security_audit).order_by(A.at.desc()).limit(limit))
    return [AuditRow(row.at, row.by, orjson.loads(row.checks), orjson.loads(row.found)) for row in rows]


def _row(row: Any) -> FindingRow:
    """A row of the table."""
    times = (row.first_at, row.last_at, row.gone_at)
    accepted = (row.accepted_at, row.accepted_by, row.accepted_until, row.accepted_why)
    return FindingRow(row.id, row.code, row.subject, row.severity, orjson.loads(row.figures), *times, *accepted)
