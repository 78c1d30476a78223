"""Groups of cards and master passes: made by people who may, never by a station and never by a list."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection

from wattkeeper.bus import Bus
from wattkeeper.charging.cards.token import Group
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.store.cards import card_change
from wattkeeper.store.cards import group as groups
from wattkeeper.store.engines import Store
from wattkeeper.store.unit import Unit

log = logging.getLogger(__name__)
TOPIC = "cards"
"""What is announced when cards or groups have changed."""
PARENT_ID = r"[A-Za-z0-9*\-_=+|@.:]{1,20}"
"""OCPP's identifierString, at most the 20 characters of a 1.6 IdToken."""
UNKNOWN = phrase("There is no group of this name; whoever may make groups makes it first.")
PASSES = phrase("The cards of this group are passes that stop any session; that needs the right to make groups.")


class Groups:
    """The deeds on groups; each is noted, with who did it."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus

    async def put(self, viewer: Viewer, group: Group, *, is_new: bool = False) -> None:
        """Make a group, or give the one of this name these rules, unless it must be new (scope groups:write).

        Refusal INVALID where no station would take its parent id, CONFLICT where it is not new, or another group has
        its parent id: their cards would stop each other's sessions.
        """
        viewer.need(Scope.GROUPS_WRITE)
        if group.parent_id is not None and not re.fullmatch(PARENT_ID, group.parent_id):
            raise Refusal(
                Code.INVALID, phrase("A parent id has up to 20 letters, digits or * - _ = + | @ . : and no space.")
            )
        async with self._store.unit() as unit:
            known = (await groups.rules(unit, [group.name])).get(group.name)
            if is_new and known is not None:
                raise Refusal(Code.CONFLICT, phrase("There is a group of this name already. Change its rules instead."))
            if known == group:
                return
            if group.parent_id and await groups.has_parent(unit, group.parent_id, group.name):
                raise Refusal(Code.CONFLICT, phrase("Another group has this parent id. Choose one of its own."))
            await groups.keep(unit, group, viewer.name)
            for what in _said(known, group):
                card_change.keep(unit, subject_of(group.name), viewer.name, what)
        self._announce(viewer, "set the rules of a group of cards")

    async def remove(self, viewer: Viewer, name: str) -> None:
        """Forget a group that no card belongs to (scope groups:write); Refusal NOT_FOUND, CONFLICT."""
        viewer.need(Scope.GROUPS_WRITE)
        async with self._store.unit() as unit:
            if await groups.has_cards(unit, name):
                raise Refusal(Code.CONFLICT, phrase("Cards belong to this group. Take them out of it first."))
            if not await groups.remove(unit, name):
                raise Refusal(Code.NOT_FOUND, phrase("There is no such group."))
            card_change.keep(unit, subject_of(name), viewer.name, phrase("Removed."))
        self._announce(viewer, "removed a group of cards")

    def _announce(self, viewer: Viewer, what: str) -> None:
        log.info("%s %s", viewer.name, what)
        self._bus.announce(TOPIC)


def subject_of(name: str) -> str:
    """What the records of changes call a group."""
    return f"group:{name}"


PARENT = phrase("Parent id: {parent_id}.")


def _said(before: Group | None, after: Group) -> list[str]:
    """What changed, in words."""
    parent = [PARENT.filled(parent_id=after.parent_id)] if after.parent_id else []
    if before is None:
        is_pass = after.is_master_pass
        return [phrase("Made, as a pass that stops any session.") if is_pass else phrase("Made."), *parent]
    told = list[str]()
    if before.parent_id != after.parent_id:
        told += parent or [phrase("Parent id taken away.")]
    if before.is_master_pass != after.is_master_pass:
        now, no_more = phrase("Its cards stop any session now."), phrase("Its cards are no master pass now.")
        told.append(now if after.is_master_pass else no_more)
    return [*told, *([phrase("Limits changed.")] if before.limits != after.limits else [])]


async def refusals(unit: Unit, viewer: Viewer, names: Collection[str]) -> dict[str, Phrase]:
    """Why the viewer may not put cards into some of these groups, by name.

    Who may make groups may: one that is not there yet is made, without a parent id and without limits.
    """
    known = await groups.rules(unit, names) if names else {}
    if not viewer.may(Scope.GROUPS_WRITE):
        passes = {name: PASSES for name, group in known.items() if group.is_master_pass}
        return passes | {name: UNKNOWN for name in names if name not in known}
    for name in set(names) - known.keys():
        await groups.keep(unit, Group(name), viewer.name)
        card_change.keep(unit, subject_of(name), viewer.name, phrase("Made for cards that name it."))
    return {}


async def is_master_pass(unit: Unit, name: str | None) -> bool:
    """Whether the cards of a group stop any session."""
    if name is None:
        return False
    group = (await groups.rules(unit, [name])).get(name)
    return group is not None and group.is_master_pass
