"""Any command as the standard words it, sent as given."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.orders import AnyCommand, Outcome
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import retold
from wattkeeper.operations.dispatch import OrderView
from wattkeeper.web.api.shapes import PLAIN, Here, OrdersWriter, StationId, Words

router = APIRouter(tags=["any command"])
Action = Annotated[str, Path(pattern=r"^[A-Za-z]{1,50}$", description="The standard's word, such as `ClearCache`.")]
SECONDS = "How many seconds to wait for the station's answer."
Patience = Annotated[int, Query(alias="timeout", ge=1, le=120, description=SECONDS), PLAIN]


class StationError(BaseModel):
    """A CALLERROR, in the station's words."""

    code: str
    description: str
    details: dict[str, Any]


class Answered(BaseModel):
    """The station answered."""

    outcome: Literal["accepted", "rejected"]
    action: str
    order: str = Field(description="The id under which the command is kept.")
    payload: dict[str, Any] = Field(description="The station's answer as it came.")


class Failed(BaseModel):
    """The station answered with an error."""

    outcome: Literal["error"]
    action: str
    order: str
    error: StationError


class Unanswered(BaseModel):
    """The station did not answer in time."""

    outcome: Literal["timeout"]
    action: str
    order: str
    summary: Words = Field(description="Why there is no answer: none in time, or the connection was lost.")


Told = Annotated[Answered | Failed | Unanswered, Field(discriminator="outcome")]
NOT_IN_TIME = phrase("The station did not answer in time.")
PAYLOAD = {
    "required": True,
    "content": {"application/json": {"schema": {"type": "object", "description": "The standard's own payload."}}},
}


@router.post("/stations/{station}/ocpp/{action}", openapi_extra={"requestBody": PAYLOAD})
async def command(
    rooms: Here, viewer: OrdersWriter, station: StationId, action: Action, request: Request, patience: Patience = 30
) -> Told:
    """Send a command and return what the station answers.

    The payload is sent as given: nothing is added, dropped or checked against what is going on. Rejected, a CALLERROR
    and no answer in time are outcomes (200). A station without a connection is a problem: `station_not_connected`.
    """
    order = AnyCommand(action=action, payload=_payload(await request.body()))
    view = await rooms.dispatch.order(station, order, viewer.name, wait_s=patience, only_if_connected=True)
    return _told(view, action)


def _payload(body: bytes) -> dict[str, Any]:
    """The payload of a body; Refusal (INVALID) where it is no JSON object."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        payload = None
    if not isinstance(payload, dict):
        raise Refusal(Code.INVALID, phrase("The body must be a JSON object: the command's payload."))
    return payload


def _told(view: OrderView, action: str) -> Told:
    """What became of a command."""
    answer = dict(view.answer or {})
    if view.outcome is Outcome.ERROR:
        return Failed(outcome="error", action=action, order=view.id, error=_error(answer))
    if view.outcome is Outcome.ACCEPTED:
        return Answered(outcome="accepted", action=action, order=view.id, payload=answer)
    if view.outcome is Outcome.REJECTED:
        return Answered(outcome="rejected", action=action, order=view.id, payload=answer)
    return Unanswered(outcome="timeout", action=action, order=view.id, summary=retold(view.summary or NOT_IN_TIME))


def _error(answer: dict[str, Any]) -> StationError:
    """The members of a CALLERROR."""
    details = answer.get("details")
    told = {name: str(answer.get(name, "")) for name in ("code", "description")}
    return StationError(**told, details=details if isinstance(details, dict) else {})
