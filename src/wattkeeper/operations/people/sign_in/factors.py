"""What an account can prove itself with, and what a sign-in or a change of these gives back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.people import passkey, recovery
from wattkeeper.store.people.account import AccountRow

MOST_FAILURES = 100
"""Wrong passwords, ever, after which a password alone opens nothing until its owner proved themselves otherwise."""


class Factor(StrEnum):
    """A way to prove who one is."""

    PASSWORD = "password"
    TOTP = "totp"
    """A code of an authenticator app."""
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"
    MAIL = "mail"
    """A link that was sent by e-mail."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A sign-in: the cookie's value, and what one of is still missing. Until then it is half, and opens nothing."""

    cookie: str
    missing: tuple[Factor, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it opens what its account may do."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change to the ways to prove oneself gives: the sign-in's new cookie, and codes to be shown this once."""

    cookie: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Factors:
    """What an account has."""

    password: bool
    totp: bool
    passkeys: int
    codes: int

    @property
    def second(self) -> bool:
        """Whether there is more than a password."""
        return self.totp or self.passkeys > 0

    def strong(self) -> tuple[Factor, ...]:
        """What completes a sign-in, the best first; empty where there is no second factor."""
        there = {Factor.PASSKEY: self.passkeys > 0, Factor.TOTP: self.totp, Factor.RECOVERY_CODE: self.codes > 0}
        return tuple(factor for factor, has in there.items() if has) if self.second else ()

    def fresh(self) -> tuple[Factor, ...]:
        """What proves freshly who one is: the second factor where there is one, else the password, else a mail."""
        return self.strong() or ((Factor.PASSWORD,) if self.password else (Factor.MAIL,))


async def factors_of(connection: AsyncConnection, row: AccountRow) -> Factors:
    """What an account can prove itself with."""
    keys = await passkey.of_account(connection, row.id)
    codes = await recovery.left(connection, row.id)
    return Factors(row.password_hash is not None, row.totp_confirmed, len(keys), codes)


async def has_second(connection: AsyncConnection, row: AccountRow) -> bool:
    """Whether an account has a second factor."""
    return row.totp_confirmed or bool(await passkey.holders(connection, [row.id]))
