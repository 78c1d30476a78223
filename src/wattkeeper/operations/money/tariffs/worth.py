"""What sessions come to: the money function, given what it needs of a session and no more.

By a tariff for which only sums count, a session's sums are enough, and they are kept with it. Any other tariff needs
its readings, and where idle time costs something also what the station told beside them. Bills by readings are
remembered as long as nothing more is told of their session.
"""

from __future__ import annotations

import asyncio

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.bill import Bill, price
from wattkeeper.charging.money.stay import GONE, Stay, pauses, stay_after
from wattkeeper.charging.money.tariffs.tariff import Tariff
from wattkeeper.charging.money.usage import Usage, outlined, usage
from wattkeeper.charging.session import Session
from wattkeeper.store.money.tariffs.tariff import TariffRow
from wattkeeper.store.sessions import reading, stay

_KNOWN: dict[tuple[str, int, str, int], Bill] = {}
"""Bills by session, the newest entry folded into it, and tariff: never out of date."""
MOST_KNOWN = 4096
MUCH = 2_000
"""Stretches times prices, from which on working out takes longer than a station should wait."""


async def bill_of(connection: AsyncConnection, session: Session, last_n: int, row: TariffRow) -> Bill:
    """What a session costs by a tariff: the amounts are right, the instants of its lines may be left out."""
    if row.tariff.is_plain:
        return price(outlined(session), row.tariff)
    key = (session.id, last_n, row.id, row.version)
    if row.tariff.bills_blocking or key not in _KNOWN:
        bill = await worked_out(await usage_of(connection, session, row.tariff), row.tariff)
        if len(_KNOWN) >= MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[key] = bill
    return _KNOWN[key]


async def worked_out(used: Usage, tariff: Tariff) -> Bill:
    """The money function; what takes long is worked out beside everything else, so that stations do not wait for it."""
    if len(used.intervals) * (1 + len(tariff.elements)) < MUCH:
        return price(used, tariff)
    return await asyncio.to_thread(price, used, tariff)


async def usage_of(
    connection: AsyncConnection, session: Session, tariff: Tariff | None, stayed: Stay | None = None
) -> Usage:
    """What is priced of a session by a tariff, from all that was told of it; ``stayed``: as `stay_of` has found."""
    told = await reading.registers(connection, session.id)
    if tariff is None or not tariff.prices_idling:
        return usage(session, told)
    stayed = stayed or await stay_of(connection, session, tariff)
    return usage(session, told, pauses(await stay.flow_told(connection, session)), stayed.until)


async def stay_of(connection: AsyncConnection, session: Session, tariff: Tariff | None) -> Stay:
    """How a car stayed after its session, where that may cost something by a tariff."""
    if tariff is None or not (tariff.bills_blocking and tariff.prices_idling) or session.ended_at is None:
        return GONE
    return stay_after(session, await stay.afterwards_told(connection, session))
