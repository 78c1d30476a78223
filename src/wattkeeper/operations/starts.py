"""Starts from a phone: asked, taken by the station, charging; or refused, with why in the driver's words."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from wattkeeper.charging.cards.token import Asked, may_charge
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.orders import OrderState, Outcome, StartCharging, StopCharging
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import joined, phrase
from wattkeeper.charging.session import SessionState
from wattkeeper.charging.station import ConnectorStatus
from wattkeeper.language import retold
from wattkeeper.operations.cards.book import Cards
from wattkeeper.operations.cards.bounds import by_phone
from wattkeeper.operations.cards.once import CABLE_WITHIN
from wattkeeper.operations.dispatch import Dispatch
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.stations.places import Outlet, Places, Use, use_of
from wattkeeper.settings import Settings
from wattkeeper.store.cards import card as cards
from wattkeeper.store.engines import Store
from wattkeeper.store.sessions import start as starts
from wattkeeper.store.sessions.start import StartRow
from wattkeeper.store.stations import place as places
from wattkeeper.store.stations.place import PlaceRow
from wattkeeper.store.unit import Unit


class StartState(StrEnum):
    """Where a start is in its life."""

    ASKED = "asked"
    """The station was asked and has not answered."""
    TAKEN = "taken"
    """The station accepted; the cable may be missing still."""
    CHARGING = "charging"
    """Its session runs."""
    REFUSED = "refused"
    """It will not charge; `why` says why."""
    LATE = "late"
    """The station accepted, but no session began in time."""
    STOPPED = "stopped"
    """Its session ended, or it was called off."""


OPEN = frozenset({StartState.ASKED, StartState.TAKEN})
"""States that something will follow by itself."""
OVER = frozenset({StartState.REFUSED, StartState.LATE})
"""States in which the driver may be gone: nobody else's car shall begin on the token."""


@dataclass(frozen=True, slots=True)
class StartView:
    """A start as its driver sees it."""

    id: str
    state: StartState
    words: str
    """What is going on and what to do, in a sentence or two."""
    why: str | None
    """Why it was refused or came to nothing."""
    station: str
    name: str
    """The station's name for people."""
    evse: int
    session: str | None
    """The session it became, without dashes."""
    plug_in_by: datetime | None
    """Until when the cable may be plugged in; None where that is no question."""
    created_at: datetime
    settled_at: datetime | None


SEND_WITHIN_S = 15.0
"""An order that has not gone out by then is not sent any more: the driver has been told that it failed."""
TOKEN_LASTS = timedelta(minutes=15)
"""How long the token of a start is good to begin a session: a station may tell of it a little late."""
ORDERED_WITHIN = timedelta(seconds=10)
"""A start whose order is not kept by then was cut off before it was asked."""
MOST_AT_ONCE = 3
"""How many sessions of one person may live at once for another to start; more where one of their cards may more."""
SESSION_WORDS = {
    SessionState.OPEN: phrase("The car is connected; no power flows yet."),
    SessionState.CHARGING: phrase("It charges."),
    SessionState.SUSPENDED: phrase("It is paused: by the car, or because the station has no power to give just now."),
}
IN_USE = phrase("Somebody else charges here.")
OTHERS = phrase("Somebody else is just starting here.")
RESERVED = phrase("It is reserved for somebody else.")
OFFLINE = phrase("The station cannot be reached now. Try again, or use another one.")
BROKEN = phrase("The connector is out of order. Use another one.")
CABLE_OUT = phrase("The station declined. Plug in the cable first, then start again.")
DECLINED = phrase("The station declined without saying why. Check the cable, then try again.")
NO_ANSWER = phrase("The station did not answer. Try again, or use another one.")
NOT_UNDERSTOOD = phrase("The station did not understand. Tell support, and use another one.")
CUT_OFF = phrase("We were interrupted before the station was asked. Start again.")
NOTHING_BEGAN = phrase(
    "The station was ready, but nothing began: was the cable plugged in? Plug it in, then start again."
)
CALLED_OFF = phrase("You called it off.")
TOO_MANY = phrase("You charge at {places} places already. Stop one of them first.", places=MOST_AT_ONCE)
PLUGGED = frozenset({ConnectorStatus.OCCUPIED, ConnectorStatus.PREPARING, ConnectorStatus.CHARGING})


class Starts:
    """Starts and stops charging from a phone, always the viewer's own."""

    def __init__(
        self, store: Store, safe: Safe, settings: Settings, dispatch: Dispatch, cards: Cards, places: Places
    ) -> None:
        self._store = store
        self._settings = settings
        self._safe = safe
        self._dispatch = dispatch
        self._cards = cards
        self._places = places

    async def start(
        self,
        viewer: Viewer,
        code: str | None = None,
        station: str | None = None,
        evse: int | None = None,
        *,
        key: str = "",
        address: str = "",
    ) -> StartView:
        """Start charging at the connector with this code, or at a listed station's EVSE.

        ``key`` is the client's own for this wish (Idempotency-Key): told again, it is the same start. What the
        station or the rule declines is a start that is refused, with `why`. Refusal NOT_FOUND, INVALID, BUSY.
        """
        person = viewer.need_own(Scope.CHARGING_START)
        _, outlet = await self._places.outlet(viewer, code, station, evse, address)
        identifier = self._name(person, key)
        async with self._store.unit() as unit:
            await starts.lock(unit, outlet.station, person)
            again = await self._again(unit, person, identifier, outlet)
            uid = None if again else await self._keep(unit, viewer, identifier, outlet)
        if uid is not None:
            await self._ask(viewer, identifier, outlet, uid)
        return await self.view(viewer, again or identifier)

    async def view(self, viewer: Viewer, start: str) -> StartView:
        """One's own start as it stands; Refusal NOT_FOUND."""
        person = viewer.need_own(Scope.CHARGING_START)
        async with self._store.read() as connection:
            row = await starts.one(connection, person, start)
            if row is None:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such start."))
            place = (await places.named(connection, [row.station])).get(row.station)
        return await self._told(row, place)

    async def mine(self, viewer: Viewer, limit: int = 10) -> list[StartView]:
        """One's own newest starts, the newest first."""
        person = viewer.need_own(Scope.CHARGING_START)
        async with self._store.read() as connection:
            rows = await starts.newest(connection, person, limit)
            found = await places.named(connection, {row.station for row in rows})
        return [await self._told(row, found.get(row.station)) for row in rows]

    async def stop(self, viewer: Viewer, start: str) -> StartView:
        """Stop what one's own start began, or call it off before it did; Refusal NOT_FOUND, OFFLINE, CONFLICT."""
        view = await self.view(viewer, start)
        if view.session is not None and view.state is StartState.CHARGING:
            await self.stop_session(viewer, view.session)
        elif view.state in OPEN:
            await self._call_off(viewer, start)
        return await self.view(viewer, start)

    async def stop_session(self, viewer: Viewer, session: str) -> str:
        """Ask the station to stop one's own session (id without dashes), started by phone or card; the order's id.

        Refusal NOT_FOUND, CONFLICT (it has ended), OFFLINE.
        """
        person = viewer.need_own(Scope.CHARGING_START)
        async with self._store.read() as connection:
            own = await starts.own_session(connection, person, session)
        if own is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such session."))
        if not own.live:
            raise Refusal(Code.CONFLICT, phrase("This session has ended already."))
        if own.ref is None:
            raise Refusal(
                Code.CONFLICT, phrase("The station never named this session, so it cannot be told. Unplug instead.")
            )
        stop = StopCharging(ref=own.ref)
        view = await self._dispatch.order(
            own.station, stop, viewer.name, only_if_connected=True, within_s=SEND_WITHIN_S
        )
        return view.id

    # --- starting -------------------------------------------------------------------------------------

    def _name(self, person: str, key: str) -> str:
        """The id of a start: drawn, or the same for the same wish of the same person."""
        if not key:
            return secrets.token_hex(8)
        return self._safe.tag("start", f"{person}/{key}".encode(), 8).hex()

    async def _again(self, unit: Unit, person: str, identifier: str, outlet: Outlet) -> str | None:
        """The start that this is a repetition of: by its key, or one of the same person here that is still open."""
        same = await starts.kept(unit.connection, identifier)
        if same is not None:
            if (same.person, same.station, same.evse) != (person, outlet.station, outlet.evse):
                raise Refusal(Code.CONFLICT, phrase("This key was used for a start elsewhere. Use another one."))
            return same.id
        return next((one.id for one in await self._open_here(unit, outlet) if one.person == person), None)

    async def _open_here(self, unit: Unit, outlet: Outlet) -> list[StartRow]:
        """Starts at an EVSE that may yet become a session, or have."""
        since = unit.now - TOKEN_LASTS
        rows = await starts.here(unit.connection, outlet.station, outlet.evse, since)
        return [row for row in rows if follow(row, None, unit.now)[0] in (*OPEN, StartState.CHARGING)]

    async def _keep(self, unit: Unit, viewer: Viewer, identifier: str, outlet: Outlet) -> str | None:
        """Keep a start, and give the token made for it; None where it is refused without asking the station."""
        kept = (viewer.person, viewer.account)
        where = (outlet.station, outlet.evse)
        why = await self._objection(unit, viewer, outlet)
        if why is not None:
            await starts.keep(unit, identifier, *kept, f"none:{identifier}", *where, StartState.REFUSED, why)
            return None
        await starts.end_earlier(unit, *where)
        ref, uid = await self._cards.make_app_token(unit, viewer.person, *where, unit.now + TOKEN_LASTS)
        await unit.flush()
        card = next(iter(await cards.ruled(unit, [ref])), None)
        verdict = may_charge(card, Asked(unit.now, unit.now, station=outlet.station, evse=outlet.evse))
        why = None if verdict.accepted else verdict.reason
        await starts.keep(unit, identifier, *kept, ref, *where, StartState.REFUSED if why else StartState.ASKED, why)
        return None if why else uid

    async def _objection(self, unit: Unit, viewer: Viewer, outlet: Outlet) -> str | None:
        """Why a start is refused without asking the station."""
        place = (await places.named(unit.connection, [outlet.station])).get(outlet.station)
        if place is None or not self._dispatch.connected(outlet.station):
            return OFFLINE
        if outlet.evse in place.occupied:
            return IN_USE
        if use_of(place, outlet.evse)[0] is Use.OUT_OF_ORDER:
            return BROKEN
        if await self._open_here(unit, outlet):
            return OTHERS
        why, most = await by_phone(unit, viewer.person, outlet.station, outlet.evse, self._settings)
        most = max(most, MOST_AT_ONCE)
        return TOO_MANY.filled(places=most) if await self._at_once(unit, viewer.person) >= most else why

    async def _at_once(self, unit: Unit, person: str) -> int:
        """At how many connectors a person charges or is about to: who only asks keeps others away there too."""
        rows = await starts.waiting(unit.connection, person, unit.now - TOKEN_LASTS)
        about_to = sum(follow(row, None, unit.now)[0] in OPEN for row in rows)
        return about_to + await starts.live_of(unit.connection, person)

    async def _ask(self, viewer: Viewer, identifier: str, outlet: Outlet, uid: str) -> None:
        """Order the start; what cannot be ordered is refused in the driver's words."""
        order = StartCharging(uid=uid, evse=outlet.evse)
        how = {"only_if_connected": True, "within_s": SEND_WITHIN_S, "identifier": identifier}
        try:
            await self._dispatch.order(outlet.station, order, viewer.name, **how)  # type: ignore[arg-type]
        except Refusal as refusal:
            why = OFFLINE if refusal.code in (Code.OFFLINE, Code.NOT_FOUND) else NOT_UNDERSTOOD
            await self._settle(viewer.person, identifier, StartState.REFUSED, why)

    async def _call_off(self, viewer: Viewer, start: str) -> None:
        """End a start that has not become a session: nothing begins on its token any more."""
        await self._settle(viewer.person, start, StartState.STOPPED, CALLED_OFF)

    async def _settle(self, person: str, start: str, state: StartState, why: str) -> None:
        """Note what became of a start for good."""
        async with self._store.unit() as unit:
            row = await starts.one(unit.connection, person, start)
            if row is not None:
                await starts.settle(unit, row, state, why, is_settled=True)
                await starts.end_token(unit, row.ref)

    # --- as told --------------------------------------------------------------------------------------

    async def _told(self, row: StartRow, place: PlaceRow | None) -> StartView:
        """A start as its driver sees it; how it stands is kept where that has changed."""
        now = self._store.clock()
        state, why = follow(row, place, now)
        if (state, why) != (row.state, row.why):
            row, state, why = await self._note(row, place, now)
        why = None if why is None else retold(why)
        is_waiting = state is StartState.TAKEN and not _is_plugged(place, row.evse)
        return StartView(
            id=row.id,
            state=state,
            words=_words(row, state, why, is_waiting),
            why=why,
            station=row.station,
            name=(place.label if place else "") or row.station,
            evse=row.evse,
            session=row.session,
            plug_in_by=(row.answered_at or row.created_at) + CABLE_WITHIN if is_waiting else None,
            created_at=row.created_at,
            settled_at=row.settled_at or (None if state in OPEN else now),
        )

    async def _note(
        self, row: StartRow, place: PlaceRow | None, now: datetime
    ) -> tuple[StartRow, StartState, str | None]:
        """Keep how a start stands, looked at once more: what has begun since on its token is not refused after all."""
        async with self._store.unit() as unit:
            row = await starts.one(unit.connection, row.person, row.id) or row
            state, why = follow(row, place, now)
            await starts.settle(unit, row, state, why, is_settled=state not in OPEN)
            if state in OVER:
                await starts.end_token(unit, row.ref)
        return row, state, why


def follow(row: StartRow, place: PlaceRow | None, now: datetime) -> tuple[StartState, str | None]:
    """How a start stands, and why it came to nothing: by its session, else by its order, else by time."""
    if row.session is not None:
        return (StartState.CHARGING if row.live else StartState.STOPPED), None
    if row.state in (StartState.REFUSED, StartState.STOPPED):
        return StartState(row.state), row.why
    if row.order_state is None:
        is_lost = now - row.created_at > ORDERED_WITHIN
        return (StartState.REFUSED, CUT_OFF) if is_lost else (StartState.ASKED, None)
    if row.outcome is None:
        return StartState.ASKED, None
    if row.outcome is not Outcome.ACCEPTED:
        return StartState.REFUSED, row.why or _declined(row, place)
    is_late = now - (row.answered_at or row.created_at) > CABLE_WITHIN
    return (StartState.LATE, NOTHING_BEGAN) if is_late else (StartState.TAKEN, None)


def _declined(row: StartRow, place: PlaceRow | None) -> str:
    """Why the station did not take a start, as far as its answer and its connector tell."""
    if row.order_state is OrderState.EXPIRED or row.outcome is Outcome.TIMEOUT:
        return NO_ANSWER
    if row.outcome is Outcome.ERROR or place is None:
        return NOT_UNDERSTOOD
    told = set(place.statuses.get(row.evse, ()))
    reasons = (
        (row.evse in place.occupied, IN_USE),
        (ConnectorStatus.RESERVED in told, RESERVED),
        (use_of(place, row.evse)[0] is Use.OUT_OF_ORDER, BROKEN if place.online else OFFLINE),
        (ConnectorStatus.AVAILABLE in told, CABLE_OUT),
    )
    return next((words for holds, words in reasons if holds), DECLINED)


def _is_plugged(place: PlaceRow | None, evse: int) -> bool:
    """Whether a cable seems to be in."""
    return place is not None and bool(PLUGGED & set(place.statuses.get(evse, ())))


def _words(row: StartRow, state: StartState, why: str | None, is_waiting: bool) -> str:
    """What is going on and what to do."""
    if state is StartState.CHARGING and row.session_state is not None:
        return SESSION_WORDS.get(row.session_state, "")
    if state is StartState.TAKEN:
        ready = phrase("The station is ready. Plug in the cable now.")
        return ready if is_waiting else phrase("The station begins.")
    if state is StartState.REFUSED:
        return joined((phrase("It did not start."), why or ""))
    return phrase("The station is being asked.") if state is StartState.ASKED else why or phrase("It has ended.")
