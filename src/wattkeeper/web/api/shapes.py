"""What every part of the API is made of: who asks, bounded parameters, amounts, pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Security
from fastapi.security import APIKeyCookie, HTTPBearer, SecurityScopes
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.json_schema import SkipJsonSchema
from starlette.requests import Request

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.identifiers import parse, shown
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import tell
from wattkeeper.store.columns import from_micros, to_micros
from wattkeeper.web.rooms import Rooms

# --- who asks -------------------------------------------------------------------------------------------

_bearer = HTTPBearer(scheme_name="token", description="An API token: `Authorization: Bearer wk_…`", auto_error=False)
_cookie = APIKeyCookie(
    name="wattkeeper", scheme_name="sign-in", description="The cookie of a signed-in operator.", auto_error=False
)


def rooms_of(request: Request) -> Rooms:
    """What `assembly` handed to this app."""
    rooms: Rooms = request.app.state.rooms
    return rooms


def viewer_of(
    request: Request,
    scopes: SecurityScopes,
    _by_token: Annotated[object, Security(_bearer)],
    _by_cookie: Annotated[object, Security(_cookie)],
) -> Viewer:
    """Who asks, whom `Entrance` has let in; Refusal (FORBIDDEN) without the scope."""
    viewer: Viewer = request.state.viewer
    for scope in scopes.scopes:
        viewer.need(Scope(scope))
    return viewer


def reacher_of(
    request: Request,
    scopes: SecurityScopes,
    _by_token: Annotated[object, Security(_bearer)],
    _by_cookie: Annotated[object, Security(_cookie)],
) -> Viewer:
    """Who asks, where they may do this at least at their sites or with their own; the query keeps to how far."""
    viewer: Viewer = request.state.viewer
    for scope in scopes.scopes:
        viewer.reach(Scope(scope))
    return viewer


Here = Annotated[Rooms, Depends(rooms_of)]
Anyone = Annotated[Viewer, Security(viewer_of)]
StationsReader = Annotated[Viewer, Security(reacher_of, scopes=[Scope.STATIONS_READ.value])]
StationsWriter = Annotated[Viewer, Security(viewer_of, scopes=[Scope.STATIONS_READ.value, Scope.STATIONS_WRITE.value])]
SessionsReader = Annotated[Viewer, Security(reacher_of, scopes=[Scope.SESSIONS_READ.value])]
SessionsWriter = Annotated[Viewer, Security(viewer_of, scopes=[Scope.SESSIONS_READ.value, Scope.SESSIONS_WRITE.value])]
CardsReader = Annotated[Viewer, Security(reacher_of, scopes=[Scope.CARDS_READ.value])]
CardsStaff = Annotated[Viewer, Security(viewer_of, scopes=[Scope.CARDS_READ.value])]
CardsWriter = Annotated[Viewer, Security(viewer_of, scopes=[Scope.CARDS_READ.value, Scope.CARDS_WRITE.value])]
GroupsWriter = Annotated[Viewer, Security(viewer_of, scopes=[Scope.CARDS_READ.value, Scope.GROUPS_WRITE.value])]
Driver = Annotated[Viewer, Security(reacher_of, scopes=[Scope.CHARGING_START.value])]
TariffsReader = Annotated[Viewer, Security(viewer_of, scopes=[Scope.TARIFFS_READ.value])]
TariffsWriter = Annotated[Viewer, Security(viewer_of, scopes=[Scope.TARIFFS_READ.value, Scope.TARIFFS_WRITE.value])]
BillsReader = Annotated[Viewer, Security(reacher_of, scopes=[Scope.BILLS_READ.value])]
BillsStaff = Annotated[Viewer, Security(viewer_of, scopes=[Scope.BILLS_READ.value])]
BillsWriter = Annotated[Viewer, Security(viewer_of, scopes=[Scope.BILLS_READ.value, Scope.BILLS_WRITE.value])]
TermsReader = Annotated[Viewer, Security(viewer_of, scopes=[Scope.SESSIONS_READ.value, Scope.BILLS_READ.value])]
TermsWriter = Annotated[
    Viewer,
    Security(viewer_of, scopes=[Scope.SESSIONS_READ.value, Scope.BILLS_READ.value, Scope.TARIFFS_WRITE.value]),
]
Payer = Annotated[Viewer, Security(reacher_of, scopes=[Scope.PAYMENTS_HOLD.value])]
OrdersReader = Annotated[Viewer, Security(viewer_of, scopes=[Scope.ORDERS_READ.value])]
OrdersWriter = Annotated[Viewer, Security(viewer_of, scopes=[Scope.ORDERS_WRITE.value])]
StaffReader = Annotated[Viewer, Security(viewer_of, scopes=[Scope.STAFF_READ.value])]
StaffWriter = Annotated[Viewer, Security(viewer_of, scopes=[Scope.STAFF_READ.value, Scope.STAFF_WRITE.value])]
TokensReader = Annotated[Viewer, Security(viewer_of, scopes=[Scope.TOKENS_READ.value])]
TokensWriter = Annotated[Viewer, Security(viewer_of, scopes=[Scope.TOKENS_READ.value, Scope.TOKENS_WRITE.value])]

# --- what may be sent -----------------------------------------------------------------------------------


class Asked(BaseModel):
    """A body or a query; members that are not described are refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


PRINTABLE = r"^[^\x00-\x1F\x7F]*$"
Line = Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)]
"""A line of text."""
IDENTITY = r"^[^\x00-\x20\x7F/]([^\x00-\x1F\x7F/]*[^\x00-\x20\x7F/])?$"
Identity = Annotated[str, StringConstraints(max_length=48, pattern=IDENTITY)]
"""A station's identity."""
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _whole(value: object) -> object:
    """A whole number in plain digits, where it came as text."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,19}", value):
        raise ValueError(phrase("It must be a whole number."))
    return value


def _integer(value: object) -> object:
    """A whole number, where it came as JSON."""
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise ValueError(phrase("It must be a whole number."))  # noqa: TRY004 - the validator takes no other
    return value


def _truth(value: object) -> object:
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError(phrase("It must be true or false."))
    return value


def _instant(value: object) -> object:
    """An instant with an offset, as UTC."""
    if isinstance(value, datetime) or value is None:
        return value
    try:
        if isinstance(value, str) and _RFC3339.fullmatch(value):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(phrase("It must be an instant with an offset, such as 2026-11-20T18:00:00Z."))


PLAIN = BeforeValidator(_whole)
"""After the bounds of a whole number in a query: plain digits and nothing else."""
Nothing = SkipJsonSchema[None]
"""What a query leaves out; no word stands for it."""
INTEGER = BeforeValidator(_integer)
"""After the bounds of a whole number in a body: a JSON number, of which 5.0 is a whole one too."""
Truth = Annotated[bool, BeforeValidator(_truth)]
"""``true`` or ``false`` in a query."""
Instant = Annotated[datetime, BeforeValidator(_instant)]
"""An instant with an offset; UTC once read."""
StationId = Annotated[str, Path(max_length=48, pattern=IDENTITY)]

# --- what is told ---------------------------------------------------------------------------------------


def _number(value: Decimal) -> int | float:
    """The shortest number that is this decimal: exact to a millionth up to nine thousand million."""
    return int(value) if value == value.to_integral_value() else float(value)


Amount = Annotated[
    Decimal, PlainSerializer(_number, return_type=int | float, when_used="json"), WithJsonSchema({"type": "number"})
]
"""A measured value in the unit of its name: a JSON number, exact to a millionth of the unit (up to 9 GWh)."""
Words = Annotated[str, BeforeValidator(tell)]
"""What people read, in the language of whoever asks."""
SessionId = Annotated[str, AfterValidator(shown), Field(examples=["K7QM-4XRD-T"])]
"""A session's id as people say it."""


class Told(BaseModel):
    """Something the API tells."""

    model_config = ConfigDict(from_attributes=True)


def masked(last2: str | None) -> str | None:
    """A card as it is shown."""
    return None if last2 is None else f"••{last2}"


def session_id_of(text: str) -> str:
    """The session id that was said or typed; Refusal (NOT_FOUND) where it is none."""
    identifier = parse(text)
    if identifier is None:
        raise Refusal(Code.NOT_FOUND, phrase("There is no such session. Is every character of the id right?"))
    return identifier


# --- pages ----------------------------------------------------------------------------------------------

Limit = Annotated[int, Field(ge=1, le=500), PLAIN]
Cursor = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,18}\.-?[0-9A-Za-z:]{1,60}$")]


Row = TypeVar("Row")


EARLIEST, LATEST = (to_micros(end.replace(tzinfo=UTC)) for end in (datetime.min, datetime.max))


class Paged(Asked):
    """Which page."""

    limit: Limit = Field(50, description="How many at most.")
    cursor: Cursor | Nothing = Field(None, description="`next` of the page before.")


def cut(rows: Sequence[Row], limit: int, key: Callable[[Row], tuple[datetime, str]]) -> tuple[list[Row], str | None]:
    """The first ``limit`` of the rows, and the cursor of what follows where there are more."""
    kept = list(rows[:limit])
    return kept, cursor_of(*key(kept[-1])) if len(rows) > limit else None


def cursor_of(at: datetime, key: str) -> str:
    """The place of a row in a list that is ordered by instant and key."""
    return f"{to_micros(at)}.{key}"


def place_of(cursor: str | None) -> tuple[datetime, str] | None:
    """The instant and key of a cursor."""
    if cursor is None:
        return None
    micros, _, key = cursor.partition(".")
    return from_micros(min(max(int(micros), EARLIEST), LATEST)), key


def fields_given(model: BaseModel) -> dict[str, Any]:
    """The members that were sent, null included: what is absent is left alone."""
    return {name: getattr(model, name) for name in model.model_fields_set}
