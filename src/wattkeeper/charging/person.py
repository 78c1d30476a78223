"""Who looks and acts: roles, scopes, and the viewer that every query takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from wattkeeper.charging.errors import Code, Refusal


class Scope(StrEnum):
    """What an API token or a role may do, in words a person understands."""

    STATIONS_READ = "stations:read"
    """See stations, connectors and the waiting room."""
    STATIONS_WRITE = "stations:write"
    """Admit, name and remove stations."""
    SESSIONS_READ = "sessions:read"
    """See sessions, readings and their line of time."""
    SESSIONS_WRITE = "sessions:write"
    """Close a stale session."""
    CARDS_READ = "cards:read"
    """See cards, masked."""
    CARDS_WRITE = "cards:write"
    """Import, block and unblock cards."""
    ORDERS_READ = "orders:read"
    """See what stations were asked to do."""
    ORDERS_WRITE = "orders:write"
    """Ask stations to do something, any command included."""


class Role(StrEnum):
    """What a member of staff is."""

    OPERATOR = "operator"
    SERVICE = "service"
    """A program that holds an API token."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking. ``name`` is the account or token name: it goes into the record as ``by``."""

    name: str
    role: Role
    scopes: frozenset[Scope] = field(default_factory=frozenset)

    def may(self, scope: Scope) -> bool:
        """Whether the viewer may do this."""
        return scope in self.scopes

    def need(self, scope: Scope) -> None:
        """Raise Refusal (FORBIDDEN) where the viewer may not do this."""
        if scope not in self.scopes:
            raise Refusal(Code.FORBIDDEN, f"This needs the scope {scope.value}, which {self.name!r} does not have.")


EVERYTHING = frozenset(Scope)
"""All scopes: what an operator has."""
