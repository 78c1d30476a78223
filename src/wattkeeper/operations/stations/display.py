"""A session's id on its station's display, where the station can show messages (2.x SetDisplayMessage)."""

from __future__ import annotations

import logging
from zlib import crc32

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.orders import ShowMessage
from wattkeeper.operations.dispatch import Dispatch
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import journal, session, station_state

log = logging.getLogger("wattkeeper.display")


async def _newest(connection: AsyncConnection) -> int:
    """The number of the newest journal entry."""
    return int((await connection.execute(select(func.max(journal.c.n)))).scalar() or 0)


async def _opened_after(connection: AsyncConnection, n: int) -> list[tuple[str, str, str]]:
    """Station, session and transaction id of sessions begun after n at stations that show messages."""
    query = (
        select(session.c.station_id, session.c.id, session.c.ref)
        .join(journal, journal.c.session_id == session.c.id)
        .join(station_state, station_state.c.station_id == session.c.station_id)
        .where(journal.c.n > n, journal.c.kind == "SessionOpened", session.c.live, station_state.c.displays_messages)
        .distinct()
    )
    return [tuple(row) for row in await connection.execute(query)]


async def show_sessions(store: Store, bus: Bus, dispatch: Dispatch) -> None:
    """Show each new session's id at its station, for as long as the installation runs."""
    async with store.read() as connection:
        seen = await _newest(connection)
    async with bus.listen("displays") as hints:
        async for _ in hints:
            async with store.read() as connection:
                newest = await _newest(connection)
                found = await _opened_after(connection, seen)
            seen = newest
            for station, session_id, ref in found:
                await _show(dispatch, station, session_id, ref)


async def _show(dispatch: Dispatch, station: str, session_id: str, ref: str) -> None:
    """Ask a station to show a session's id."""
    text = f"Session {shown(session_id)}"
    message = ShowMessage(text=text, ref=ref, message_id=crc32(session_id.encode()) & 0x7FFFFFFF)
    try:
        await dispatch.order(station, message, by="wattkeeper")
    except Refusal as refusal:
        log.info("%s does not show session ids: %s", station, refusal.why)
