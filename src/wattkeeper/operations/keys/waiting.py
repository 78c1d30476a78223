"""What is known by its hash alone cannot be hashed anew: codes go on until somebody ends them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.tables import account, card, identity, recovery_code, station
from wattkeeper.store.unit import Unit

R, C, D, S, A = recovery_code.c, card.c, identity.c, station.c, account.c


async def codes_before(connection: AsyncConnection, begun: datetime, version: int) -> dict[str, int]:
    """How much is still known by the codes' keys before this version."""
    older = (
        ("connectors_of_stations", select(func.count()).select_from(station).where(S.created_at < begun)),
        ("recovery_of_accounts", select(func.count(R.account_id.distinct())).where(R.created_at < begun)),
        ("activation_of_cards", select(func.count()).where(C.activation.is_not(None), C.changed_at < begun)),
        ("company_sign_ins", select(func.count()).where(~D.subject_ref.startswith(f"o{version}:"))),
    )
    return {name: int(await connection.scalar(wanted) or 0) for name, wanted in older}


async def end_codes(unit: Unit, begun: datetime, version: int) -> None:
    """Take away what would never be known again: codes given out before, and whose company named them before."""
    await unit.connection.execute(delete(recovery_code).where(R.created_at < begun))
    stale = update(card).where(C.activation.is_not(None), C.changed_at < begun)
    await unit.connection.execute(stale.values(activation=None))
    await unit.connection.execute(delete(identity).where(~D.subject_ref.startswith(f"o{version}:")))


def codes_in_words(told: Mapping[str, int], *, ended: bool) -> list[str]:
    """What goes on or stopped, in words."""
    verb = "stopped" if ended else "would stop"
    lines = [line for count, line in zip(told.values(), _lines(told, verb), strict=True) if count]
    if ended:
        return ["The pepper of codes before is destroyed.", *(["With it:", *lines] if lines else [])]
    more = "New codes are made by a fresh pepper; those given out before go on. To end them: "
    ending = f"{more}wattkeeper keys rotate codes --end"
    return [ending, *(["With that:", *lines] if lines else [])]


def _lines(told: Mapping[str, int], verb: str) -> list[str]:
    stations, accounts, cards, companies = told.values()
    return [
        f"  codes printed on connectors of {stations:,} stations {verb}: print them again from each station's page",
        f"  recovery codes of {accounts:,} accounts {verb}: their owners make new ones under 'Sign-in'",
        f"  activation codes that came with {cards:,} cards {verb}: make new ones",
        f"  sign-ins through a company of {companies:,} people {verb}, but for those who signed in since",
    ]
