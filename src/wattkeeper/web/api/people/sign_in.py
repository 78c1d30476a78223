"""Signing up and in over the API. What it gives is a cookie; programs of others use OAuth instead."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.operations.people.sign_in.factors import Entered, Factor
from wattkeeper.web.api.shapes import PRINTABLE, Asked, Here, rooms_of
from wattkeeper.web.device import address_of, device_of
from wattkeeper.web.guards.origin import (
    browser_of,
    cookie_name,
    drop_cookie,
    keep_browser,
    keep_cookie,
    need_same_origin,
)
from wattkeeper.web.rooms import Rooms
from wattkeeper.web.tongue import language_of


def same_origin(request: Request) -> None:
    """Refusal (FORBIDDEN) where a browser sends this from a page that is not ours."""
    need_same_origin(request, rooms_of(request).settings)


router = APIRouter(tags=["sign-in"], dependencies=[Depends(same_origin)])

Email = Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=PRINTABLE)]
PersonName = Annotated[str, StringConstraints(max_length=100, pattern=PRINTABLE)]
Password = Annotated[str, StringConstraints(max_length=512)]
LinkCode = Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9_-]*$")]
Digits = Annotated[str, StringConstraints(max_length=20, pattern=PRINTABLE)]
Base64Url = Annotated[str, StringConstraints(max_length=65536, pattern=r"^[A-Za-z0-9_-]*$")]
NEW_PASSWORD = "At least 15 characters, no other rule; null for a passkey instead."


class Entry(BaseModel):
    """A sign-in that has begun. The cookie opens nothing until nothing is missing."""

    missing: list[Factor] = Field(description="One of these completes it; empty where it is complete.")


class Sent(BaseModel):
    """That it was heard. Whether a letter goes out, only its reader learns."""

    look: Literal["mail"] = "mail"


class Credentials(Asked):
    """A name and a password."""

    name: Annotated[str, StringConstraints(max_length=254)] = Field(description="The e-mail address.")
    password: Password


class SignUp(Asked):
    """Who wants an account."""

    email: Email
    name: PersonName = ""
    password: Password | None = Field(None, description=NEW_PASSWORD)


class Address(Asked):
    """An e-mail address."""

    email: Email


class LinkOpened(Asked):
    """The code of a link that was mailed."""

    code: LinkCode


class Joining(LinkOpened):
    """The answer to an invitation."""

    name: PersonName = ""
    password: Password | None = Field(None, description=NEW_PASSWORD)


class FirstOwner(Joining):
    """Who owns the installation."""

    email: Email


class CodeTyped(Asked):
    """A code of an authenticator app, or a recovery code."""

    code: Digits


class Assertion(Asked):
    """What an authenticator signed."""

    clientDataJSON: Base64Url  # noqa: N815 - the names of the standard
    authenticatorData: Base64Url  # noqa: N815
    signature: Base64Url
    userHandle: Base64Url | None = None  # noqa: N815


class Credential(Asked):
    """A passkey as `PublicKeyCredential.toJSON` gives it, bytes as base64url."""

    id: Base64Url
    rawId: Base64Url  # noqa: N815
    type: Literal["public-key"]
    authenticatorAttachment: Literal["platform", "cross-platform"] | None = None  # noqa: N815
    clientExtensionResults: dict[str, Any] | None = None  # noqa: N815


class Signed(Credential):
    """A passkey that signed."""

    response: Assertion


class SignedPasskey(Asked):
    """An answer to options that were asked for just before."""

    credential: Signed


class PasskeyOptions(BaseModel, extra="allow"):
    """What `navigator.credentials` takes as ``publicKey``, bytes as base64url (W3C Web Authentication, level 3)."""

    challenge: str


def entered(request: Request, response: Response, rooms: Rooms, entry: Entered) -> Entry:
    """Hand the browser its cookie."""
    keep_cookie(response, rooms.settings, entry.cookie)
    return Entry(missing=list(entry.missing))


def cookie_of(request: Request, rooms: Rooms) -> str:
    """The cookie a browser has already, if any."""
    return request.cookies.get(cookie_name(rooms.settings), "")


async def _replaced(request: Request, response: Response, rooms: Rooms, entry: Entered) -> Entry:
    """Hand the browser its cookie; what it was signed in with before has ended."""
    before = cookie_of(request, rooms)
    if before:
        await rooms.access.sign_out(before)
    return entered(request, response, rooms, entry)


# --- signing in -----------------------------------------------------------------------------------------


@router.post("/sign-in")
async def sign_in(rooms: Here, request: Request, response: Response, given: Credentials) -> Entry:
    """Sign in by name and password."""
    place, device = address_of(request), device_of(request)
    entry = await rooms.people.sign_in.password(given.name.strip(), given.password, place, device)
    return await _replaced(request, response, rooms, entry)


@router.get("/sign-in")
async def half_sign_in(rooms: Here, request: Request) -> Entry:
    """What is missing for the sign-in that this browser began; nothing, where it began none."""
    return Entry(missing=list(await rooms.people.sign_in.missing(cookie_of(request, rooms))))


@router.post("/sign-in/totp")
async def finish_by_totp(rooms: Here, request: Request, response: Response, given: CodeTyped) -> Entry:
    """Complete a sign-in by a code of the authenticator app."""
    who = (cookie_of(request, rooms), given.code, address_of(request), device_of(request))
    return entered(request, response, rooms, await rooms.people.sign_in.totp(*who))


@router.post("/sign-in/recovery-code")
async def finish_by_recovery_code(rooms: Here, request: Request, response: Response, given: CodeTyped) -> Entry:
    """Complete a sign-in by a recovery code, which is used up."""
    who = (cookie_of(request, rooms), given.code, address_of(request), device_of(request))
    return entered(request, response, rooms, await rooms.people.sign_in.recovery_code(*who))


@router.post("/sign-in/passkey/options")
async def passkey_options(rooms: Here, request: Request) -> PasskeyOptions:
    """What a browser needs to sign in by passkey, the same for everybody; good once, for five minutes."""
    return PasskeyOptions(**await rooms.people.sign_in.passkey_options(address_of(request)))


@router.post("/sign-in/passkey")
async def sign_in_by_passkey(rooms: Here, request: Request, response: Response, given: SignedPasskey) -> Entry:
    """Sign in by passkey, or complete a sign-in by one."""
    credential = given.credential.model_dump(exclude_none=True)
    who = (credential, address_of(request), device_of(request), cookie_of(request, rooms))
    return await _replaced(request, response, rooms, await rooms.people.sign_in.passkey(*who))


@router.post("/sign-out", status_code=204)
async def sign_out(rooms: Here, request: Request, response: Response) -> None:
    """End this browser's sign-in."""
    cookie = cookie_of(request, rooms)
    if cookie:
        await rooms.access.sign_out(cookie)
    drop_cookie(response, rooms.settings)


# --- coming for the first time, and coming back ---------------------------------------------------------


@router.post("/sign-up", status_code=202)
async def sign_up(rooms: Here, request: Request, response: Response, given: SignUp) -> Sent:
    """Ask for an account: a letter with a link makes it, to an address that has none.

    The password counts where the link is opened by the same browser; elsewhere the account is made without.
    """
    browser = browser_of(request, rooms.settings)
    who = (given.email, given.name, given.password, address_of(request), language_of(request), browser)
    await rooms.people.accounts.sign_up(*who)
    keep_browser(response, rooms.settings, browser)
    return Sent()


@router.post("/verify")
async def verify(rooms: Here, request: Request, response: Response, given: LinkOpened) -> Entry:
    """Open the link of a letter: makes the account that was asked for, and signs in.

    Or changes an account's address, for who is signed in to it: where they asked for it, else with a fresh proof.
    """
    who = (address_of(request), device_of(request), browser_of(request, rooms.settings))
    viewer = await rooms.access.viewer_by_cookie(cookie_of(request, rooms))
    entry = await rooms.people.accounts.verify(given.code, *who, viewer)
    return await _replaced(request, response, rooms, entry)


@router.post("/recover", status_code=202)
async def recover(rooms: Here, request: Request, given: Address) -> Sent:
    """Ask for a link to sign in by, where nothing else does any more."""
    await rooms.people.accounts.recover(given.email, address_of(request), language_of(request))
    return Sent()


@router.post("/recover/finish")
async def finish_recovery(rooms: Here, request: Request, response: Response, given: LinkOpened) -> Entry:
    """Sign in by the link of a letter; who has a second factor is asked for it. Then set what was lost anew."""
    who = (address_of(request), device_of(request), cookie_of(request, rooms))
    entry = await rooms.people.sign_in.link(given.code, *who)
    return await _replaced(request, response, rooms, entry)


@router.post("/invitation/accept")
async def accept_invitation(rooms: Here, request: Request, response: Response, given: Joining) -> Entry:
    """Answer an invitation to work here, and sign in."""
    who = (given.code, given.name, given.password, address_of(request), device_of(request), language_of(request))
    return await _replaced(request, response, rooms, await rooms.people.staff.accept(*who))


@router.post("/first-owner")
async def first_owner(rooms: Here, request: Request, response: Response, given: FirstOwner) -> Entry:
    """Become the first owner, by the link that the installation printed at its first start."""
    who = (given.code, given.email, given.name, given.password, address_of(request), device_of(request))
    entry = await rooms.people.staff.first_owner(*who, language_of(request))
    return await _replaced(request, response, rooms, entry)
