"""Proof of possession: a card becomes a driver's own by a tap at the station they chose, or by the code it came with.

Typing the printed number proves nothing, so no deed here takes one.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from wattkeeper.bus import Bus
from wattkeeper.charging.cards.token import CardKind, Presented, TokenKind, TokenRef
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.facts import Fact, SessionFact, SessionOpened, SessionUpdated, TokenPresented
from wattkeeper.charging.identifiers import parse_secret, secret_code
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.cards.book import Cards
from wattkeeper.operations.cards.listing import NUMBER
from wattkeeper.operations.desk import Desk
from wattkeeper.operations.people.sign_in.attempts import Attempts, need_patience, neighbourhood
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store.cards import card as cards
from wattkeeper.store.cards import card_change
from wattkeeper.store.cards import enrolment as enrolments
from wattkeeper.store.cards.enrolment import EnrolmentRow, EnrolmentState, Known
from wattkeeper.store.engines import Store
from wattkeeper.store.unit import Unit
from wattkeeper.vault.pseudonym import canonical

TOPIC = "enrolments"
"""What is announced when a wish was opened, settled or withdrawn."""
CLOCK_S = 5
"""By how many seconds a station's clock may lag for its word of a tap to count as told since the wish."""
OCCUPIED = phrase("Somebody is adding a card at this station. Try again in two minutes, or choose another one.")
HELD = phrase("Somebody holds this card, or it is blocked; a code would give it to somebody else.")
HOUR = timedelta(hours=1)
TURNS = 5
"""For how many whole turns a person may wait at one station within an hour without a card that becomes theirs."""
OVER_AND_OVER = phrase(
    "You waited at this station several times without a tap of a card that can be yours. Others want to add theirs:"
    " try again in {minutes} min, at another station, or with the code that came with the card."
)
TOO_OFTEN = phrase("That was tried too often.")
HANDED_OUT = phrase("A code was made that gives it to whoever has it.")
WRONG_CODE = phrase("This code is not valid. Is every character right, and was it used already?")


@dataclass(frozen=True, slots=True)
class EnrolmentView:
    """How a wish stands."""

    id: str
    station: str
    state: EnrolmentState
    words: str
    """What happened or what to do, in a sentence."""
    ref: TokenRef | None
    """The card, once it is the driver's own."""
    created_at: datetime
    expires_at: datetime


class Enrolments:
    """What drivers ask for, and codes that staff give out."""

    def __init__(self, store: Store, safe: Safe, bus: Bus, settings: Settings, cards: Cards) -> None:
        self._store = store
        self._cards = cards
        self._safe = safe
        self._bus = bus
        self._settings = settings
        self._wishes = Attempts(free=20, longest_s=60)
        self._by_person = Attempts(free=10, longest_s=900)
        self._by_address = Attempts(free=50, longest_s=900)

    # --- by a tap -------------------------------------------------------------------------------------

    async def open(self, viewer: Viewer, station: str, label: str = "") -> EnrolmentView:
        """Wait for the viewer's tap at this station; their wish of before is given up.

        Refusal CONFLICT: somebody else is adding a card there. OFFLINE: the station cannot tell of a tap now.
        """
        person = viewer.need_own(Scope.CARDS_HOLD)
        need_patience([(self._wishes, person)], TOO_OFTEN)
        async with self._store.unit() as unit:
            if not await enrolments.online(unit.connection, station):
                raise Refusal(
                    Code.OFFLINE, phrase("This station is not connected now. Choose another, or try again later.")
                )
            await self._need_turn(unit, person, station)
            sealed = await self._safe.seal_for(unit, person, "enrolment", "label", label.encode()) if label else None
            until = unit.now + timedelta(seconds=self._settings.enrolment_s)
            identity = (secrets.token_hex(12), person, station, EnrolmentState.WAITING)
            row = EnrolmentRow(*identity, None, sealed, unit.now, until)
            if not await enrolments.open_at(unit, row):
                raise Refusal(Code.CONFLICT, OCCUPIED)
        self._bus.announce(TOPIC, row.id)
        return self._view(row)

    async def _need_turn(self, unit: Unit, person: str, station: str) -> None:
        """Refusal BUSY where one person would keep others from adding cards at a station, or catch their taps."""
        waits = await enrolments.in_vain(unit, person, station, unit.now - HOUR)
        waited = sum((until - begun for begun, until in waits), timedelta())
        if waited >= timedelta(seconds=TURNS * self._settings.enrolment_s) > timedelta():
            left_s = (waits[0][0] + HOUR - unit.now).total_seconds()
            raise Refusal(Code.BUSY, OVER_AND_OVER.filled(minutes=int(left_s // 60) + 1), retry_s=left_s)

    async def view(self, viewer: Viewer, identifier: str) -> EnrolmentView:
        """How the viewer's wish stands; Refusal NOT_FOUND."""
        person = viewer.need_own(Scope.CARDS_HOLD)
        async with self._store.read() as connection:
            row = await enrolments.own(connection, identifier, person)
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such wish to add a card."))
        return self._view(row)

    async def withdraw(self, viewer: Viewer, identifier: str) -> None:
        """Give a wish up; a card that was added stays. Refusal NOT_FOUND."""
        person = viewer.need_own(Scope.CARDS_HOLD)
        async with self._store.unit() as unit:
            found = await enrolments.withdraw(unit, identifier, person)
        if not found:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such wish to add a card."))
        self._bus.announce(TOPIC, identifier)

    def _view(self, row: EnrolmentRow) -> EnrolmentView:
        """A wish with its words; one whose time is up has expired."""
        state = row.state
        if state is EnrolmentState.WAITING and row.expires_at <= self._store.clock():
            state = EnrolmentState.EXPIRED
        ref = TokenRef(row.ref) if row.ref else None
        told = (row.id, row.station, state, _words(state, ref), ref if state is EnrolmentState.DONE else None)
        return EnrolmentView(*told, row.created_at, row.expires_at)

    # --- by the code it came with ---------------------------------------------------------------------

    async def make_code(self, viewer: Viewer, ref: str) -> str:
        """The code to send along with a card, shown this once; one that was made before is good no more.

        Refusal NOT_FOUND, CONFLICT where somebody who signs in holds the card, or it is blocked.
        """
        viewer.need(Scope.CARDS_WRITE)
        code = secret_code(secrets.randbits(80))
        async with self._store.unit() as unit:
            card = await enrolments.known(unit.connection, ref)
            if card is None or card.kind == CardKind.APP:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such card."))
            if not card.is_claimable:
                raise Refusal(Code.CONFLICT, HELD)
            await enrolments.give_code(unit, ref, self._tags(parse_secret(code) or "")[0])
            card_change.keep(unit, TokenRef(ref), viewer.name, HANDED_OUT)
        self._cards.announce("made a code for one card", viewer.name)
        return code

    async def activate(self, viewer: Viewer, code: str, label: str = "", address: str = "") -> TokenRef:
        """Make the card that came with this code the viewer's own.

        Refusal INVALID, always alike, for a code that is wrong, used or mistyped; BUSY after too many of them.
        """
        person = viewer.need_own(Scope.CARDS_HOLD)
        self._need_patience(person, address)
        async with self._store.unit() as unit:
            tags = self._tags(parse_secret(code) or "")
            claims = [await self._claim(unit, person, tag, label) for tag in tags]
            ref = next((one for one in claims if one is not None), None)
        if ref is None:
            raise Refusal(Code.INVALID, WRONG_CODE)
        self._by_person.forgive(person)
        self._cards.announce("added one card by its code", card_change.HOLDER)
        return ref

    async def _claim(self, unit: Unit, person: str, tag: bytes, label: str) -> TokenRef | None:
        """Use the code up and hand its card over; None where there is none."""
        card = await enrolments.by_code(unit.connection, tag)
        if card is None or not card.is_claimable or not await enrolments.use_code(unit, tag):
            return None
        await self._cards.give(unit, card.ref, person, label, card_change.HOLDER)
        return TokenRef(card.ref)

    def _tags(self, symbols: str) -> list[bytes]:
        """What is kept of a code, as it is made now and as it was made before the codes' key was replaced."""
        return self._safe.tags("card activation", symbols.encode(), 32)

    def _need_patience(self, person: str, address: str) -> None:
        """Count a try of a code before it is judged; Refusal BUSY where there were too many."""
        judges = [(self._by_person, person)]
        need_patience([*judges, (self._by_address, neighbourhood(address))] if address else judges, TOO_OFTEN)


def _words(state: EnrolmentState, ref: TokenRef | None) -> str:
    """How a wish stands, in a sentence."""
    match state:
        case EnrolmentState.WAITING:
            return phrase("Hold your card to the reader of the station.")
        case EnrolmentState.DONE:
            return phrase("This card is yours now.")
        case EnrolmentState.TAKEN if ref is not None:
            return phrase("This card is yours already.")
        case EnrolmentState.TAKEN:
            return phrase(
                "This card cannot be added: it belongs to somebody or is blocked. If it is yours, ask support."
            )
        case EnrolmentState.EXPIRED:
            return phrase("No card was tapped in time. Start again when you are at the station.")


# --- what a tap means, within the transaction that records it -------------------------------------------


class Taps:
    """The taps that stations tell of, against the wishes that wait for them."""

    def __init__(self, safe: Safe, cards: Cards) -> None:
        self._safe = safe
        self._cards = cards

    async def awaited(self, unit: Unit, told: Iterable[tuple[str, Fact]]) -> dict[str, EnrolmentRow]:
        """The wishes that these facts of these stations may fulfil, by station."""
        tapped = {station for station, fact in told if _may_be_tap(fact)}
        return await enrolments.waiting_at(unit, tapped) if tapped else {}

    async def take(self, desk: Desk, wish: EnrolmentRow, fact: Fact, token: Presented | None) -> bool:
        """Make a tapped card the driver's own where it is nobody's; whether the wish is settled by this fact."""
        if token is None or token.kind is not TokenKind.RFID or not _is_tap(desk, wish, fact):
            return False
        if not NUMBER.fullmatch(token.uid) or not canonical(token.uid):
            return False
        ref = self._safe.ref(token.uid, token.kind)
        card = await enrolments.known(desk.unit.connection, ref)
        if card is not None and card.kind == CardKind.APP:
            return False
        if card is not None and (card.person == wish.person or not card.is_nobodys):
            own = ref if card.person == wish.person else None
            await enrolments.settle(desk.unit, wish.id, EnrolmentState.TAKEN, own)
            return True
        await self._give(desk.unit, wish, token, card)
        desk.cards.update({one.ref: one for one in await cards.ruled(desk.unit, [ref])})
        return True

    async def _give(self, unit: Unit, wish: EnrolmentRow, token: Presented, card: Known | None) -> None:
        """The card is the person's from now on."""
        label = None
        if wish.label is not None:
            plain = await self._safe.unseal_for(unit, wish.person, "enrolment", "label", wish.label)
            label = plain.decode()
        ref = self._safe.ref(token.uid, token.kind)
        if card is None:
            await self._cards.enroll_for(unit, wish.person, token.uid, CardKind.CARD, label, {}, card_change.HOLDER)
        else:
            await self._cards.give(unit, ref, wish.person, label, card_change.HOLDER)
        await enrolments.settle(unit, wish.id, EnrolmentState.DONE, ref)


def _may_be_tap(fact: Fact) -> bool:
    if isinstance(fact, SessionFact) and fact.imported:
        return False
    return isinstance(fact, TokenPresented | SessionOpened | SessionUpdated) and fact.token is not None


def _is_tap(desk: Desk, wish: EnrolmentRow, fact: Fact) -> bool:
    """Whether somebody held a card to the reader after the wish was made; what is told late is no proof."""
    if isinstance(fact, TokenPresented):
        return True
    if not isinstance(fact, SessionFact) or fact.offline or fact.imported:
        return False
    if fact.at is not None and fact.at < wish.created_at - timedelta(seconds=CLOCK_S):
        return False
    if isinstance(fact, SessionOpened):
        return fact.remote_start is None
    session = desk.by_ref(wish.station, fact.ref) if fact.ref else None
    return session is None or session.token != fact.token
