"""The API's description as a page for people: made here from the OpenAPI document, nothing fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from wattkeeper.web import bundle

Json = Mapping[str, Any]
_printer = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Member:
    """A parameter or a member of a shape."""

    name: str
    kind: str
    words: str
    where: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that can be asked."""

    id: str
    method: str
    path: str
    words: str
    scopes: list[str]
    members: list[Member]
    answers: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Shape:
    """What is sent or told."""

    words: str
    members: list[Member] = field(default_factory=list)


def page(described: Json, openapi: str) -> str:
    """The page of an OpenAPI document that is found at ``openapi``."""
    tags: dict[str, list[Operation]] = {}
    for operation, tag in _operations(described):
        tags.setdefault(tag, []).append(operation)
    shapes = {name: _shape(shape) for name, shape in sorted(described["components"]["schemas"].items())}
    info = described["info"]
    told = {"title": info["title"], "version": info["version"], "about": info["description"]}
    return _printer.get_template("reference.html").render(
        **told, openapi=openapi, style=_style(), tags=tags.items(), shapes=shapes
    )


def _style() -> str | None:
    """The pages' style, where it is built."""
    try:
        return bundle.address("app.css")
    except bundle.NotBuilt:
        return None


def _operations(described: Json) -> Iterator[tuple[Operation, str]]:
    """Every operation with its tag."""
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            schemes = [scheme for one in told.get("security", []) for scheme in one.values()]
            operation = Operation(
                id=told["operationId"],
                method=method.upper(),
                path=path,
                words=told.get("description", ""),
                scopes=schemes[0] if schemes else [],
                members=[*_parameters(told), *_body(told)],
                answers=[(status, _answer(one)) for status, one in told["responses"].items() if status < "3"],
            )
            yield operation, told["tags"][0]


def _parameters(told: Json) -> Iterator[Member]:
    for one in told.get("parameters", []):
        yield Member(one["name"], _kind(one["schema"]), one.get("description", ""), one["in"], one["required"])


def _body(told: Json) -> Iterator[Member]:
    for kind, one in told.get("requestBody", {}).get("content", {}).items():
        yield Member(kind, _kind(one["schema"]), "", "body", told["requestBody"].get("required", False))


def _answer(told: Json) -> str:
    """What is told with a status."""
    return ", ".join(_kind(one["schema"]) for one in told.get("content", {}).values())


def _shape(told: Json) -> Shape:
    """A shape with its members; an enumeration with its values."""
    required = told.get("required", [])
    members = [
        Member(name, _kind(one), one.get("description", ""), required=name in required)
        for name, one in told.get("properties", {}).items()
    ]
    values = ", ".join(str(value) for value in told.get("enum", []))
    words: str = told.get("description", "")
    return Shape(f"{words} One of: {values}." if values else words, members)


def _kind(schema: Json) -> str:
    """What a schema stands for, in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    several = schema.get("anyOf") or schema.get("oneOf")
    if several:
        return " or ".join(_kind(one) for one in several)
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return str(schema.get("format") or schema.get("type", "anything"))
