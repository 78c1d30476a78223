"""Refusals as problem details (RFC 9457): one shape for every error of the API, without a word of what was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import tell

MEDIA_TYPE = "application/problem+json"
STATUS: Mapping[Code, int] = {
    Code.INVALID: 422,
    Code.NOT_FOUND: 404,
    Code.CONFLICT: 409,
    Code.FORBIDDEN: 403,
    Code.UNAUTHENTICATED: 401,
    Code.PROOF: 403,
    Code.PURPOSE: 428,
    Code.OFFLINE: 409,
    Code.BUSY: 429,
}
TITLES: Mapping[str, str] = {
    Code.INVALID: phrase("The request does not make sense as written"),
    Code.NOT_FOUND: phrase("Not found"),
    Code.CONFLICT: phrase("It contradicts what is already so"),
    Code.FORBIDDEN: phrase("Not allowed"),
    Code.UNAUTHENTICATED: phrase("Not signed in"),
    Code.PROOF: phrase("Show once more that it is you"),
    Code.PURPOSE: phrase("Say for what and why"),
    Code.OFFLINE: phrase("The station is not connected"),
    Code.BUSY: phrase("Too many tries"),
    "malformed": phrase("Bad Request"),
    "method_not_allowed": phrase("Method Not Allowed"),
    "too_large": phrase("Content Too Large"),
    "unsupported_media_type": phrase("Unsupported Media Type"),
    "internal": phrase("Internal Server Error"),
}
OTHER = {400: "malformed", 401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
OTHER |= {413: "too_large", 415: "unsupported_media_type", 500: "internal"}
_PLAIN = re.compile(r"[A-Za-z_]{1,40}")
MOST_FAULTS = 20


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(description="The place, such as `query.limit` or `body.max_sessions`.")
    why: str = Field(description="What is wrong with it; never what was sent.")


class Problem(BaseModel):
    """A refused request (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="The kind of problem, a URN that ends in `code`.")
    title: str = Field(description="The kind of problem, in words.")
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    detail: str = Field(description="What happened, why, and what to do.")
    code: str = Field(description="The kind of problem, for programs.")
    faults: list[Fault] | None = Field(None, description="What is wrong with the request, where it is several things.")


def problem(
    status: int,
    code: str,
    detail: str,
    faults: Iterable[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response that tells a problem, in the language of whoever asks."""
    title = tell(TITLES.get(code) or HTTPStatus(status).phrase)
    members = {"type": f"urn:wattkeeper:problem:{code}", "title": title, "status": status}
    told: dict[str, Any] = {**members, "detail": tell(detail), "code": code}
    listed = [fault.model_dump() for fault in faults]
    if listed:
        told["faults"] = listed
    return Response(orjson.dumps(told), status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def of_refusal(refusal: Refusal) -> Response:
    """A refusal of an operation."""
    headers: dict[str, str] = {}
    if refusal.code is Code.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    retry_s = refusal.details.get("retry_s")
    if isinstance(retry_s, int | float):
        headers["Retry-After"] = str(max(1, round(retry_s)))
    return problem(STATUS[refusal.code], refusal.code.value, refusal.why, headers=headers)


def of_http(error: HTTPException) -> Response:
    """What the framework refuses: unknown paths and methods, bodies that cannot be read."""
    status = error.status_code
    code = OTHER.get(status, "refused")
    return problem(status, code, HTTP.get(status, f"{HTTPStatus(status).phrase}."), headers=error.headers)


HTTP: Mapping[int, str] = {
    400: phrase("The body could not be read. Is it what its Content-Type says?"),
    404: phrase("There is nothing at this address."),
    405: phrase("This address does not know this method."),
    413: phrase("The body is too large."),
}
"""What happened, by the status that the framework refuses with."""


def of_validation(error: RequestValidationError) -> Response:
    """What does not fit the description of the API; without the values, which may be card numbers."""
    faults = [_fault(found) for found in error.errors()[:MOST_FAULTS]]
    told = [(fault.where, fault.why) for fault in faults[:3]]
    detail = "; ".join(f"{where}: {why}" for where, why in told)
    return problem(422, Code.INVALID.value, detail, faults)


def _fault(found: Mapping[str, Any]) -> Fault:
    """One finding of the validation."""
    where = ".".join(str(part) for part in found["loc"] if isinstance(part, int) or _PLAIN.fullmatch(str(part)))
    return Fault(where=where or "body", why=str(tell(_WHY.get(found["type"]) or _why(found))))


_WHY: Mapping[str, str] = {
    "extra_forbidden": phrase("There is no such member here."),
    "missing": phrase("It is required."),
    "json_invalid": phrase("It is not JSON."),
    "union_tag_invalid": phrase("It is none of the orders that exist."),
    "union_tag_not_found": phrase("It must say which order it is: the member `order`."),
}


def _why(found: Mapping[str, Any]) -> object:
    """The validator's own words, which name what was expected; ours where they could repeat what was sent."""
    if found["type"] == "value_error":
        said: tuple[object, ...] = getattr(found.get("ctx", {}).get("error"), "args", ())
        return said[0] if said else phrase("It is not valid.")
    return f"{found['msg']}."


def of(error: Exception) -> Response:
    """Whatever was raised; of a fault of ours nothing is told, the server records it."""
    if isinstance(error, Refusal):
        return of_refusal(error)
    if isinstance(error, RequestValidationError):
        return of_validation(error)
    if isinstance(error, HTTPException):
        return of_http(error)
    return problem(500, "internal", phrase("Something went wrong here. It is recorded; trying again may help."))


async def on_refusal(_request: Request, error: Exception) -> Response:
    """Handle a Refusal."""
    return of(error)
