"""What hosts of sites get: agreements kept one after the other, and what accrued in the books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.ledger import AccountKind, EntryKind, account
from wattkeeper.charging.money.payments.share import Share, ShareKind
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.tables import bill, ledger_entry, ledger_line, site_share
from wattkeeper.store.unit import Unit

S, E, L, B = site_share.c, ledger_entry.c, ledger_line.c, bill.c
WHOLE = select(S.n, S.site, S.host, S.kind, S.value, S.created_at, S.created_by)


async def agree(unit: Unit, site: str, host: str, kind: ShareKind | None, value: Decimal | None, by: str) -> Share:
    """Keep another agreement, for what is billed from now on."""
    n = int(await unit.connection.scalar(select(func.max(S.n))) or 0) + 1
    told: dict[str, Any] = {"n": n, "site": site, "host": host, "kind": kind and kind.value, "value": value}
    await unit.connection.execute(insert(site_share).values(told | {"created_at": unit.now, "created_by": by}))
    return Share(n, site, host, kind, value, unit.now, by)


async def valid_at(connection: AsyncConnection, site: str, at: datetime) -> Share | None:
    """The agreement that holds for what is billed at a site at an instant."""
    wanted = WHOLE.where(S.site == site, S.created_at <= at).order_by(S.n.desc()).limit(1)
    row = (await connection.execute(wanted)).first()
    return None if row is None else _share(row)


async def agreements(connection: AsyncConnection, viewer: Viewer) -> list[Share]:
    """The newest agreement of each site, by site (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    newest = select(func.max(S.n)).group_by(S.site)
    return [_share(row) for row in await connection.execute(WHOLE.where(S.n.in_(newest)).order_by(S.site))]


@dataclass(frozen=True, slots=True)
class Accrued:
    """What a host gets of one document, minor units; or gives back, below zero."""

    entry: int
    number: str
    at: datetime
    energy_wh: Decimal
    net_minor: int
    share_minor: int


async def accrued(
    connection: AsyncConnection, site: str, currency: str, after: int, until: int, limit: int | None = None
) -> list[Accrued]:
    """What accrued to the host of a site between two entries of the ledger: for deeds and statements."""
    host = account(AccountKind.HOST, site)
    wanted = select(E.n, E.ref, E.at, B.energy_wh, B.net_minor, -L.amount_minor)
    wanted = wanted.join(ledger_line, L.entry == E.n).join(bill, B.number == E.ref, isouter=True)
    wanted = wanted.where(E.kind == EntryKind.SHARE.value, L.account == host, L.currency == currency)
    wanted = wanted.where(E.n > after, E.n <= until).order_by(E.n).limit(limit)
    return [
        Accrued(n, ref, at, wh or Decimal(0), net or 0, s)
        for n, ref, at, wh, net, s in await connection.execute(wanted)
    ]


def _share(row: Any) -> Share:
    """An agreement of its row."""
    n, site, host, kind, value, at, by = row
    return Share(n, site, host, None if kind is None else ShareKind(kind), value, at, by)
