"""What is said of what figures lack: for how long cars charged, where meters told nothing of it; and other money."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from wattkeeper.charging.money.exact import divided
from wattkeeper.charging.phrase import Figure, Said, joined, phrase
from wattkeeper.store.statistics.other_money import Sum
from wattkeeper.store.statistics.total import Total
from wattkeeper.web.operator.said import money

UNKNOWN = phrase(
    "For how long cars charged is not known of {some} of {all} sessions ({hours} of {plugged} plugged in): "
    "their meters told nothing between begin and end."
)

MOSTLY_UNKNOWN = phrase("For how long cars charged and stood there full is mostly not known")

LEAST_S = Decimal(180)
"""What is less changes no figure that is shown: it would be 0.0 h."""


OTHER_MONEY = phrase("{amount} were billed in another currency, and are in no amount here.")


def hours(spent_s: Decimal) -> Figure:
    """A time in hours."""
    return Figure(divided(spent_s, 3600), 1, "h")


def said_unknown(total: Total) -> Said:
    """Of how many sessions it is not known; nothing where their time does not come to a tenth of an hour."""
    if total.unknown_s < LEAST_S:
        return joined(())
    some, every = (Figure(Decimal(count), 0) for count in (total.unknown, total.sessions))
    return UNKNOWN.filled(some=some, all=every, hours=hours(total.unknown_s), plugged=hours(total.plugged_s))


def said_other_money(billed: Sequence[Sum]) -> Said:
    """That some was billed in other money than what the amounts are in."""
    return joined([OTHER_MONEY.filled(amount=money(one.gross_minor, one.currency, one.digits)) for one in billed])
