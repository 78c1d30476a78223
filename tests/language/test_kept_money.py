"""Money in sentences that were kept: told as the reader's language writes it."""

from __future__ import annotations

from decimal import Decimal

from wattkeeper.charging.money.payments.paying import EMPTY
from wattkeeper.charging.phrase import Money
from wattkeeper.language import retold, tell_in
from wattkeeper.language.catalogue import SPOKEN


def test_a_kept_refusal_tells_money_anew() -> None:
    before = SPOKEN.set("de")
    try:
        for currency, amount, told in (("EUR", "-1021.41", "-1.021,41\u00a0€"), ("CHF", "3.50", "3,50\u00a0CHF")):
            kept = str(EMPTY.filled(balance=Money(Decimal(amount), currency, 2)))
            assert told in str(tell_in("de", retold(kept)))
    finally:
        SPOKEN.reset(before)
