"""The working set of one unit: the sessions, cards and limits that its facts concern, loaded in few queries."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from wattkeeper.charging.cards.token import Authorisation, Card
from wattkeeper.charging.facts import (
    Fact,
    MetersRead,
    SessionEnded,
    SessionFact,
    SessionOpened,
    StatusChanged,
    TokenPresented,
)
from wattkeeper.charging.identifiers import DRAWN, imported_key, session_id, start_key, transaction_key
from wattkeeper.charging.reading import Reading
from wattkeeper.charging.session import Session
from wattkeeper.operations.cards.bounds import Bounds
from wattkeeper.operations.cards.sightings import Sightings
from wattkeeper.store import fold as sessions
from wattkeeper.store.cards import card as cards
from wattkeeper.store.fold import Kept
from wattkeeper.store.sessions import meter as readings
from wattkeeper.store.sessions.meter import Key
from wattkeeper.store.stations import station as stations
from wattkeeper.store.unit import Unit

LARGEST_NUMBER = 2**31 - 1
"""1.6 transaction ids are drawn below this: stations keep them in 32 bits, signed."""
NAMELESS = frozenset({None, "", "0", "-1"})
"""Transaction ids that name no transaction (1.6 stations that have none, or lost theirs)."""


def names_transaction(fact: Fact) -> bool:
    """Whether a fact names a transaction that could exist; in 2.x, where events are numbered, any name is one.

    What was imported names none: nothing that a station says can ever be about it.
    """
    if not isinstance(fact, SessionFact) or fact.imported:
        return False
    return fact.ref not in NAMELESS or (fact.seq is not None and bool(fact.ref))


class Desk:
    """Sessions by every way they are found; what is put here is saved when the unit ends."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.cards: dict[str, Card] = {}
        self.bounds = Bounds(unit)
        """What the limits of its cards ask of the store."""
        self.sightings = Sightings(unit)
        """Where its cards were seen."""
        self.limits: dict[str, Decimal | None] = {}
        self._by_id: dict[str, Session] = {}
        self._by_ref: dict[str, dict[str, str]] = {}
        self._by_key: dict[tuple[str, str], str] = {}
        self._by_token: dict[str, set[str]] = {}
        self._stored: dict[str, Kept] = {}
        self._put: dict[str, Kept] = {}
        self._known_stations: set[str] = set()
        self.outside: set[str] = set()
        """Stations that have readings outside of any session which a new session might claim."""
        self._fresh_ids: list[str] = []
        self._fresh_numbers: list[str] = []

    # --- loading ------------------------------------------------------------------------------------

    async def lay(self, told: Iterable[tuple[str, Fact]]) -> None:
        """Load what these facts of these stations concern."""
        refs, keys, tokens = set[str](), set[str](), set[str]()
        openers, places = list[tuple[str, datetime]](), set[str]()
        for station, fact in told:
            if isinstance(fact, SessionFact):
                if names_transaction(fact):
                    refs.add(fact.ref or "")
                elif fact.imported or isinstance(fact, SessionOpened | SessionEnded):
                    keys.add(key_of(fact))
                elif isinstance(fact, MetersRead):
                    places.add(station)
                if isinstance(fact, SessionOpened):
                    openers.append((station, _claims_from(fact, self.unit.now)))
                    places.add(station)
            elif isinstance(fact, StatusChanged):
                places.add(station)
            if isinstance(fact, SessionFact | TokenPresented) and fact.token is not None:
                tokens.add(fact.token)
        await self._load(refs, keys, tokens, places)
        if openers:
            await self._prepare_opening(openers)

    async def _load(self, refs: set[str], keys: set[str], tokens: set[str], places: set[str]) -> None:
        """Ask the store, once for each way of finding."""
        if refs or keys or places or tokens:
            self._known_stations |= places
            found = await sessions.concerned(self.unit, refs=refs, keys=keys, stations=places, tokens=tokens)
            self._place(found)
        if tokens:
            self.cards.update({card.ref: card for card in await cards.ruled(self.unit, tokens)})

    async def _prepare_opening(self, openers: list[tuple[str, datetime]]) -> None:
        """What new sessions need: limits, fresh names, and whether there are readings to claim."""
        places = {station for station, _ in openers}
        known = await stations.max_powers(self.unit, places)
        self.limits |= {station: known.get(station) for station in places}
        self.outside |= await readings.outside_since(self.unit, places, min(at for _, at in openers))
        await self._draw(len(openers))

    async def _draw(self, count: int) -> None:
        """Draw ids and numbers that no session has."""
        ids = {session_id(secrets.randbits(5 * DRAWN)) for _ in range(count)}
        numbers = {str(1 + secrets.randbelow(LARGEST_NUMBER - 1)) for _ in range(count)}
        taken = await sessions.taken(self.unit, [*ids, *numbers]) | self._by_id.keys() | self._by_ref.keys()
        self._fresh_ids += ids - taken
        self._fresh_numbers += numbers - taken

    async def new_id(self) -> str:
        """A public id that no session has."""
        while not self._fresh_ids:
            await self._draw(1)
        return self._fresh_ids.pop()

    async def new_number(self) -> str:
        """A 1.6 transaction id, drawn so that it cannot be predicted, that no session has."""
        while not self._fresh_numbers:
            await self._draw(1)
        return self._fresh_numbers.pop()

    def _place(self, found: Iterable[Kept]) -> None:
        """Lay sessions out as the store has them, unless they lie here already."""
        for kept in found:
            if kept.session.id not in self._by_id:
                self._stored[kept.session.id] = kept
                self._index(kept.session)

    def _index(self, session: Session) -> None:
        self._by_id[session.id] = session
        self._by_key[session.station, session.key] = session.id
        if session.token is not None:
            self._by_token.setdefault(session.token, set()).add(session.id)
        if session.ref is not None:
            self._by_ref.setdefault(session.ref, {})[session.station] = session.id

    # --- finding ------------------------------------------------------------------------------------

    async def get(self, session_id: str) -> Session | None:
        """The session with this id."""
        if session_id not in self._by_id:
            self._place(await sessions.by_ids(self.unit, [session_id]))
        return self._by_id.get(session_id)

    def by_ref(self, station: str, ref: str) -> Session | None:
        """The station's session with this transaction id, among those loaded."""
        found = self._by_ref.get(ref, {}).get(station)
        return self._by_id[found] if found else None

    def foreign(self, station: str, ref: str) -> bool:
        """Whether only other stations have a session with this transaction id."""
        owners = self._by_ref.get(ref, {})
        return bool(owners) and station not in owners

    def given_elsewhere(self, station: str, ref: str) -> bool:
        """Whether we gave this transaction id to another station: then it cannot be this one's own word."""
        owners = self._by_ref.get(ref, {})
        return station not in owners and any(self._by_id[i].key.startswith("start:") for i in owners.values())

    def by_key(self, station: str, key: str) -> Session | None:
        """The station's session with this natural key, among those loaded."""
        found = self._by_key.get((station, key))
        return self._by_id[found] if found else None

    async def live_at(self, station: str, evse: int | None) -> list[Session]:
        """The sessions that occupy this EVSE of the station (any of its EVSEs where None)."""
        if station not in self._known_stations:
            self._known_stations.add(station)
            self._place(await sessions.concerned(self.unit, stations=[station]))
        here = (s for s in self._by_id.values() if s.station == station and s.is_live)
        return [s for s in here if evse is None or s.evse == evse]

    async def ending(self, station: str, at: datetime) -> list[Session]:
        """The station's sessions that began before this instant and were not told to end, or to end right then."""
        self._place(await sessions.ending(self.unit, station, at))
        here = (s for s in self._by_id.values() if s.station == station and not s.imported and s.started_at <= at)
        return [s for s in here if s.ended is None or s.ended.at == at]

    async def covering(self, station: str, evse: int, at: datetime) -> Session | None:
        """The newest ended session that ran at this EVSE at this instant."""
        self._place(await sessions.covering(self.unit, station, evse, at))
        here = (s for s in self._by_id.values() if (s.station, s.evse) == (station, evse) and s.started_at <= at)
        ran = [s for s in here if not s.imported and s.ended_at is not None and at <= s.ended_at]
        return max(ran, key=lambda s: (s.started_at, s.id), default=None)

    async def limit(self, station: str) -> Decimal | None:
        """The most that one EVSE of a station can deliver, W, where it is known."""
        if station not in self.limits:
            self.limits[station] = (await stations.max_powers(self.unit, [station])).get(station)
        return self.limits[station]

    def overlapping(self, token: str, station: str, evse: int | None, at: datetime, beside: str | None) -> int:
        """How many live sessions began on a token before an instant, beside the one that asks and any it supersedes.

        ``evse`` None, of a tap: none at the station counts, for the driver may stand there to end one.
        """
        begun = [s for s in self._live_on(token) if s.id != beside and s.started_at <= at]
        return sum(s.station != station or (evse is not None and s.evse != evse) for s in begun)

    def running(self, token: str) -> list[tuple[str, datetime]]:
        """The stations at which sessions on a token live, and our time when each session was last heard of."""
        kept = ((s.station, self._kept(s.id)) for s in self._live_on(token))
        return [(station, one.heard_at) for station, one in kept if one is not None]

    def begun(self, token: str) -> list[Session]:
        """The sessions that live on a token and were accepted, those of this very unit too."""
        return [s for s in self._live_on(token) if s.verdict is Authorisation.ACCEPTED]

    def runs(self, token: str, station: str) -> bool:
        """Whether a session that was accepted on a token lives at this station."""
        return any(s.station == station and s.verdict is Authorisation.ACCEPTED for s in self._live_on(token))

    async def has_ended_one(self, token: str, station: str, evse: int, beside: str | None) -> bool:
        """Whether a session on a token at an EVSE, beside the one that asks, has ended."""
        known = (self._by_id[i] for i in self._by_token.get(token, ()) if i != beside)
        if any(s.station == station and s.evse in (evse, None) and not s.is_live for s in known):
            return True
        return await sessions.has_ended_on(self.unit, token, station, evse, beside)

    def _live_on(self, token: str) -> list[Session]:
        """The live sessions on a token but those that were refused: they lend it no rights, and take none away."""
        on_it = (self._by_id[i] for i in self._by_token.get(token, ()))
        live = (s for s in on_it if s.token == token and s.is_live)
        return [s for s in live if s.verdict in (None, Authorisation.ACCEPTED)]

    async def are_of_group(self, tokens: Iterable[str], group: str) -> bool:
        """Whether one of these tokens is a card of this group."""
        unknown = [token for token in tokens if token not in self.cards]
        found = await cards.ruled(self.unit, unknown) if unknown else []
        return any(card.group == group for card in (*found, *(self.cards[t] for t in tokens if t in self.cards)))

    async def readings_of(self, session_id: str) -> dict[datetime, tuple[Key, Reading]]:
        """The readings of a session by instant, and where each is kept."""
        kept = self._kept(session_id)
        if kept is None:
            return {}
        await self.unit.flush()
        return await readings.of_session(self.unit, kept.session, kept.known_at, kept.heard_at)

    def began(self, session: Session) -> datetime:
        """When a session began; not later than when it was heard of, whatever its station's clock said."""
        kept = self._kept(session.id)
        return min(session.started_at, kept.known_at) if kept else session.started_at

    def _kept(self, session_id: str) -> Kept | None:
        """A session as put down, or else as the store has it."""
        return self._put.get(session_id) or self._stored.get(session_id)

    # --- putting down ---------------------------------------------------------------------------------

    def put(self, session: Session, heard_at: datetime, n: int, known_at: datetime | None = None) -> None:
        """Keep the session as it now is; it is saved by `clear`. ``known_at``: it was heard of earlier than thought."""
        self._index(session)
        before = self._kept(session.id)
        times = [heard_at, *((before.known_at, before.heard_at) if before else ()), *((known_at,) if known_at else ())]
        self._put[session.id] = Kept(session, min(times), max(times), n)

    def clear(self) -> None:
        """Save what was put down: what frees an EVSE before what occupies it."""
        for kept in sorted(self._put.values(), key=lambda k: k.session.is_live):
            sessions.save(self.unit, kept, self._stored.get(kept.session.id))
        self._put = {}


def _claims_from(fact: SessionOpened, now: datetime) -> datetime:
    """From when on a session that begins may claim readings that belong to none; one that was imported claims none."""
    return now if fact.imported or fact.at is None else min(fact.at, now)


def key_of(fact: SessionFact) -> str:
    """The natural key of the session that a fact belongs to or begins."""
    if fact.imported:
        return imported_key(fact.ref or "")
    if names_transaction(fact):
        return transaction_key(fact.ref or "")
    if isinstance(fact, SessionOpened):
        return start_key(fact)
    register = getattr(fact, "register_wh", None)
    return f"orphan:{fact.evse}:{fact.at}:{register}"
