"""What an operator should hear of attacks on accounts and payments: one line each in the log ``wattkeeper.security``.

A line names the case and the account's id; no name, address, password, code or token is ever in it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from wattkeeper.charging.errors import Code, Refusal

log = logging.getLogger("wattkeeper.security")


class Case(StrEnum):
    """What happened; these names stay as they are, so that they can be searched for."""

    PASSWORDS_GUESSED = "passwords_guessed"
    CODES_GUESSED = "codes_guessed"
    PASSKEY_COPIED = "passkey_copied"
    FOREIGN_FORM = "foreign_form"
    CODE_TWICE = "code_twice"
    REFRESH_TWICE = "refresh_twice"
    LETTERS_FLOOD = "letters_flood"
    PAYMENT_FORGED = "payment_forged"
    PAYMENT_REPLAYED = "payment_replayed"
    PAYMENT_DIFFERS = "payment_differs"


def note(case: Case, account: str = "") -> None:
    """Write one event down; ``account`` is its id, empty where there is none or nobody knows which."""
    log.warning("security event %s, account %s", case, account or "-", extra={"event": str(case), "account": account})


@contextmanager
def judged(case: Case, account: str, *, begins: bool) -> Iterator[None]:
    """Judge a guess within; where it is wrong and ``begins`` the wait, that is noted: once, not for each guess."""
    try:
        yield
    except Refusal as refusal:
        if begins and refusal.code is Code.UNAUTHENTICATED:
            note(case, account)
        raise
