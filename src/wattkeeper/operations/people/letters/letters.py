"""What our letters say, to each in their language. Nothing that a stranger typed is in them but where they go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wattkeeper.charging.phrase import Phrase, phrase, plural
from wattkeeper.language import tell_in


class Kind(StrEnum):
    """What a letter is about."""

    VERIFY = "verify"
    ALREADY = "already"
    """Somebody signed up with an address that has an account."""
    RECOVER = "recover"
    STEP = "step"
    CHANGE_MAIL = "change_mail"
    """To the new address: prove it."""
    MAIL_ASKED = "mail_asked"
    """To the old address: somebody wants another."""
    MAIL_TAKEN = "mail_taken"
    """To the new address, which has an account."""
    MAIL_CHANGED = "mail_changed"
    INVITE = "invite"
    PASSWORD_CHANGED = "password_changed"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    CODES_MADE = "codes_made"
    CODE_USED = "code_used"
    FACTORS_ERASED = "factors_erased"
    GUESSED = "guessed"
    """Too many wrong passwords."""
    COPIED = "copied"
    """A passkey's counter went back."""
    APP_ENDED = "app_ended"
    """Somebody else may hold an app's tokens."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter's subject and text."""

    subject: str
    text: str


NOT_YOU = phrase(
    "If this was not you, somebody else may be in your account: sign in, end all other sign-ins and change how you "
    "sign in, at {home}"
)
NOTHING = phrase("If you did not ask for this, do nothing: nothing changes.")
CANNOT_GET_IN = phrase("I cannot get in")
"""What the way back in is called at the door."""
LETTERS: Mapping[Kind, tuple[Phrase, Phrase]] = {
    Kind.VERIFY: (
        phrase("Finish signing up"),
        phrase(
            "Open this link within a day to prove that this address is yours and finish signing "
            "up:\n\n{link}\n\n{nothing}"
        ),
    ),
    Kind.ALREADY: (
        phrase("You have an account already"),
        phrase(
            "Somebody, perhaps you, wanted to sign up with this address. It has an account already: sign in at "
            '{home}\n\nIf you cannot sign in any more, choose "{cannot_get_in}" there.\n\n{nothing}'
        ),
    ),
    Kind.RECOVER: (
        phrase("Sign in again"),
        phrase(
            "Open this link within an hour to sign in and choose a new password or passkey:\n\n{link}\n\nIf you "
            "have a second way to prove who you are, you are asked for that as well.\n\n{nothing}"
        ),
    ),
    Kind.STEP: (
        phrase("Is it you who signs in?"),
        phrase(
            "Somebody signed in with your password, and here the password alone is not enough. If it is you, open this "
            "link within ten minutes, in the same browser:\n\n{link}\n\n"
            "If it is not, somebody knows your password: change it at {home}"
        ),
    ),
    Kind.CHANGE_MAIL: (
        phrase("Prove your new address"),
        phrase(
            "Open this link within a day, where you are signed in, to use this address for your account:\n\n{link}\n\n"
            "{nothing}"
        ),
    ),
    Kind.MAIL_ASKED: (
        phrase("Your address is about to change"),
        phrase("Another e-mail address was asked for in your account. It counts once its link is opened.\n\n{not_you}"),
    ),
    Kind.MAIL_TAKEN: (
        phrase("This address has an account already"),
        phrase(
            "Somebody, perhaps you, wanted to use this address for another account. It has its own already, so "
            "nothing was changed."
        ),
    ),
    Kind.MAIL_CHANGED: (
        phrase("Your address was changed"),
        phrase("Your account has another e-mail address now; this one signs in no more.\n\n{not_you}"),
    ),
    Kind.INVITE: (
        phrase("You are invited"),
        phrase(
            "You are invited to work with the charging stations at {home}\n\nOpen this link within seven "
            "days:\n\n{link}"
        ),
    ),
    Kind.PASSWORD_CHANGED: (
        phrase("Your password was changed"),
        phrase("The password of your account was changed.\n\n{not_you}"),
    ),
    Kind.FACTOR_ADDED: (
        phrase("A way to sign in was added"),
        phrase("To your account was added: {what}.\n\n{not_you}"),
    ),
    Kind.FACTOR_REMOVED: (
        phrase("A way to sign in was removed"),
        phrase("From your account was removed: {what}.\n\n{not_you}"),
    ),
    Kind.CODES_MADE: (
        phrase("New recovery codes"),
        phrase("Your account has new recovery codes; older ones are void.\n\n{not_you}"),
    ),
    Kind.CODE_USED: (
        phrase("A recovery code was used"),
        plural(
            "One of your recovery codes was used; {count} is left.\n\n{not_you}",
            "One of your recovery codes was used; {count} are left.\n\n{not_you}",
        ),
    ),
    Kind.FACTORS_ERASED: (
        phrase("Your second factors were removed"),
        phrase(
            "Whoever runs this installation removed the passkeys, authenticator app and recovery codes of your "
            "account. Sign in with your password or by a link, and set them up anew.\n\n{not_you}"
        ),
    ),
    Kind.GUESSED: (
        phrase("Somebody is guessing your password"),
        phrase(
            "There were many wrong passwords or codes for your account. Nobody got in, and the password alone opens it "
            'no more. Sign in with a passkey, or by a link: choose "{cannot_get_in}" at {home}'
        ),
    ),
    Kind.COPIED: (
        phrase("A passkey was refused"),
        phrase(
            "One of your passkeys was refused because its counter went back: it may have been copied. Remove it "
            "at {home} and make a new one."
        ),
    ),
    Kind.APP_ENDED: (
        phrase("The access of an app was ended"),
        phrase(
            "What an app uses to get into your account came twice, so somebody may have copied it. The app's "
            "access was ended. If you still use it, let it in again.\n\n{not_you}"
        ),
    ),
}
WHAT: Mapping[str, Phrase] = {
    "passkey": phrase("a passkey"),
    "totp": phrase("an authenticator app"),
    "password": phrase("the password"),
    "company": phrase("the sign-in of your company"),
}
"""What was added or removed."""


def letter(kind: Kind, language: str, home: str, link: str = "", what: str = "", left: int = 0) -> Letter:
    """The letter of a kind; ``what`` is a key of `WHAT`, ``left`` a number of codes."""
    subject, text = LETTERS[kind]
    fixed = {"not_you": NOT_YOU.filled(home=home), "nothing": NOTHING, "cannot_get_in": CANNOT_GET_IN}
    whole = text.filled(home=home, link=link, what=WHAT.get(what, ""), count=left, **fixed)
    return Letter(f"Wattkeeper: {tell_in(language, subject)}", f"{tell_in(language, whole)}\n")
