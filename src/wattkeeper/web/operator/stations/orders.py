"""What stations were asked to do, and truthfully what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.orders import OrderState, Outcome
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import joined, phrase
from wattkeeper.language import retold
from wattkeeper.store.stations import order
from wattkeeper.store.stations.order import OrderRow
from wattkeeper.web.operator.paper import Look, Paper
from wattkeeper.web.operator.region import Region

NAMES = {
    "StartCharging": phrase("Start charging"),
    "StopCharging": phrase("Stop charging"),
    "Reset": phrase("Restart"),
    "Trigger": phrase("Ask for a message"),
    "Unlock": phrase("Unlock the connector"),
    "ChangeAvailability": phrase("Change availability"),
    "ShowMessage": phrase("Show the session’s id"),
    "AskDisplay": phrase("Ask what its display can show"),
    "ShowPrice": phrase("Show the price"),
    "ShowCost": phrase("Show the cost so far"),
    "ShowTotal": phrase("Show what it cost"),
    "SendLocalList": phrase("Send it the list of cards"),
    "GetLocalListVersion": phrase("Ask for the version of its list"),
    "GetListBounds": phrase("Ask how long its list may be"),
    "ClearCache": phrase("Make it forget remembered cards"),
    "AnyCommand": phrase("Command"),
}
OUTCOMES = {
    Outcome.ACCEPTED: Look(phrase("The station accepted it"), "full"),
    Outcome.REJECTED: Look(phrase("The station declined"), "look"),
    Outcome.ERROR: Look(phrase("The station answered with an error"), "look"),
    Outcome.TIMEOUT: Look(phrase("No answer"), "look"),
}
WAITING = {
    OrderState.QUEUED: Look(phrase("Waiting for the station to connect"), "none"),
    OrderState.SENT: Look(phrase("Sent, waiting for the answer"), "half"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """An order as a line of a page."""

    name: str
    look: Look
    detail: str
    by: str
    at: datetime


def asked(row: OrderRow) -> Asked:
    """An order in words."""
    name: str = NAMES.get(row.kind, row.kind)
    if row.action and row.kind in ("AnyCommand", "Trigger"):
        name = joined((name, row.action), ": ")
    look = OUTCOMES[row.outcome] if row.outcome else WAITING.get(row.state, Look(phrase("Expired"), "look"))
    detail = "" if row.outcome in (None, Outcome.ACCEPTED) else retold(row.summary or "")
    return Asked(name, look, detail, row.by, row.created_at)


async def newest(paper: Paper, connection: AsyncConnection, viewer: Viewer, limit: int, station: str) -> list[OrderRow]:
    """The newest orders to a station, with who asked by name; none for who may not see them."""
    if not viewer.may(Scope.ORDERS_READ):
        return []
    return await _named(paper, viewer, await order.newest(connection, viewer, limit, station))


async def _named(paper: Paper, viewer: Viewer, rows: Sequence[OrderRow]) -> list[OrderRow]:
    said = await paper.rooms.names.said(viewer, (row.by for row in rows))
    return [replace(row, by=said[row.by]) for row in rows]


def region(paper: Paper, rows: list[OrderRow], now: datetime) -> Region:
    """The orders' lines; nothing where nothing was asked."""
    printed = {f"o-{row.id}": paper.part("orders_parts.html", "order", f"o-{row.id}", asked(row), now) for row in rows}
    return Region("orders", printed, "ol")
