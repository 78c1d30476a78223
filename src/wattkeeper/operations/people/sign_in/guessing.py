"""Passwords, judged: guessers wait, owners do not, and no password is ever guessed at more than a hundred times.

A known and an unknown name take the same steps: one account, nobody's, stands in for all that do not exist.
"""

from __future__ import annotations

from dataclasses import dataclass

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.address import is_mail
from wattkeeper.operations.people.letters.letters import Kind
from wattkeeper.operations.people.letters.mail import ask
from wattkeeper.operations.people.security import Case, judged
from wattkeeper.operations.people.sign_in.attempts import Attempts, need_patience, neighbourhood
from wattkeeper.operations.people.sign_in.factors import MOST_FAILURES
from wattkeeper.operations.people.sign_in.password import Passwords
from wattkeeper.operations.safe import Safe
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account, proof
from wattkeeper.store.people.account import AccountRow, AccountState
from wattkeeper.store.unit import Unit

NOBODY = "nobody"
"""The account that stands in for those that do not exist; it is disabled, and its name is no pseudonym of any."""
WRONG = phrase("The name or the password is wrong.")
_KNOWN = 10_000
"""How many pairs of account and address are remembered as having signed in before."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Whose password it was."""

    row: AccountRow
    failures: int
    """Wrong passwords for the account, ever; beyond `MOST_FAILURES` the right one is not enough alone."""
    by_mail: bool
    """Whether the account has an e-mail address; those made at the command line have none."""


class Guessing:
    """Counts guesses by account and address, and judges them."""

    def __init__(self, store: Store, safe: Safe, passwords: Passwords) -> None:
        self._store = store
        self._safe = safe
        self._passwords = passwords
        self._by_address = Attempts(free=20, longest_s=900)
        self._by_account = Attempts(free=10, longest_s=900)
        self._at_home = Attempts(free=10, longest_s=60)
        self._homes: dict[tuple[str, str], None] = {}

    async def judge(self, name: str, password: str, address: str) -> Judged:
        """Whose name and password these are; Refusal UNAUTHENTICATED for every reason, BUSY with ``retry_s``."""
        ref, place = self._safe.name_ref(name), neighbourhood(address)
        home, begins = self._count(ref, place)
        async with self._store.unit() as unit:
            row = await self._note(unit, ref)
        kept = row.password_hash if row is not None and row.state is AccountState.ACTIVE else None
        if row is not None and row.failures > MOST_FAILURES and not home:
            kept = None  # judging it would tell a guesser, in the end, that it is right
        whose = "" if row is None or row.id == NOBODY else row.id
        with judged(Case.PASSWORDS_GUESSED, whose, begins=begins, place=address):
            if not await self._passwords.fits(kept, password, familiar=home) or row is None:
                raise Refusal(Code.UNAUTHENTICATED, WRONG)
        async with self._store.unit() as unit:
            await proof.take_back_failure(unit, row.id)
        self._forgive(ref, place, home)
        return Judged(row, row.failures, is_mail(name))

    async def count_code(self, account_id: str) -> None:
        """Count a code of a second factor, before it is judged, like a password: who knows that has no more tries."""
        async with self._store.unit() as unit:
            await self._tell(unit, await proof.count_failure_of(unit, account_id))

    def came_in(self, name: str, address: str) -> None:
        """Somebody of this name is in, and nothing is missing: this address is theirs from now on.

        What is counted against the address stays: else whoever has an account guesses at others' from there for ever.
        """
        ref, place = self._safe.name_ref(name), neighbourhood(address)
        self._by_account.forgive(ref)
        self._homes.pop((ref, place), None)
        self._homes[ref, place] = None
        if len(self._homes) > _KNOWN:
            del self._homes[next(iter(self._homes))]

    def _forgive(self, ref: str, place: str, home: bool) -> None:
        """The password was right: the guess is not counted against this account at this address."""
        if home:
            self._at_home.forgive(f"{ref}@{place}")
        else:
            self._by_account.forgive(ref)
            self._by_address.take_back(place)

    async def _note(self, unit: Unit, ref: str) -> AccountRow | None:
        """Count a guess, before it is judged; its owner is told once when it is one too many."""
        row = await proof.count_failure(unit, ref, NOBODY)
        if row is None:
            await account.make(unit, NOBODY, NOBODY, NOBODY, b"", Role.DRIVER, AccountState.DISABLED, NOBODY)
        await self._tell(unit, row)
        return row

    async def _tell(self, unit: Unit, row: AccountRow | None) -> None:
        """Write to the owner, once, where a guess was one too many."""
        if row is not None and row.failures == MOST_FAILURES + 1 and row.id != NOBODY:
            await ask(unit, self._safe, Kind.GUESSED, {"account": row.id})

    def _count(self, ref: str, place: str) -> tuple[bool, bool]:
        """Count a guess before it is judged; whether the account signed in from here before, and whether waits begin.

        Where it has, strangers' guesses from elsewhere do not make it wait: its owner is never locked out by them.
        """
        home = (ref, place) in self._homes
        judges = [(self._by_account, ref), (self._by_address, place)]
        if home:
            judges = [(self._at_home, f"{ref}@{place}")]
        return home, need_patience(judges, phrase("Too many wrong passwords."))
