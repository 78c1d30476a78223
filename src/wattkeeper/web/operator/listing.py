"""A list whose filters, order and page are its address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

By = TypeVar("By", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Column:
    """A heading; a click on it sorts."""

    name: str
    css: str
    href: str | None
    sorted: str | None


def address_of(home: str, asked: Any, changes: Mapping[str, object]) -> str:
    """The address of a list as it is asked for (its members by name), changed; what is empty is left out."""
    members = {name: getattr(asked, name) for name in asked.__slots__} | dict(changes)
    given = {name: value for name, value in members.items() if value and not (name == "page" and value == 1)}
    return home + (f"?{urlencode(given)}" if given else "")


def page_of(typed: str) -> int:
    """Which page; the first where that makes no sense."""
    return max(1, int(typed)) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 1


def number_of(typed: str) -> int | None:
    """A small number from one on; None where that makes no sense."""
    return int(typed) or None if typed.isascii() and typed.isdigit() and len(typed) < 7 else None


def sorting_of(typed: str, by: type[By], usual: tuple[By, bool]) -> tuple[By, bool]:
    """Which column, and whether upwards: ``energy`` sorts downwards, ``-energy`` upwards."""
    column = {one.value: one for one in by}.get(typed.removeprefix("-"))
    return (column, typed.startswith("-")) if column else usual


def headings(
    columns: Iterable[tuple[str, By | None, str]], sorting: tuple[By, bool], address: Callable[..., str]
) -> list[Column]:
    """The headings (name, what it sorts by, style), with the way to sort by each; twice sorts the other way round."""
    by, upwards = sorting
    made = []
    for name, key, css in columns:
        if key is None:
            made.append(Column(name, css, None, None))
            continue
        direction = ("ascending" if upwards else "descending") if key is by else None
        turned = f"-{key.value}" if key is by and not upwards else key.value
        made.append(Column(name, css, address(sort=turned, page=1), direction))
    return made
