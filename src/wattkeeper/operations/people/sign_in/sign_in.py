"""Signing in, step by step, and showing freshly that one still is who signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.access import Access, digest
from wattkeeper.operations.people.letters.letters import Kind
from wattkeeper.operations.people.letters.links import GONE, Links
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.people.own import Own
from wattkeeper.operations.people.security import Case, judged
from wattkeeper.operations.people.sign_in.attempts import Attempts, need_patience, neighbourhood
from wattkeeper.operations.people.sign_in.factors import Entered, Factor, factors_of
from wattkeeper.operations.people.sign_in.passkeys import Json, Passkeys
from wattkeeper.operations.people.sign_in.recovery import RecoveryCodes
from wattkeeper.operations.people.sign_in.totp import Totp
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account, proof
from wattkeeper.store.people.account import AccountRow, AccountState, LoginRow
from wattkeeper.store.people.secret_link import Purpose
from wattkeeper.store.unit import Unit

ENDED = phrase("This sign-in was not finished in time. Begin again.")
ELSEWHERE = phrase(
    "Open this link in the browser in which you typed your password, within ten minutes; or sign in anew there."
)
STRONGER = phrase("You have a stronger way to prove who you are: use that.")


class SignIn:
    """The ways in. What they give is a cookie: a half one, until nothing is missing any more."""

    def __init__(
        self,
        store: Store,
        access: Access,
        mail: Mail,
        links: Links,
        own: Own,
        passkeys: Passkeys,
        totp: Totp,
        codes: RecoveryCodes,
    ) -> None:
        self._store = store
        self._access = access
        self._mail = mail
        self._links = links
        self._own = own
        self._passkeys = passkeys
        self._totp = totp
        self._codes = codes
        self._asking = Attempts(free=60, longest_s=60)
        """Challenges by address, so that nobody fills the store with them."""

    # --- the first step ---------------------------------------------------------------------------------

    async def password(self, name: str, password: str, address: str, device: str = "") -> Entered:
        """Sign in by name and password; Refusal UNAUTHENTICATED for every reason, BUSY with ``retry_s``.

        Where a mail is what is missing, it was queued.
        """
        entered = await self._access.enter(name, password, address, device)
        if Factor.MAIL in entered.missing:
            async with self._store.unit() as unit:
                login, row = await self._half(unit, entered.cookie)
                await self._mail.ask(unit, Kind.STEP, {"account": row.id, "login": login.id})
        return entered

    async def passkey_options(self, address: str = "") -> Json:
        """What `navigator.credentials.get` needs, the same for everybody; Refusal BUSY, CONFLICT (no host name)."""
        need_patience([(self._asking, neighbourhood(address))], phrase("Too many tries from here."))
        return await self._passkeys.asked()

    async def passkey(self, credential: Json, address: str, device: str = "", cookie: str = "") -> Entered:
        """Sign in by passkey alone, or complete the half sign-in of this cookie; Refusal UNAUTHENTICATED."""
        row = await self._passkeys.proved(credential)
        self._asking.forgive(neighbourhood(address))
        async with self._store.unit() as unit:
            row = await _active(unit, row)
            if cookie and (await self._half_or_none(unit, cookie)) is not None:
                await self._own_half(unit, cookie, row)
            return await self._whole(unit, row, "passkey", address, device)

    async def link(self, code: str, address: str, device: str = "", cookie: str = "") -> Entered:
        """Sign in by a link from a mail, half where there is a second factor; Refusal NOT_FOUND.

        A link that completes a sign-in counts in the browser that began it: FORBIDDEN elsewhere, and it stays good.
        """
        async with self._store.unit() as unit:
            spent = await self._links.spend(unit, code, Purpose.RECOVER, Purpose.STEP)
            row = None if spent.account is None else await account.by_id(unit.connection, spent.account)
            if row is None or row.state is not AccountState.ACTIVE:
                raise Refusal(Code.NOT_FOUND, GONE)
            if spent.purpose is Purpose.STEP:
                await self._need_begun(unit, cookie, str(spent.about.get("login", "")))
            missing = (await factors_of(unit.connection, row)).strong()
            if not missing:
                return await self._whole(unit, row, "mail", address, device)
            return Entered(await self._access.begin(unit, row, "mail", device, half=True), missing)

    # --- the second step --------------------------------------------------------------------------------

    async def missing(self, cookie: str) -> tuple[Factor, ...]:
        """What one of would complete the half sign-in of this cookie; empty where it is none."""
        async with self._store.unit() as unit:
            half = await self._half_or_none(unit, cookie)
            if half is None:
                return ()
            return (await factors_of(unit.connection, half[1])).strong() or (Factor.MAIL,)

    async def totp(self, cookie: str, code: str, address: str, device: str = "") -> Entered:
        """Complete a half sign-in by a code of the authenticator app; Refusal UNAUTHENTICATED, BUSY."""
        return await self._second(cookie, code, address, device, self._totp, "totp")

    async def recovery_code(self, cookie: str, code: str, address: str, device: str = "") -> Entered:
        """Complete a half sign-in by a recovery code; Refusal UNAUTHENTICATED, BUSY."""
        return await self._second(cookie, code, address, device, self._codes, "recovery")

    async def _second(
        self, cookie: str, code: str, address: str, device: str, factor: Totp | RecoveryCodes, how: str
    ) -> Entered:
        """Count the try, use the code up, make the sign-in whole."""
        async with self._store.unit() as unit:
            _, row = await self._half(unit, cookie)
        begins = factor.count(row.id)
        await self._access.guessing.count_code(row.id)
        async with self._store.unit() as unit:
            _, row = await self._half(unit, cookie)
            with judged(Case.CODES_GUESSED, row.id, begins=begins, place=address):
                await factor.spend(unit, row, code)
            await self._own_half(unit, cookie, row)
            entered = await self._whole(unit, row, how, address, device)
        factor.forgive(row.id)
        return entered

    # --- showing freshly who one is ---------------------------------------------------------------------

    async def proofs(self, viewer: Viewer) -> tuple[Factor, ...]:
        """What the viewer can prove freshly with, the best first; a mail means: sign in anew by a link."""
        async with self._store.unit() as unit:
            return (await factors_of(unit.connection, await self._own.row(unit, viewer))).fresh()

    async def prove_password(self, viewer: Viewer, password: str, address: str) -> str:
        """A fresh proof by password, where there is no second factor; the new cookie. Refusal UNAUTHENTICATED, BUSY."""
        _need_here(viewer)
        async with self._store.unit() as unit:
            row = await self._own.row(unit, viewer)
            self._need_in(Factor.PASSWORD, (await factors_of(unit.connection, row)).fresh())
            name = (await self._mail.known(unit, row))["name"]
        await self._access.guessing.judge(name, password, address)
        async with self._store.unit() as unit:
            return await self._own.renewed(unit, viewer, proved=True)

    async def prove_totp(self, viewer: Viewer, code: str) -> str:
        """A fresh proof by a code of the authenticator app; the new cookie. Refusal UNAUTHENTICATED, BUSY."""
        return await self._prove(viewer, code, self._totp)

    async def prove_recovery_code(self, viewer: Viewer, code: str) -> str:
        """A fresh proof by a recovery code; the new cookie. Refusal UNAUTHENTICATED, BUSY."""
        return await self._prove(viewer, code, self._codes)

    async def prove_passkey_options(self, viewer: Viewer) -> Json:
        """What `navigator.credentials.get` needs for the viewer's own passkeys; Refusal CONFLICT without any."""
        _need_here(viewer)
        async with self._store.unit() as unit:
            row = await self._own.row(unit, viewer)
            self._need_in(Factor.PASSKEY, (await factors_of(unit.connection, row)).fresh())
        return await self._passkeys.asked(viewer.account)

    async def prove_passkey(self, viewer: Viewer, credential: Json) -> str:
        """A fresh proof by one of the viewer's passkeys; the new cookie. Refusal UNAUTHENTICATED."""
        _need_here(viewer)
        await self._passkeys.proved(credential, viewer.account)
        async with self._store.unit() as unit:
            await proof.forgive(unit, viewer.account)
            return await self._own.renewed(unit, viewer, proved=True)

    async def _prove(self, viewer: Viewer, code: str, factor: Totp | RecoveryCodes) -> str:
        """A proof by a code; tries are counted by sign-in, so that no stranger's make its owner wait."""
        _need_here(viewer)
        tries = f"{viewer.account} {viewer.login}"
        begins = factor.count(tries)
        await self._access.guessing.count_code(viewer.account)
        async with self._store.unit() as unit:
            row = await self._own.row(unit, viewer)
            with judged(Case.CODES_GUESSED, viewer.account, begins=begins):
                await factor.spend(unit, row, code)
            await proof.forgive(unit, viewer.account)
            cookie = await self._own.renewed(unit, viewer, proved=True)
        factor.forgive(tries)
        return cookie

    # --- within -----------------------------------------------------------------------------------------

    def _need_in(self, factor: Factor, there: tuple[Factor, ...]) -> None:
        if factor not in there:
            raise Refusal(Code.CONFLICT, STRONGER)

    async def _half_or_none(self, unit: Unit, cookie: str) -> tuple[LoginRow, AccountRow] | None:
        """A half sign-in and its account."""
        found = await account.signed_in(unit.connection, digest(cookie), unit.now)
        return found if found is not None and found[0].half else None

    async def _half(self, unit: Unit, cookie: str) -> tuple[LoginRow, AccountRow]:
        """A half sign-in and its account; Refusal UNAUTHENTICATED where there is none."""
        half = await self._half_or_none(unit, cookie)
        if half is None:
            raise Refusal(Code.UNAUTHENTICATED, ENDED)
        return half

    async def _need_begun(self, unit: Unit, cookie: str, login: str) -> None:
        """Use up the half sign-in that a letter was written for; Refusal FORBIDDEN where this browser began another."""
        half = await self._half_or_none(unit, cookie)
        if half is None or half[0].id != login or not await proof.complete(unit, digest(cookie)):
            raise Refusal(Code.FORBIDDEN, ELSEWHERE)

    async def _own_half(self, unit: Unit, cookie: str, row: AccountRow) -> None:
        """Use a half sign-in up; of many who complete it at once, one does."""
        _, half = await self._half(unit, cookie)
        if half.id != row.id or not await proof.complete(unit, digest(cookie)):
            raise Refusal(Code.UNAUTHENTICATED, ENDED)

    async def _whole(self, unit: Unit, row: AccountRow, how: str, address: str, device: str) -> Entered:
        """A whole sign-in by more than a password: failures count anew, and this address is the account's home."""
        await proof.forgive(unit, row.id)
        known: Mapping[str, Any] = await self._mail.known(unit, row)
        self._access.guessing.came_in(known["name"], address)
        return Entered(await self._access.begin(unit, row, how, device))


def _need_here(viewer: Viewer) -> None:
    """Refusal FORBIDDEN where it is no sign-in that asks: an app proves nothing for its person, and guesses nothing."""
    if not viewer.login:
        raise Refusal(Code.FORBIDDEN, phrase("This is for people who are signed in here themselves, not for apps."))


async def _active(unit: Unit, row: AccountRow) -> AccountRow:
    """The account as it is now; Refusal UNAUTHENTICATED where nobody may sign in to it."""
    now = await account.by_id(unit.connection, row.id)
    if now is None or now.state is not AccountState.ACTIVE:
        raise Refusal(Code.UNAUTHENTICATED, phrase("This passkey was not accepted. Try again, or sign in another way."))
    return now
