"""Passkeys (W3C Web Authentication, level 3): discoverable, the person always verified, each challenge good once."""

from __future__ import annotations

import ipaddress
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.letters.letters import Kind
from wattkeeper.operations.people.letters.links import Links
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.people.own import Own
from wattkeeper.operations.people.security import Case, note
from wattkeeper.operations.people.sign_in.factors import Changed, factors_of
from wattkeeper.operations.people.sign_in.recovery import RecoveryCodes
from wattkeeper.operations.people.sign_in.totp import need_long
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account, passkey
from wattkeeper.store.people.account import AccountRow
from wattkeeper.store.people.passkey import PasskeyRow
from wattkeeper.store.people.secret_link import Purpose
from wattkeeper.store.unit import Unit

MOST = 20
"""Passkeys of one account."""
LONGEST_LABEL = 60
TIMEOUT_MS = 300_000
TRANSPORTS = frozenset(transport.value for transport in AuthenticatorTransport)
WRONG = phrase("This passkey was not accepted. Try again, or sign in another way.")
NOT_HERE = phrase("Passkeys need an address with a name, such as https://charge.example.org or http://localhost:8080.")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """A passkey as its owner sees it."""

    id: str
    label: str
    created_at: datetime
    used_at: datetime | None
    backed_up: bool
    """Whether it lives in a synchronised store, and so survives the loss of the device."""


class Passkeys:
    """Makes, checks and removes passkeys."""

    def __init__(
        self, store: Store, safe: Safe, settings: Settings, mail: Mail, own: Own, codes: RecoveryCodes, links: Links
    ) -> None:
        self._store = store
        self._safe = safe
        self._origin = settings.address
        self._rp_id = urlsplit(settings.address).hostname or ""
        self._mail = mail
        self._own = own
        self._codes = codes
        self._links = links

    @property
    def works(self) -> bool:
        """Whether browsers make passkeys at our address: never on a bare IP address."""
        try:
            ipaddress.ip_address(self._rp_id)
        except ValueError:
            return bool(self._rp_id)
        return False

    # --- one's own --------------------------------------------------------------------------------------

    async def mine(self, viewer: Viewer) -> list[Key]:
        """The viewer's passkeys, the oldest first."""
        viewer.need_own(Scope.ACCOUNT_READ)
        async with self._store.unit() as unit:
            rows = await passkey.of_account(unit.connection, viewer.account)
            return [await self._key(unit, viewer, row) for row in rows]

    async def options(self, viewer: Viewer) -> Json:
        """What `navigator.credentials.create` needs, as JSON; Refusal PROOF, CONFLICT where there are too many."""
        self._need_name()
        async with self._store.unit() as unit:
            row = await self._own.changing(unit, viewer)
            kept = await passkey.of_account(unit.connection, row.id)
            if len(kept) >= MOST:
                raise Refusal(Code.CONFLICT, phrase("You have {most} passkeys already. Remove one first.", most=MOST))
            name = (await self._mail.known(unit, row))["name"]
            options = webauthn.generate_registration_options(
                rp_id=self._rp_id,
                rp_name="Wattkeeper",
                user_id=row.id.encode(),
                user_name=name,
                challenge=await self._challenge(unit, row.id),
                timeout=TIMEOUT_MS,
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.REQUIRED,
                    user_verification=UserVerificationRequirement.REQUIRED,
                ),
                exclude_credentials=[PublicKeyCredentialDescriptor(id=one.credential) for one in kept],
            )
        return _json(options)

    async def add(self, viewer: Viewer, credential: Json, label: str) -> Changed:
        """Take what the browser made; Refusal INVALID, PROOF, CONFLICT where it is somebody's already."""
        challenge = await self._spent(credential, viewer.account, Code.INVALID)
        made = self._registered(credential, challenge)
        async with self._store.unit() as unit:
            row = await self._own.changing(unit, viewer)
            sealed = await self._safe.seal_for(unit, row.person, "passkey", "label", _label(label).encode())
            if not await passkey.keep(unit, _row(made, row.id, sealed, credential, unit.now)):
                raise Refusal(Code.CONFLICT, phrase("This passkey is known here already."))
            await self._mail.tell(unit, row, Kind.FACTOR_ADDED, what="passkey")
            return await self._own.changed(unit, viewer, await self._codes.first(unit, row.id))

    async def rename(self, viewer: Viewer, identifier: str, label: str) -> None:
        """Call a passkey something else; Refusal NOT_FOUND."""
        async with self._store.unit() as unit:
            row = await self._own.row(unit, viewer, Scope.ACCOUNT_WRITE)
            sealed = await self._safe.seal_for(unit, row.person, "passkey", "label", _label(label).encode())
            if not await passkey.name(unit, row.id, identifier, sealed):
                raise Refusal(Code.NOT_FOUND, phrase("There is no such passkey."))

    async def remove(self, viewer: Viewer, identifier: str) -> Changed:
        """Remove a passkey; Refusal NOT_FOUND, PROOF, CONFLICT where the password is too short to stand alone."""
        async with self._store.unit() as unit:
            row = await self._own.changing(unit, viewer)
            if not await passkey.remove(unit, row.id, identifier):
                raise Refusal(Code.NOT_FOUND, phrase("There is no such passkey."))
            need_long(row, await factors_of(unit.connection, row))
            await self._codes.tidy(unit, row.id)
            await self._mail.tell(unit, row, Kind.FACTOR_REMOVED, what="passkey")
            return await self._own.changed(unit, viewer)

    # --- proving ----------------------------------------------------------------------------------------

    async def asked(self, account_id: str | None = None) -> Json:
        """What `navigator.credentials.get` needs, as JSON; the same for everybody, where no account is named."""
        self._need_name()
        async with self._store.unit() as unit:
            kept = [] if account_id is None else await passkey.of_account(unit.connection, account_id)
            options = webauthn.generate_authentication_options(
                rp_id=self._rp_id,
                challenge=await self._challenge(unit, account_id),
                timeout=TIMEOUT_MS,
                allow_credentials=[PublicKeyCredentialDescriptor(id=one.credential) for one in kept],
                user_verification=UserVerificationRequirement.REQUIRED,
            )
        return _json(options)

    async def proved(self, credential: Json, account_id: str | None = None) -> AccountRow:
        """Whose passkey signed; Refusal UNAUTHENTICATED, also where it is not this account's."""
        challenge = await self._spent(credential, account_id, Code.UNAUTHENTICATED)
        async with self._store.unit() as unit:
            kept = await self._of(unit, credential, account_id)
            row = await account.by_id(unit.connection, kept.account)
            found = self._verified(credential, challenge, kept)
            if row is None:
                raise Refusal(Code.UNAUTHENTICATED, WRONG)
            if await passkey.used(unit, kept.credential, found.new_sign_count, found.credential_backed_up):
                return row
        await self._was_copied(row)
        raise Refusal(Code.UNAUTHENTICATED, WRONG)

    # --- within -----------------------------------------------------------------------------------------

    def _need_name(self) -> None:
        if not self.works:
            raise Refusal(Code.CONFLICT, NOT_HERE)

    async def _challenge(self, unit: Unit, account_id: str | None) -> bytes:
        """A challenge that this account, or anybody, can answer once."""
        drawn = secrets.token_bytes(32)
        await self._links.keep(unit, Purpose.PASSKEY, bytes_to_base64url(drawn), account_id)
        return drawn

    async def _spent(self, credential: Json, account_id: str | None, refused: Code) -> bytes:
        """The challenge that a credential answers, used up whatever comes of it; Refusal where it was not for them."""
        try:
            told = credential["response"]["clientDataJSON"]
            challenge = parse_client_data_json(base64url_to_bytes(told)).challenge
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, WebAuthnException):
            raise Refusal(refused, WRONG) from None
        try:
            async with self._store.unit() as unit:
                link = await self._links.spend(unit, bytes_to_base64url(challenge), Purpose.PASSKEY)
        except Refusal:
            raise Refusal(refused, WRONG) from None
        if link.account != account_id:
            raise Refusal(refused, WRONG)
        return challenge

    async def _of(self, unit: Unit, credential: Json, account_id: str | None) -> PasskeyRow:
        """The passkey that a credential names; it must be the account's, and the authenticator must say the same."""
        try:
            kept = await passkey.one(unit.connection, base64url_to_bytes(str(credential["rawId"])))
            handle = credential["response"].get("userHandle")
            user = None if handle is None else base64url_to_bytes(handle).decode()
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Refusal(Code.UNAUTHENTICATED, WRONG) from None
        if kept is None or kept.account not in (account_id or kept.account,) or user not in (None, kept.account):
            raise Refusal(Code.UNAUTHENTICATED, WRONG)
        return kept

    def _registered(self, credential: Json, challenge: bytes) -> VerifiedRegistration:
        """What was made, verified; Refusal INVALID."""
        try:
            return webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except Exception as problem:  # whatever the library makes of hostile bytes, they are not accepted
            raise Refusal(Code.INVALID, WRONG) from problem

    def _verified(self, credential: Json, challenge: bytes, kept: PasskeyRow) -> VerifiedAuthentication:
        """What was signed, verified but for the counter, which the store compares; Refusal UNAUTHENTICATED."""
        try:
            return webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                credential_public_key=kept.public_key,
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except Exception as problem:  # whatever the library makes of hostile bytes, they are not accepted
            raise Refusal(Code.UNAUTHENTICATED, WRONG) from problem

    async def _was_copied(self, row: AccountRow) -> None:
        """Tell the owner, and whoever runs this, that a counter went back."""
        note(Case.PASSKEY_COPIED, row.id)
        async with self._store.unit() as unit:
            await self._mail.tell(unit, row, Kind.COPIED)

    async def _key(self, unit: Unit, viewer: Viewer, row: PasskeyRow) -> Key:
        label = b"" if row.label is None else row.label
        plain = await self._safe.unseal_for(unit, viewer.person, "passkey", "label", label) if label else b""
        return Key(row.id, plain.decode(), row.created_at, row.used_at, row.backed_up)


def _row(
    made: VerifiedRegistration, account_id: str, label: bytes, credential: Mapping[str, Any], now: datetime
) -> PasskeyRow:
    """What is kept of a new passkey."""
    told = credential["response"].get("transports")
    ways = tuple(way for way in told if isinstance(way, str) and way in TRANSPORTS) if isinstance(told, list) else ()
    key = (made.credential_id, secrets.token_hex(8), account_id, made.credential_public_key, made.sign_count)
    return PasskeyRow(*key, ways, made.credential_backed_up, label, now, None)


def _label(text: str) -> str:
    """What a passkey is called; Refusal INVALID."""
    called = " ".join(text.split()) or "Passkey"
    if len(called) > LONGEST_LABEL or not called.isprintable():
        raise Refusal(
            Code.INVALID,
            phrase("A passkey's name is up to {most} printable characters.", most=LONGEST_LABEL),
        )
    return called


def _json(options: Any) -> Json:
    made: Json = json.loads(webauthn.options_to_json(options))
    return made
