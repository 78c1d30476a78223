"""The policy as text (policy.cedar), asked once for each role: what it may do anywhere, at its own sites, of its own.

A thing is told apart by its site and its person alone, so three things stand for all: one of no concern to who asks,
one at their site, one that is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cedarpy import is_authorized_batch, validate_policies

from wattkeeper.charging.person import EVERYTHING, Role, Scope

TEXT = (Path(__file__).parent / "policy.cedar").read_text(encoding="utf-8")
"""What each role may do, to be read by people."""
READING = frozenset(scope for scope in EVERYTHING if scope.value.endswith(":read"))
THINGS = {"anywhere": ("elsewhere", "somebody"), "at_sites": ("here", "somebody"), "own": ("elsewhere", "me")}
"""Site and person of the things that stand for all."""
STAFF = frozenset(role.value for role in Role if role.is_staff)


@dataclass(frozen=True, slots=True)
class Grants:
    """What a role may do: anywhere, at its own sites, of its own."""

    anywhere: frozenset[Scope]
    at_sites: frozenset[Scope]
    own: frozenset[Scope]


@cache
def grants(role: Role) -> Grants:
    """What the policy permits a role; raises ValueError where the policy cannot be read."""
    return grants_of(role.value, TEXT)


def grants_of(role: str, policy: str) -> Grants:
    """What a policy permits a role, known or not; raises ValueError where it cannot be read or misspells a word."""
    need_sound(policy)
    asked = [(thing, scope) for thing in THINGS for scope in Scope]
    questions = [_question(thing, scope.value) for thing, scope in asked]
    answers = is_authorized_batch(questions, policy, [*_entities(role)])
    faults = [fault for answer in answers for fault in answer.diagnostics.errors]
    if faults:
        raise ValueError(f"The policy cannot be read: {faults[0]}")
    yes = {one for one, answer in zip(asked, answers, strict=True) if answer.allowed}
    return Grants(*(frozenset(scope for place, scope in yes if place == thing) for thing in THINGS))


@cache
def need_sound(policy: str) -> None:
    """Raise ValueError where a policy cannot be read, or names a role's attribute or an action that there is not."""
    found = validate_policies(policy, SCHEMA)
    wrong = [str(error) for error in found.errors] + [f"no role {role}" for role in _roles_in(policy) - ROLES]
    if wrong or not found.validation_passed:
        raise ValueError(f"The policy cannot be read: {'; '.join(wrong)}")


def sentences(policy: str = TEXT) -> Iterator[tuple[str, str]]:
    """What each statement of the policy says in words, and its text."""
    for statement in re.split(r"(?m)^(?=@id)", policy)[1:]:
        said = re.match(r'@id\("(.*)"\)', statement)
        yield (said[1] if said else ""), statement.partition("// ---")[0].strip()


def _roles_in(policy: str) -> set[str]:
    """The roles that a policy names."""
    return set(re.findall(r'Role::"([^"]*)"', policy))


ROLES = frozenset(role.value for role in Role) | {"staff"}


def _schema(scopes: Iterable[Scope]) -> str:
    """What the policy may speak of: accounts with their sites and person, things with theirs, the actions."""
    lines = [
        "entity Role;",
        "entity Account in [Role] { sites: Set<String>, person: String };",
        "entity Thing { site: String, person: String };",
        'action "staff work", "reading";',
    ]
    for scope in scopes:
        groups = ", ".join(f'"{name}"' for name in _work(scope))
        within = f" in [{groups}]" if groups else ""
        lines.append(f'action "{scope.value}"{within} appliesTo {{ principal: [Account], resource: [Thing] }};')
    return "\n".join(lines)


def _work(scope: Scope) -> list[str]:
    """The words that stand for this action among others."""
    return ["staff work"] * (scope in EVERYTHING) + ["reading"] * (scope in READING)


SCHEMA = _schema(Scope)


def _question(thing: str, action: str) -> dict[str, Any]:
    """One question to the policy."""
    return {
        "principal": 'Account::"who asks"',
        "action": f'Action::"{action}"',
        "resource": f'Thing::"{thing}"',
        "context": {},
    }


def _entities(role: str) -> Iterator[dict[str, Any]]:
    """Who asks, the things, and which actions are which work."""
    groups = [_uid("Role", role), *([_uid("Role", "staff")] if role in STAFF else [])]
    yield {"uid": _uid("Account", "who asks"), "attrs": {"sites": ["here"], "person": "me"}, "parents": groups}
    for thing, (site, person) in THINGS.items():
        yield {"uid": _uid("Thing", thing), "attrs": {"site": site, "person": person}, "parents": []}
    for scope in Scope:
        work = [_uid("Action", name) for name in _work(scope)]
        yield {"uid": _uid("Action", scope.value), "attrs": {}, "parents": work}


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}
