"""What sessions come to: the money function, given what it needs of a session and no more.

By a tariff for which only sums count, a session's sums are enough, and they are kept with it. Any other tariff needs
its readings; what they came to is remembered as long as the session does not change.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.bill import Bill, price
from wattkeeper.charging.session import Session
from wattkeeper.charging.usage import Usage, outlined, usage
from wattkeeper.store import reading
from wattkeeper.store.tariff import TariffRow

_KNOWN: dict[tuple[str, str, int], tuple[Session, Bill]] = {}
"""Bills by session and tariff, with the session as it was then: looked up by the whole of it, so never out of date."""
MOST_KNOWN = 4096


async def bill_of(connection: AsyncConnection, session: Session, row: TariffRow) -> Bill:
    """What a session costs by a tariff: the amounts are right, the instants of its lines may be left out."""
    if row.tariff.is_plain:
        return price(outlined(session), row.tariff)
    key = (session.id, row.id, row.version)
    known = _KNOWN.get(key)
    if known is not None and known[0] == session:
        return known[1]
    bill = price(await usage_of(connection, session), row.tariff)
    if len(_KNOWN) >= MOST_KNOWN:
        _KNOWN.clear()
    _KNOWN[key] = session, bill
    return bill


async def usage_of(connection: AsyncConnection, session: Session) -> Usage:
    """What is priced of a session, from its readings."""
    return usage(session, await reading.registers(connection, session.id))
