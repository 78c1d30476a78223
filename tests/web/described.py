"""The API as it describes itself, as requests that a test can send."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from wattkeeper.charging.person import Scope

PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One thing that can be asked."""

    method: str
    path: str
    """The template, without the prefix."""
    scopes: frozenset[Scope]
    """What it says it needs."""
    parameters: tuple[str, ...]
    """The names in its path."""
    body: Any
    """The schema of its JSON body, or None."""
    streams: bool
    operation: Any

    @property
    def label(self) -> str:
        """How a person names it."""
        return f"{self.method} {self.path}"


def endpoints(described: Mapping[str, Any]) -> Iterator[Endpoint]:
    """Everything that can be asked, as the description says."""
    for found in schemathesis.openapi.from_dict(dict(described)).get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        raw = described["paths"][operation.path][operation.method]
        named = tuple(one["name"] for one in raw.get("parameters", ()) if one["in"] == "path")
        scopes = {scope for way in raw.get("security", ()) for one in way.values() for scope in one}
        body = raw.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        streams = any("text/event-stream" in answer.get("content", {}) for answer in raw["responses"].values())
        path = operation.path.removeprefix(PREFIX)
        known = frozenset(Scope(scope) for scope in scopes)
        yield Endpoint(operation.method.upper(), path, known, named, body, streams, operation)


@dataclass(frozen=True, slots=True)
class Made:
    """A request that was made up from the description."""

    query: dict[str, Any]
    body: Any


_MADE: dict[tuple[str, int], list[Made]] = {}


def made_up(endpoint: Endpoint, many: int) -> list[Made]:
    """The same ``many`` different requests that fit the description, every time."""
    known = _MADE.get((endpoint.label, many))
    if known is None:
        known = _MADE[endpoint.label, many] = _make_up(endpoint, many)
    return known


def _make_up(endpoint: Endpoint, many: int) -> list[Made]:
    cases: list[Made] = []

    @settings(
        max_examples=many,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=endpoint.operation.as_strategy())
    def gather(case: Any) -> None:
        body = case.body if isinstance(case.body, dict | list) else None
        cases.append(Made({**(case.query or {})}, body))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gather()
    return cases
