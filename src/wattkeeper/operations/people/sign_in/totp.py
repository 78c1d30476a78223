"""Codes of authenticator apps (RFC 6238): each is good once, one step of 30 s either side, five tries, then a wait."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import pyotp

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.letters.letters import Kind
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.people.own import Own
from wattkeeper.operations.people.security import Case, judged
from wattkeeper.operations.people.sign_in.attempts import Attempts, need_patience
from wattkeeper.operations.people.sign_in.factors import Changed, Factors, factors_of
from wattkeeper.operations.people.sign_in.recovery import RecoveryCodes
from wattkeeper.operations.safe import Safe
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account, proof
from wattkeeper.store.people.account import AccountRow
from wattkeeper.store.unit import Unit

STEP_S = 30
DIGITS = 6
EITHER_SIDE = 1
TRIES = 5
ISSUER = "Wattkeeper"
WRONG = phrase("This code is wrong, or was used already. Wait for the next one and try again.")
SHORT = phrase("Your password is too short to stand alone. Choose one of at least 15 characters first, or remove it.")


@dataclass(frozen=True, slots=True)
class Setup:
    """What an authenticator app needs, shown this once."""

    secret: str
    """In base 32, to be typed."""
    uri: str
    """The same as ``otpauth:`` address, to be scanned."""


class Totp:
    """Sets up, checks and removes the authenticator app of an account."""

    def __init__(self, store: Store, safe: Safe, mail: Mail, own: Own, codes: RecoveryCodes) -> None:
        self._store = store
        self._safe = safe
        self._mail = mail
        self._own = own
        self._codes = codes
        self._tries = Attempts(free=TRIES, longest_s=900)

    async def begin(self, viewer: Viewer) -> Setup:
        """A new secret, which counts once a code of it was confirmed; Refusal CONFLICT where there is one, PROOF."""
        async with self._store.unit() as unit:
            row = await self._own.changing(unit, viewer)
            if row.totp_confirmed:
                raise Refusal(Code.CONFLICT, phrase("You have an authenticator app already. Remove it first."))
            secret = pyotp.random_base32()
            sealed = await self._safe.seal_for(unit, row.person, "account", "totp", secret.encode())
            await account.change(unit, row.id, totp=sealed, totp_step=0)
            name = (await self._mail.known(unit, row))["name"]
        uri = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S).provisioning_uri(name=name, issuer_name=ISSUER)
        return Setup(secret, uri)

    async def confirm(self, viewer: Viewer, code: str) -> Changed:
        """Begin to ask for its codes, once one is right; Refusal UNAUTHENTICATED, BUSY, CONFLICT, PROOF."""
        begins = self.count(viewer.account)
        async with self._store.unit() as unit:
            row = await self._own.changing(unit, viewer)
            if row.totp is None or row.totp_confirmed:
                raise Refusal(Code.CONFLICT, phrase("There is no authenticator app that waits to be confirmed."))
            with judged(Case.CODES_GUESSED, row.id, begins=begins):
                await self._use(unit, row, code)
            await account.change(unit, row.id, totp_confirmed=True)
            await self._mail.tell(unit, row, Kind.FACTOR_ADDED, what="totp")
            changed = await self._own.changed(unit, viewer, await self._codes.first(unit, row.id))
        self._tries.forgive(viewer.account)
        return changed

    async def remove(self, viewer: Viewer) -> Changed:
        """Stop asking for codes; Refusal NOT_FOUND, PROOF, CONFLICT where the password is too short to stand alone."""
        async with self._store.unit() as unit:
            row = await self._own.changing(unit, viewer)
            if not row.totp_confirmed:
                raise Refusal(Code.NOT_FOUND, phrase("There is no authenticator app in your account."))
            need_long(row, await factors_of(unit.connection, row), totp=False)
            await account.change(unit, row.id, totp=None, totp_confirmed=False)
            await self._codes.tidy(unit, row.id)
            await self._mail.tell(unit, row, Kind.FACTOR_REMOVED, what="totp")
            return await self._own.changed(unit, viewer)

    # --- proving ----------------------------------------------------------------------------------------

    def count(self, key: str) -> bool:
        """Count a try before it is judged, by account or by sign-in; Refusal BUSY after five. Whether waits begin."""
        return need_patience([(self._tries, key)], phrase("Too many wrong codes."))

    async def spend(self, unit: Unit, row: AccountRow, code: str) -> None:
        """Use a code up, whose try was counted; Refusal UNAUTHENTICATED."""
        if row.totp is None or not row.totp_confirmed:
            raise Refusal(Code.UNAUTHENTICATED, WRONG)
        await self._use(unit, row, code)

    def forgive(self, key: str) -> None:
        """The code was right, and what it was for is done."""
        self._tries.forgive(key)

    async def _use(self, unit: Unit, row: AccountRow, code: str) -> None:
        """Use up the step that the code is of: each counts once, and none before it counts any more."""
        assert row.totp is not None
        secret = (await self._safe.unseal_for(unit, row.person, "account", "totp", row.totp)).decode()
        now = int(unit.now.timestamp()) // STEP_S
        app = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S)
        given = code.replace(" ", "").encode("utf-8", "replace")
        steps = [at for at in range(now - EITHER_SIDE, now + EITHER_SIDE + 1) if _same(app.generate_otp(at), given)]
        for step in steps:
            if await proof.use_step(unit, row.id, step):
                return
        raise Refusal(Code.UNAUTHENTICATED, WRONG)


def need_long(row: AccountRow, factors: Factors, *, totp: bool | None = None, passkeys: int | None = None) -> None:
    """Refusal CONFLICT where a password that is too short to stand alone would be left alone."""
    left = (factors.totp if totp is None else totp) or (factors.passkeys if passkeys is None else passkeys)
    if row.password_short and not left:
        raise Refusal(Code.CONFLICT, SHORT)


def _same(right: str, given: bytes) -> bool:
    return hmac.compare_digest(right.encode(), given)
