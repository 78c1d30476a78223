"""Orders: what stations were asked to do, and what became of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.orders import (
    ChangeAvailability,
    Order,
    OrderState,
    Outcome,
    Reset,
    ResetKind,
    StartCharging,
    StopCharging,
    Trigger,
    Unlock,
)
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import retold
from wattkeeper.operations.dispatch import OrderView
from wattkeeper.store.sessions import session as sessions
from wattkeeper.store.stations import order as orders
from wattkeeper.store.stations.order import OrderRow
from wattkeeper.web.api.shapes import (
    INTEGER,
    PLAIN,
    Asked,
    Here,
    Identity,
    Nothing,
    OrdersReader,
    OrdersWriter,
    Paged,
    StationId,
    Told,
    Words,
    cut,
    place_of,
    session_id_of,
)
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["orders"])
Place = Annotated[int, Field(ge=0, le=2**31 - 1), INTEGER]
EVSE = "Which EVSE (1.6: which connector)."


class Listed(Told):
    """An order as listed."""

    id: str
    station: str
    kind: str = Field(description="The class of the order, such as `StartCharging`.")
    action: str | None = Field(description="The standard's word, once it was sent.")
    words: dict[str, Any] | None = Field(description="What was sent, tokens and keys masked.")
    state: OrderState
    outcome: Outcome | None
    summary: Words | None = Field(description="The outcome in a line.")
    by: Words
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None


class OrderShown(Listed):
    """An order with the station's answer."""

    answer: dict[str, Any] | None = Field(description="The station's answer in its own words.")


class OrderList(BaseModel):
    """Orders, the newest first."""

    items: list[Listed]
    next: str | None


class OrderFilter(Paged):
    """Which orders."""

    station: Identity | Nothing = None


ONE_OF: dict[str, Any] = {"oneOf": [{"required": ["card"]}, {"required": ["id_token"]}]}
CardRef = Annotated[str, StringConstraints(pattern=r"^p[0-9]{1,3}:[0-9a-f]{32}$")]
IdToken = Annotated[str, StringConstraints(min_length=1, max_length=36, pattern=r"^[\x20-\x7E]+$")]


class Start(Asked):
    """Start a session on a card: an enrolled one by `card`, or any by `id_token`."""

    model_config = ConfigDict(json_schema_extra=ONE_OF)

    order: Literal["start_charging"]
    card: CardRef | Nothing = Field(None, description="The pseudonym of an enrolled card.")
    id_token: IdToken | Nothing = Field(None, description="A token in the clear.")
    evse: Place | None = Field(None, description=EVSE)


class Stop(Asked):
    """Stop a session."""

    order: Literal["stop_charging"]
    session: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(description="Its id.")


class ResetOrder(Asked):
    """Restart the station, or in 2.x one EVSE."""

    order: Literal["reset"]
    kind: ResetKind = ResetKind.SOFT
    evse: Place | None = Field(None, description=EVSE)


class TriggerOrder(Asked):
    """Ask the station to send a message now."""

    order: Literal["trigger"]
    message: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,50}$")] = Field(description="The standard's word.")
    evse: Place | None = Field(None, description=EVSE)


class UnlockOrder(Asked):
    """Unlock a connector's cable."""

    order: Literal["unlock"]
    evse: Place = Field(description=EVSE)
    connector: Place = 1


class AvailabilityOrder(Asked):
    """Take the station, an EVSE or a connector out of service, or put it back."""

    order: Literal["change_availability"]
    operative: Annotated[bool, Field(strict=True)]
    evse: Place | None = Field(None, description=EVSE)
    connector: Place | None = None


Wanted = Annotated[
    Start | Stop | ResetOrder | TriggerOrder | UnlockOrder | AvailabilityOrder, Body(discriminator="order")
]
Wait = Annotated[int, Query(ge=0, le=60, description="How many seconds to wait for the station's answer."), PLAIN]


@router.get("/orders")
async def find_orders(rooms: Here, viewer: OrdersReader, wanted: Annotated[OrderFilter, Query()]) -> OrderList:
    """Orders, the newest first."""
    place = place_of(wanted.cursor)
    async with rooms.store.read() as connection:
        rows = await orders.newest(connection, viewer, wanted.limit + 1, wanted.station, place)
    kept, more = cut(rows, wanted.limit, lambda row: (row.created_at, row.id))
    said = await rooms.names.said(viewer, (row.by for row in kept))
    return OrderList(items=[_listed(row, said[row.by]) for row in kept], next=more)


@router.get("/orders/{order}")
async def show_order(
    rooms: Here, viewer: OrdersReader, order: Annotated[str, Path(pattern=r"^[0-9A-Za-z]{1,40}$")]
) -> OrderShown:
    """One order, with the station's answer."""
    return await _shown(rooms, viewer, await rooms.dispatch.view(order))


@router.post(
    "/stations/{station}/orders",
    responses={202: {"model": OrderShown, "description": "It is on its way; ask for it again by its id."}},
)
async def give_order(
    rooms: Here, viewer: OrdersWriter, station: StationId, wanted: Wanted, response: Response, wait: Wait = 0
) -> OrderShown:
    """Ask a station to do something: 200 where its answer came within `wait` seconds, else 202."""
    order = await _order(rooms, viewer, station, wanted)
    view = await rooms.dispatch.order(station, order, viewer.name, wait_s=wait)
    response.status_code = 202 if view.state in (OrderState.QUEUED, OrderState.SENT) else 200
    return await _shown(rooms, viewer, view)


async def _order(rooms: Rooms, viewer: Viewer, station: str, wanted: BaseModel) -> Order:
    """The order that is meant."""
    match wanted:
        case Start():
            return StartCharging(uid=await _token(rooms, wanted), evse=wanted.evse)
        case Stop():
            return StopCharging(ref=await _transaction(rooms, viewer, station, wanted.session))
        case ResetOrder():
            return Reset(kind=wanted.kind, evse=wanted.evse)
        case TriggerOrder():
            return Trigger(message=wanted.message, evse=wanted.evse)
        case UnlockOrder():
            return Unlock(evse=wanted.evse, connector=wanted.connector)
        case AvailabilityOrder():
            return ChangeAvailability(operative=wanted.operative, evse=wanted.evse, connector=wanted.connector)
    raise AssertionError("every order that is described is understood")


async def _token(rooms: Rooms, wanted: Start) -> str:
    """The token to start on; Refusal INVALID, NOT_FOUND."""
    if wanted.card is not None and wanted.id_token is None:
        return await rooms.cards.reveal(wanted.card)
    if wanted.id_token is not None and wanted.card is None:
        return wanted.id_token
    raise Refusal(Code.INVALID, phrase("Name either an enrolled `card` or an `id_token`."))


async def _transaction(rooms: Rooms, viewer: Viewer, station: str, spoken: str) -> str:
    """The station's own transaction id of one of its sessions; Refusal NOT_FOUND, CONFLICT."""
    async with rooms.store.read() as connection:
        row = await sessions.one(connection, viewer, session_id_of(spoken))
    if row is None or row.station != station:
        raise Refusal(Code.NOT_FOUND, phrase("There is no such session at this station."))
    if row.ref is None:
        raise Refusal(
            Code.CONFLICT, phrase("The station never named a transaction for this session, so it cannot be told.")
        )
    return row.ref


async def _shown(rooms: Rooms, viewer: Viewer, view: OrderView) -> OrderShown:
    """An order with the station's answer, and who asked."""
    said = await rooms.names.said(viewer, [view.by])
    return OrderShown.model_validate(replace(view, by=said[view.by], summary=_again(view.summary)))


def _listed(row: OrderRow, by: str) -> Listed:
    plain = {name: getattr(row, name) for name in Listed.model_fields if name not in ("words", "by", "summary")}
    words = json.loads(row.words) if row.words else None
    return Listed(**plain, by=by, words=words, summary=_again(row.summary))


def _again(summary: str | None) -> str | None:
    """The outcome in a line: our words told anew, the station's as they are."""
    return None if summary is None else retold(summary)
