"""Cards come in, change hands, change and are opened; their numbers live only as pseudonym and inside the vault."""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

import orjson

from wattkeeper.bus import Bus
from wattkeeper.charging.cards.token import Card, CardKind, CardState, Presented, Strength, TokenRef
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.cards import groups, listing, rule
from wattkeeper.operations.cards.importing import Import, ImportReport
from wattkeeper.operations.cards.listing import Wish
from wattkeeper.operations.cards.rule import Rule
from wattkeeper.operations.safe import Safe
from wattkeeper.store.cards import card as cards
from wattkeeper.store.cards import card_change
from wattkeeper.store.cards.card import CardRow
from wattkeeper.store.columns import EPOCH
from wattkeeper.store.engines import Store
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused
from wattkeeper.vault.pseudonym import canonical

log = logging.getLogger(__name__)

LONGEST_LABEL = 60
USELESS = frozenset({CardState.BLOCKED, CardState.LOST, CardState.REPLACED, CardState.RETURNED})


class Cards:
    """The deeds on cards. No number leaves by an exception, a log or a report."""

    def __init__(self, store: Store, safe: Safe, bus: Bus) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus

    def announce(self, what: str, by: str) -> None:
        """Say, after the commit, that cards have changed: stations' lists and open pages follow."""
        log.info("%s %s", by, what)
        self._bus.announce(groups.TOPIC)

    # --- coming in ------------------------------------------------------------------------------------

    async def enroll(self, number: str, name: str | None, wanted: Rule, viewer: Viewer) -> TokenRef:
        """Take in one card for a new person; Refusal INVALID (not a number, no such group), CONFLICT (enrolled)."""
        viewer.need(Scope.CARDS_WRITE)
        uid = listing.checked(number)
        async with self._store.unit() as unit:
            ref = self._safe.ref(uid)
            if await cards.owners(unit, [ref]):
                raise Refusal(Code.CONFLICT, phrase("This card is already enrolled. Change it instead."), ref=ref)
            await self._need_group(unit, viewer, wanted)
            self.take(unit, ref, Wish(0, Presented(uid), name, wanted), viewer.name)
        self.announce("enrolled one card", viewer.name)
        return ref

    async def import_csv(self, text: str, viewer: Viewer) -> ImportReport:
        """Take in a list: the first line names the columns; a known card changes, an empty cell leaves what is there.

        Good rows are kept even where others are rejected: those too that name a group which the viewer may not put
        cards into. Refusal INVALID where the file cannot be understood at all.
        """
        viewer.need(Scope.CARDS_WRITE)
        report = await Import(self, self._store, self._safe, viewer).take(text)
        told = f"imported {report.imported}, updated {report.updated}, rejected {report.rejected_count}"
        self.announce(told, viewer.name)
        return report

    def take(self, unit: Unit, ref: TokenRef, wish: Wish, by: str) -> None:
        """A new person with a key of their own, and their card, at the unit's next flush."""
        person = f"person:{secrets.token_hex(12)}"
        seal = self._safe.enter_subject(unit, person)
        cards.keep_person(unit, person, seal("person", "sealed", _known(wish.name)) if wish.name else None)
        number = seal("card", "sealed", wish.card.uid.encode())
        cards.keep(unit, person, number, last2(wish.card.uid), replace(Card(ref), **wish.rule))
        card_change.keep(unit, ref, by, phrase("Enrolled."))

    async def rename_person(self, unit: Unit, person: str, name: str) -> None:
        """Keep a person's name under their own key."""
        sealed = await self._safe.seal_for(unit, person, "person", "sealed", _known(name))
        await cards.name_person(unit, person, sealed)

    async def enroll_for(
        self,
        unit: Unit,
        person: str,
        uid: str,
        kind: CardKind,
        label: str | None,
        wanted: Rule,
        by: str,
        since: datetime | None = None,
    ) -> TokenRef:
        """Take in a card for a person who is known; `give` hands over one that was taken in before.

        Its group, if any, must have been checked. Refusal CONFLICT where it is enrolled. Announce after the commit.
        What ran on it ``since`` then is theirs; from now on, where that is not told.
        """
        ref = self._safe.ref(uid)
        if await cards.kept(unit, ref) is not None:
            raise Refusal(Code.CONFLICT, phrase("This card is already enrolled."))
        sealed = await self._safe.seal_for(unit, person, "card", "sealed", uid.encode())
        card = replace(Card(ref, kind=kind), **wanted)
        cards.keep(unit, person, sealed, last2(uid), card, await self._label(unit, person, label), since)
        card_change.keep(unit, ref, by, phrase("Enrolled."))
        await unit.flush()
        return ref

    async def give(self, unit: Unit, ref: str, person: str, label: str | None, by: str) -> None:
        """Hand a card over to a person, and make it active: what ran on it before stays with who held it then.

        Refusal NOT_FOUND, also where its number can no longer be opened. Announce after the commit.
        """
        kept = await cards.number(unit.connection, ref)
        if kept is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such card."))
        plain = await self._open(unit, kept.person, kept.sealed)
        sealed = await self._safe.seal_for(unit, person, "card", "sealed", plain)
        values = {"person_id": person, "sealed": sealed, "label": await self._label(unit, person, label)}
        await cards.change(unit, ref, values | {"state": CardState.ACTIVE.value, "activation": None})
        await cards.let_go(unit, ref)
        cards.hold(unit, ref, person)
        card_change.keep(unit, ref, by, phrase("Handed to its holder."))
        await unit.flush()

    async def make_app_token(
        self, unit: Unit, person: str, station: str, evse: int, expires_at: datetime
    ) -> tuple[TokenRef, str]:
        """A token for one start from a phone, good at one EVSE until then: its pseudonym, and itself in the clear."""
        uid = "WK" + base64.b32encode(secrets.token_bytes(12)).decode()[:18]
        made = Card(self._safe.ref(uid), expires_at=expires_at, kind=CardKind.APP, strength=Strength.ONLINE)
        card = replace(made, only_at=(station, evse))
        sealed = await self._safe.seal_for(unit, person, "card", "sealed", uid.encode())
        cards.keep(unit, person, sealed, "", card, since=EPOCH)  # nobody had it before, whatever a station's clock says
        await unit.flush()
        return card.ref, uid

    # --- what staff do --------------------------------------------------------------------------------

    async def change(self, ref: str, wanted: Rule, viewer: Viewer) -> None:
        """Change what a card may do; Refusal NOT_FOUND, INVALID (no such group), CONFLICT (its life), FORBIDDEN."""
        viewer.need(Scope.CARDS_WRITE)
        async with self._store.unit() as unit:
            row = await self._listed(unit, ref)
            changed = await self.apply(unit, row, wanted, viewer)
        if changed:
            self.announce("changed one card", viewer.name)

    async def set_state(self, ref: str, state: CardState, viewer: Viewer) -> None:
        """Block or unblock a card; Refusal NOT_FOUND, CONFLICT."""
        await self.change(ref, {"state": state}, viewer)

    async def apply(self, unit: Unit, row: CardRow, wanted: Rule, viewer: Viewer) -> bool:
        """Change a card within a unit; whether anything was not so already. Its group, if any, is checked here."""
        changes = rule.difference(row, wanted)
        await self._block_too(unit, viewer, row, wanted.get("state"))
        if not changes:
            return False
        if not viewer.may(Scope.GROUPS_WRITE) and not rule.takes_away(changes):
            await self._need_no_pass(unit, row)
        await self._need_group(unit, viewer, changes)
        await cards.change(unit, row.ref, cards.columns(changes))
        if changes.get("state") is CardState.RETURNED:
            await cards.let_go(unit, row.ref)
        for what in rule.said(changes):
            card_change.keep(unit, row.ref, viewer.name, what)
        return True

    async def replace(self, viewer: Viewer, ref: str, number: str) -> TokenRef:
        """Give a card's holder another one with the same rule; the old one ends (scope cards:write).

        Refusal NOT_FOUND, INVALID (not a number), CONFLICT (the new one is enrolled, the old one had ended).
        """
        viewer.need(Scope.CARDS_WRITE)
        uid = listing.checked(number)
        async with self._store.unit() as unit:
            new = self._safe.ref(uid)
            row = await self._listed(unit, ref)
            if row.replaced_by == new:
                return new
            await self._replace(unit, viewer, row, new, uid)
        self.announce("replaced one card", viewer.name)
        return new

    async def _replace(self, unit: Unit, viewer: Viewer, row: CardRow, new: TokenRef, uid: str) -> None:
        """The new card, and the end of the old one."""
        ends = rule.difference(row, {"state": CardState.REPLACED})
        if await cards.kept(unit, new) is not None:
            raise Refusal(Code.CONFLICT, phrase("The new card is already enrolled."))
        if not ends:
            raise Refusal(Code.CONFLICT, phrase("This card was replaced by another one already."))
        if not viewer.may(Scope.GROUPS_WRITE):
            await self._need_no_pass(unit, row)
        sealed = await self._safe.seal_for(unit, row.person, "card", "sealed", uid.encode())
        own = (row.expires_at, row.group, row.max_sessions, row.kind, row.strength, row.offline, row.limits)
        cards.keep(unit, row.person, sealed, last2(uid), Card(new, CardState.ACTIVE, *own), row.label)
        await cards.change(unit, row.ref, {"state": CardState.REPLACED.value, "replaced_by": new})
        card_change.keep(unit, row.ref, viewer.name, rule.STATES[CardState.REPLACED])
        card_change.keep(unit, new, viewer.name, phrase("Enrolled in place of another card."))

    # --- what its holder does, and staff for them -----------------------------------------------------

    async def block(self, viewer: Viewer, ref: str) -> None:
        """Block a card; one that is good for nothing stays as it is. Refusal NOT_FOUND, for another's too."""
        await self._step(viewer, ref, CardState.BLOCKED, USELESS)

    async def report_lost(self, viewer: Viewer, ref: str) -> None:
        """Report a card lost: nobody charges on it any more. Refusal NOT_FOUND, for another's too."""
        await self._step(viewer, ref, CardState.LOST, USELESS - {CardState.BLOCKED})

    async def unblock(self, viewer: Viewer, ref: str) -> None:
        """Make a blocked card active; its holder only what they blocked themselves. Refusal NOT_FOUND, CONFLICT."""
        await self._step(viewer, ref, CardState.ACTIVE, frozenset({CardState.ACTIVE}))

    async def _step(self, viewer: Viewer, ref: str, state: CardState, done: Collection[CardState]) -> None:
        """Take a card to a state, unless it is in one that is as good."""
        async with self._store.unit() as unit:
            row = await self._theirs(unit, viewer, ref)
            if row.state in done:
                await self._block_too(unit, viewer, row, state)
                return
            by = await self._by(unit, viewer, row, state)
            changes = rule.difference(row, {"state": state})
            await cards.change(unit, row.ref, cards.columns(changes))
            card_change.keep(unit, row.ref, by, rule.STATES[state])
        self.announce(f"set one card to {state.value}", by)

    async def _block_too(self, unit: Unit, viewer: Viewer, row: CardRow, state: CardState | None) -> None:
        """Note that staff block a card that its holder blocked: its holder cannot unblock it any more."""
        if not viewer.may(Scope.CARDS_WRITE) or (state, row.state) != (CardState.BLOCKED, CardState.BLOCKED):
            return
        if (await card_change.blockers(unit, [row.ref])).get(row.ref) == card_change.HOLDER:
            card_change.keep(unit, row.ref, viewer.name, rule.STATES[CardState.BLOCKED])

    async def _by(self, unit: Unit, viewer: Viewer, row: CardRow, state: CardState) -> str:
        """Who does it, for the record; Refusal where a holder, or who may not make groups, may not go this far."""
        if viewer.may(Scope.CARDS_WRITE):
            if state is CardState.ACTIVE and not viewer.may(Scope.GROUPS_WRITE):
                await self._need_no_pass(unit, row)
            return viewer.name
        if state is CardState.ACTIVE:
            blocker = (await card_change.blockers(unit, [row.ref])).get(row.ref)
            if row.state is not CardState.BLOCKED or blocker != card_change.HOLDER:
                raise Refusal(Code.CONFLICT, phrase("You cannot make this card active yourself. Please ask support."))
        return card_change.HOLDER

    async def name(self, viewer: Viewer, ref: str, label: str | None) -> None:
        """Set what the viewer calls an own card, nothing where it is empty; Refusal NOT_FOUND, INVALID."""
        person, told = viewer.need_own(Scope.CARDS_HOLD), (label or "").strip()
        if len(told) > LONGEST_LABEL or not told.isprintable():
            raise Refusal(
                Code.INVALID,
                phrase("A name has at most {most} characters that can be printed.", most=LONGEST_LABEL),
            )
        async with self._store.unit() as unit:
            row = await self._theirs(unit, viewer, ref)
            await cards.name(unit, row.ref, await self._label(unit, person, told))
        self._bus.announce(groups.TOPIC)

    async def labels(self, viewer: Viewer, rows: Collection[CardRow]) -> dict[TokenRef, str]:
        """What the viewer calls these cards of their own, by pseudonym."""
        named = {row.ref: row.label for row in rows if row.label is not None and row.person == viewer.person}
        if not named:
            return {}
        async with self._store.read() as connection:
            wrapped = await cards.wrapped_key(connection, viewer)
        if wrapped is None:
            return {}
        opened = {ref: self._safe.unseal_by(wrapped, viewer.person, "card", "label", one) for ref, one in named.items()}
        return {ref: plain.decode() for ref, plain in opened.items()}

    # --- opening --------------------------------------------------------------------------------------

    async def reveal(self, ref: str) -> str:
        """The number of a card, for sending it to a station; Refusal NOT_FOUND, also where its key was destroyed."""
        async with self._store.unit() as unit:
            kept = await cards.number(unit.connection, ref)
            if kept is None:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such card."))
            return (await self._open(unit, kept.person, kept.sealed)).decode()

    async def _open(self, unit: Unit, person: str, sealed: bytes) -> bytes:
        try:
            return await self._safe.unseal_for(unit, person, "card", "sealed", sealed)
        except KeyRefused:
            raise Refusal(Code.NOT_FOUND, phrase("This card's number can no longer be opened.")) from None

    # --- within ---------------------------------------------------------------------------------------

    async def _listed(self, unit: Unit, ref: str) -> CardRow:
        """A card that people know of; Refusal NOT_FOUND."""
        row = await cards.kept(unit, ref)
        if row is None or row.kind is CardKind.APP:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such card."))
        return row

    async def _theirs(self, unit: Unit, viewer: Viewer, ref: str) -> CardRow:
        """A card that the viewer holds or looks after; Refusal NOT_FOUND for any other, as if it did not exist."""
        person = None if viewer.may(Scope.CARDS_WRITE) else viewer.need_own(Scope.CARDS_HOLD)
        row = await self._listed(unit, ref)
        if person is not None and (row.person != person or row.state is CardState.RETURNED):
            raise Refusal(Code.NOT_FOUND, phrase("There is no such card."))
        return row

    async def _need_group(self, unit: Unit, viewer: Viewer, wanted: Rule) -> None:
        """Refusal INVALID or FORBIDDEN where the viewer may not put a card into the group that a rule names."""
        name = wanted.get("group")
        why = (await groups.refusals(unit, viewer, [name])).get(name) if name else None
        if why is not None:
            raise Refusal(Code.FORBIDDEN if why == groups.PASSES else Code.INVALID, why)

    async def _need_no_pass(self, unit: Unit, row: CardRow) -> None:
        """Refusal FORBIDDEN for a card that stops any session."""
        if await groups.is_master_pass(unit, row.group):
            raise Refusal(Code.FORBIDDEN, groups.PASSES)

    async def _label(self, unit: Unit, person: str, label: str | None) -> bytes | None:
        """What a person calls a card, sealed under their key."""
        return await self._safe.seal_for(unit, person, "card", "label", label.encode()) if label else None


def _known(name: str) -> bytes:
    """What is kept, sealed, of a person."""
    return orjson.dumps({"name": name})


def last2(number: str) -> str:
    """The last two characters, for support; empty where the number is so short that they would say too much."""
    symbols = canonical(number)
    return symbols[-2:] if len(symbols) >= 4 else ""
