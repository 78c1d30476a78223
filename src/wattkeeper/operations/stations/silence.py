"""Sessions whose station fell silent are closed by an estimate that says so; the true end replaces it."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from sqlalchemy import select

from wattkeeper.charging.evidence import SILENT, duration
from wattkeeper.charging.facts import EstimateCause, SessionEstimated
from wattkeeper.charging.session import Session
from wattkeeper.operations.intake import Intake
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.fold import decode
from wattkeeper.store.tables import session, station_state

log = logging.getLogger("wattkeeper.silence")


async def silent_sessions(store: Store, silence_s: float) -> list[Session]:
    """The live sessions of stations not heard of for so long."""
    before = store.clock() - timedelta(seconds=silence_s)
    query = (
        select(session.c.fold)
        .join(station_state, station_state.c.station_id == session.c.station_id)
        .where(session.c.live, session.c.heard_at < before, station_state.c.last_heard_at < before)
        .limit(500)
    )
    async with store.read() as connection:
        return [decode(fold) for (fold,) in await connection.execute(query)]


async def close_silent(store: Store, intake: Intake, silence_s: float) -> int:
    """Close by estimate what fell silent; gives how many."""
    found = await silent_sessions(store, silence_s)
    reason = SILENT.filled(duration=duration(int(silence_s)))
    for one in found:
        estimate = SessionEstimated(
            at=one.last_at, session=one.id, cause=EstimateCause.SILENCE, reason=reason, by="wattkeeper"
        )
        await intake.record(one.station, estimate)
    return len(found)


async def watch(store: Store, intake: Intake, settings: Settings) -> None:
    """Look for silent sessions for as long as the installation runs."""
    while True:
        await asyncio.sleep(min(60.0, settings.silence_s / 4))
        try:
            await close_silent(store, intake, settings.silence_s)
        except Exception:
            log.exception("looking for silent sessions failed; trying again")
