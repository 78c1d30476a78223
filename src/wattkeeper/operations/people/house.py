"""Everything about people's accounts, wired to each other: what the people's door is handed as ``people``."""

from __future__ import annotations

from dataclasses import dataclass

from wattkeeper.operations.access import Access
from wattkeeper.operations.people.accounts import Accounts
from wattkeeper.operations.people.letters.links import Links
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.people.letters.post import Post
from wattkeeper.operations.people.own import Own
from wattkeeper.operations.people.sign_in.passkeys import Passkeys
from wattkeeper.operations.people.sign_in.recovery import RecoveryCodes
from wattkeeper.operations.people.sign_in.sign_in import SignIn
from wattkeeper.operations.people.sign_in.totp import Totp
from wattkeeper.operations.people.staff import Staff
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store


@dataclass(frozen=True, slots=True)
class People:
    """Accounts, and every way to sign in to them."""

    sign_in: SignIn
    accounts: Accounts
    staff: Staff
    passkeys: Passkeys
    totp: Totp
    codes: RecoveryCodes
    mail: Mail
    post: Post


def people_of(store: Store, safe: Safe, settings: Settings, access: Access) -> People:
    """The people of one installation; ValueError where the settings of mail make no sense."""
    mail, links, own = Mail(store, safe, settings), Links(safe), Own(access)
    codes = RecoveryCodes(store, safe, mail, own)
    totp = Totp(store, safe, mail, own, codes)
    passkeys = Passkeys(store, safe, settings, mail, own, codes, links)
    accounts = Accounts(store, safe, settings, access, mail, links, own)
    return People(
        sign_in=SignIn(store, access, mail, links, own, passkeys, totp, codes),
        accounts=accounts,
        staff=Staff(store, access, accounts, mail, links),
        passkeys=passkeys,
        totp=totp,
        codes=codes,
        mail=mail,
        post=Post(store, safe, settings, mail, links),
    )
