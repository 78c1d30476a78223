"""One's own account: name, address, the ways to sign in, and where one is signed in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response, Security
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.person import FRESH, Role, Scope, Viewer
from wattkeeper.operations.people.accounts import Mine
from wattkeeper.operations.people.sign_in.factors import Changed, Factor
from wattkeeper.web.api.people.sign_in import (
    Base64Url,
    CodeTyped,
    Credential,
    Email,
    PasskeyOptions,
    Password,
    PersonName,
    SignedPasskey,
)
from wattkeeper.web.api.shapes import PRINTABLE, Asked, Here, Nothing, Told, fields_given, reacher_of
from wattkeeper.web.device import address_of
from wattkeeper.web.guards.origin import keep_cookie
from wattkeeper.web.rooms import Rooms

router = APIRouter(prefix="/account", tags=["account"])
AccountReader = Annotated[Viewer, Security(reacher_of, scopes=[Scope.ACCOUNT_READ.value])]
AccountWriter = Annotated[Viewer, Security(reacher_of, scopes=[Scope.ACCOUNT_WRITE.value])]
PublicId = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-f]{1,40}$")]
Label = Annotated[str, StringConstraints(max_length=60, pattern=PRINTABLE)]
Way = Annotated[str, StringConstraints(max_length=30, pattern=r"^[a-z-]+$")]


class Account(Told):
    """One's own account."""

    id: str
    email: str = Field(description="What it signs in with.")
    name: str
    role: Role
    has_password: bool
    has_totp: bool
    passkeys: int
    recovery_codes: int = Field(description="How many are left.")
    must_add_factor: bool = Field(description="Whether nothing else can be done before there is a second factor.")
    receipts_by_mail: bool = Field(description="Whether each receipt is sent to one's address, as PDF.")


class AccountChanges(Asked):
    """What to change; members that are absent stay as they are."""

    name: PersonName | Nothing = None
    email: Email | Nothing = Field(None, description="A letter goes there; its link makes the change.")
    password: Password | None = Field(
        None, description="At least 15 characters, or 8 beside a second factor; null signs in by passkey alone."
    )
    receipts_by_mail: bool | Nothing = Field(None, description="Send each receipt to one's address.")


class Attestation(Asked):
    """What an authenticator made."""

    clientDataJSON: Base64Url  # noqa: N815 - the names of the standard
    attestationObject: Base64Url  # noqa: N815
    transports: list[Way] = Field(default=[], max_length=10)
    authenticatorData: Base64Url | None = None  # noqa: N815
    publicKey: Base64Url | None = None  # noqa: N815
    publicKeyAlgorithm: int | None = None  # noqa: N815


class Made(Credential):
    """A passkey just made."""

    response: Attestation


class NewPasskey(Asked):
    """A passkey to keep, and what to call it."""

    credential: Made
    label: Label = ""


class PasskeyName(Asked):
    """What to call a passkey."""

    label: Label


class Passkey(Told):
    """A passkey."""

    id: str
    label: str
    created_at: datetime
    used_at: datetime | None
    backed_up: bool = Field(description="Whether it outlives the device, in a synchronised store.")


class PasskeyList(BaseModel):
    """One's passkeys, the oldest first."""

    items: list[Passkey]


class Codes(BaseModel):
    """Recovery codes, shown this once; none where there are some already."""

    codes: list[str]


class CodesLeft(BaseModel):
    """Recovery codes."""

    left: int


class TotpSetup(Told):
    """What an authenticator app needs, shown this once."""

    secret: str = Field(description="In base 32, to be typed.")
    uri: str = Field(description="The same as an `otpauth:` address, to be scanned.")


class Login(Told):
    """Where one is signed in."""

    id: str
    how: str
    device: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    current: bool


class LoginList(BaseModel):
    """Where one is signed in, the newest first."""

    items: list[Login]


class Ended(BaseModel):
    """How many sign-ins were ended."""

    ended: int


class Proof(BaseModel):
    """How fresh the proof is, and what renews it."""

    with_: list[Factor] = Field(alias="with", description="What proves freshly who one is; mail: a link by /recover.")
    fresh_until: datetime | None


class PasswordTyped(Asked):
    """A password."""

    password: Password


def _account(mine: Mine) -> Account:
    factors = mine.factors
    return Account(
        id=mine.account,
        email=mine.email,
        name=mine.name,
        role=mine.role,
        has_password=factors.password,
        has_totp=factors.totp,
        passkeys=factors.passkeys,
        recovery_codes=factors.codes,
        must_add_factor=mine.must_add_factor,
        receipts_by_mail=mine.receipts_by_mail,
    )


def _codes(response: Response, rooms: Rooms, changed: Changed) -> Codes:
    """Hand the browser its new cookie, and the codes to be shown."""
    keep_cookie(response, rooms.settings, changed.cookie)
    return Codes(codes=list(changed.codes))


# --- the account ----------------------------------------------------------------------------------------


@router.get("")
async def account(rooms: Here, viewer: AccountReader) -> Account:
    """One's own account."""
    return _account(await rooms.people.accounts.mine(viewer))


@router.patch("")
async def change_account(rooms: Here, viewer: AccountWriter, response: Response, changes: AccountChanges) -> Account:
    """Change name, address or password; the last two need a fresh proof, and others are told of them."""
    accounts, given = rooms.people.accounts, fields_given(changes)
    if "password" in given:
        new = given["password"]
        cookie = await (accounts.remove_password(viewer) if new is None else accounts.set_password(viewer, new))
        keep_cookie(response, rooms.settings, cookie)
    if given.get("email") is not None:
        await accounts.change_mail(viewer, given["email"])
    if given.get("name") is not None:
        await accounts.rename(viewer, given["name"])
    if given.get("receipts_by_mail") is not None:
        await accounts.want_receipts(viewer, by_mail=given["receipts_by_mail"])
    return _account(await accounts.mine(viewer))


# --- passkeys -------------------------------------------------------------------------------------------


@router.get("/passkeys")
async def passkeys(rooms: Here, viewer: AccountReader) -> PasskeyList:
    """One's passkeys."""
    return PasskeyList(items=[Passkey.model_validate(one) for one in await rooms.people.passkeys.mine(viewer)])


@router.post("/passkeys/options")
async def new_passkey_options(rooms: Here, viewer: AccountWriter) -> PasskeyOptions:
    """What a browser needs to make a passkey; good once, for five minutes. Needs a fresh proof."""
    return PasskeyOptions(**await rooms.people.passkeys.options(viewer))


@router.post("/passkeys", status_code=201)
async def add_passkey(rooms: Here, viewer: AccountWriter, response: Response, new: NewPasskey) -> Codes:
    """Keep a passkey that was just made; the first one brings recovery codes. Needs a fresh proof."""
    credential = new.credential.model_dump(exclude_none=True)
    return _codes(response, rooms, await rooms.people.passkeys.add(viewer, credential, new.label))


@router.patch("/passkeys/{identifier}", status_code=204)
async def rename_passkey(rooms: Here, viewer: AccountWriter, identifier: PublicId, given: PasskeyName) -> None:
    """Call a passkey something else."""
    await rooms.people.passkeys.rename(viewer, identifier, given.label)


@router.delete("/passkeys/{identifier}", status_code=204)
async def remove_passkey(rooms: Here, viewer: AccountWriter, response: Response, identifier: PublicId) -> None:
    """Remove a passkey. Needs a fresh proof."""
    _codes(response, rooms, await rooms.people.passkeys.remove(viewer, identifier))


# --- authenticator app and recovery codes ---------------------------------------------------------------


@router.post("/totp", status_code=201)
async def begin_totp(rooms: Here, viewer: AccountWriter) -> TotpSetup:
    """Begin to set up an authenticator app; it counts once a code was confirmed. Needs a fresh proof."""
    return TotpSetup.model_validate(await rooms.people.totp.begin(viewer))


@router.post("/totp/confirm")
async def confirm_totp(rooms: Here, viewer: AccountWriter, response: Response, given: CodeTyped) -> Codes:
    """Confirm an authenticator app by one of its codes; the first factor brings recovery codes."""
    return _codes(response, rooms, await rooms.people.totp.confirm(viewer, given.code))


@router.delete("/totp", status_code=204)
async def remove_totp(rooms: Here, viewer: AccountWriter, response: Response) -> None:
    """Remove the authenticator app. Needs a fresh proof."""
    _codes(response, rooms, await rooms.people.totp.remove(viewer))


@router.get("/recovery-codes")
async def recovery_codes(rooms: Here, viewer: AccountReader) -> CodesLeft:
    """How many recovery codes are left."""
    return CodesLeft(left=await rooms.people.codes.left(viewer))


@router.post("/recovery-codes", status_code=201)
async def make_recovery_codes(rooms: Here, viewer: AccountWriter, response: Response) -> Codes:
    """Ten new recovery codes; older ones are void. Needs a fresh proof."""
    return _codes(response, rooms, await rooms.people.codes.make(viewer))


# --- sign-ins -------------------------------------------------------------------------------------------


@router.get("/logins")
async def logins(rooms: Here, viewer: AccountReader) -> LoginList:
    """Where one is signed in."""
    return LoginList(items=[Login.model_validate(one) for one in await rooms.people.accounts.logins(viewer)])


@router.delete("/logins")
async def end_other_logins(rooms: Here, viewer: AccountWriter) -> Ended:
    """Sign out everywhere but here."""
    return Ended(ended=await rooms.people.accounts.end_other_logins(viewer))


@router.delete("/logins/{identifier}", status_code=204)
async def end_login(rooms: Here, viewer: AccountWriter, identifier: PublicId) -> None:
    """Sign out somewhere."""
    await rooms.people.accounts.end_login(viewer, identifier)


# --- a fresh proof --------------------------------------------------------------------------------------


@router.get("/proof")
async def proof(rooms: Here, viewer: AccountReader) -> Proof:
    """How fresh the proof of who one is still is, and what renews it."""
    until = None if viewer.proved_at is None else viewer.proved_at + FRESH
    return Proof.model_validate({"with": await rooms.people.sign_in.proofs(viewer), "fresh_until": until})


@router.post("/proof/password", status_code=204)
async def prove_by_password(
    rooms: Here, viewer: AccountReader, request: Request, response: Response, given: PasswordTyped
) -> None:
    """Prove who one is by password, where there is no second factor."""
    cookie = await rooms.people.sign_in.prove_password(viewer, given.password, address_of(request))
    keep_cookie(response, rooms.settings, cookie)


@router.post("/proof/totp", status_code=204)
async def prove_by_totp(rooms: Here, viewer: AccountReader, response: Response, given: CodeTyped) -> None:
    """Prove who one is by a code of the authenticator app."""
    keep_cookie(response, rooms.settings, await rooms.people.sign_in.prove_totp(viewer, given.code))


@router.post("/proof/recovery-code", status_code=204)
async def prove_by_recovery_code(rooms: Here, viewer: AccountReader, response: Response, given: CodeTyped) -> None:
    """Prove who one is by a recovery code, which is used up."""
    keep_cookie(response, rooms.settings, await rooms.people.sign_in.prove_recovery_code(viewer, given.code))


@router.post("/proof/passkey/options")
async def proof_options(rooms: Here, viewer: AccountReader) -> PasskeyOptions:
    """What a browser needs to prove who one is by passkey; good once, for five minutes."""
    return PasskeyOptions(**await rooms.people.sign_in.prove_passkey_options(viewer))


@router.post("/proof/passkey", status_code=204)
async def prove_by_passkey(rooms: Here, viewer: AccountReader, response: Response, given: SignedPasskey) -> None:
    """Prove who one is by a passkey."""
    credential = given.credential.model_dump(exclude_none=True)
    keep_cookie(response, rooms.settings, await rooms.people.sign_in.prove_passkey(viewer, credential))
