"""Something that needs a person, and what settles it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Act:
    """What settles a need: a form to send, or a page to go to."""

    name: str
    path: str
    fields: dict[str, str] = field(default_factory=dict)
    post: bool = False
    busy: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that needs a person; ``weight`` is look or harm."""

    key: str
    what: str
    why: str
    at: datetime | None
    acts: tuple[Act, ...]
    weight: str = "look"
