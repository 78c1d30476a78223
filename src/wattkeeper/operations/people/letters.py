"""What our letters say, in each language. Nothing that a stranger typed is in them but the address they go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

LANGUAGES = ("en", "de")


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


NOT_YOU = {
    "en": "If this was not you, somebody else may be in your account: sign in, end all other sign-ins and change how"
    " you"
    " sign in, at {home}",
    "de": "Waren Sie das nicht, ist vielleicht jemand anderes in Ihrem Konto: Melden Sie sich an, beenden Sie alle"
    " anderen"
    " Anmeldungen und ändern Sie, womit Sie sich anmelden: {home}",
}
NOTHING = {
    "en": "If you did not ask for this, do nothing: nothing changes.",
    "de": "Haben Sie das nicht verlangt, tun Sie nichts: Es ändert sich nichts.",
}
ENGLISH: Mapping[Kind, tuple[str, str]] = {
    Kind.VERIFY: (
        "Finish signing up",
        "Open this link within a day to prove that this address is yours and finish signing up:\n\n{link}\n\n{nothing}",
    ),
    Kind.ALREADY: (
        "You have an account already",
        "Somebody, perhaps you, wanted to sign up with this address. It has an account already: sign in at {home}\n\n"
        'If you cannot sign in any more, choose "I cannot sign in" there.\n\n{nothing}',
    ),
    Kind.RECOVER: (
        "Sign in again",
        "Open this link within an hour to sign in and choose a new password or passkey:\n\n{link}\n\n"
        "If you have a second way to prove who you are, you are asked for that as well.\n\n{nothing}",
    ),
    Kind.STEP: (
        "Is it you who signs in?",
        "Somebody signed in with your password, and here the password alone is not enough. If it is you, open this link"
        " within ten minutes, in the same browser:\n\n{link}\n\n"
        "If it is not, somebody knows your password: change it at {home}",
    ),
    Kind.CHANGE_MAIL: (
        "Prove your new address",
        "Open this link within a day to use this address for your account:\n\n{link}\n\n{nothing}",
    ),
    Kind.MAIL_ASKED: (
        "Your address is about to change",
        "Another e-mail address was asked for in your account. It counts once its link is opened.\n\n{not_you}",
    ),
    Kind.MAIL_TAKEN: (
        "This address has an account already",
        "Somebody, perhaps you, wanted to use this address for another account. It has its own already, so nothing was"
        " changed.",
    ),
    Kind.MAIL_CHANGED: (
        "Your address was changed",
        "Your account has another e-mail address now; this one signs in no more.\n\n{not_you}",
    ),
    Kind.INVITE: (
        "You are invited",
        "You are invited to work with the charging stations at {home}\n\nOpen this link within seven days:\n\n{link}",
    ),
    Kind.PASSWORD_CHANGED: ("Your password was changed", "The password of your account was changed.\n\n{not_you}"),
    Kind.FACTOR_ADDED: ("A way to sign in was added", "To your account was added: {what}.\n\n{not_you}"),
    Kind.FACTOR_REMOVED: ("A way to sign in was removed", "From your account was removed: {what}.\n\n{not_you}"),
    Kind.CODES_MADE: ("New recovery codes", "Your account has new recovery codes; older ones are void.\n\n{not_you}"),
    Kind.CODE_USED: ("A recovery code was used", "One of your recovery codes was used; {left} are left.\n\n{not_you}"),
    Kind.FACTORS_ERASED: (
        "Your second factors were removed",
        "Whoever runs this installation removed the passkeys, authenticator app and recovery codes of your account."
        " Sign in with your password or by a link, and set them up anew.\n\n{not_you}",
    ),
    Kind.GUESSED: (
        "Somebody is guessing your password",
        "There were many wrong passwords for your account. Nobody got in, and the password alone opens it no more."
        " Sign in"
        ' with a passkey, or by a link: choose "I cannot sign in" at {home}',
    ),
    Kind.COPIED: (
        "A passkey was refused",
        "One of your passkeys was refused because its counter went back: it may have been copied. Remove it at"
        " {home} and"
        " make a new one.",
    ),
    Kind.APP_ENDED: (
        "The access of an app was ended",
        "What an app uses to get into your account came twice, so somebody may have copied it. The app's access was"
        " ended."
        " If you still use it, let it in again.\n\n{not_you}",
    ),
}
GERMAN: Mapping[Kind, tuple[str, str]] = {
    Kind.VERIFY: (
        "Registrierung abschließen",
        "Öffnen Sie diesen Link innerhalb eines Tages, um zu zeigen, dass diese Adresse Ihre ist, und die Registrierung"
        " abzuschließen:\n\n{link}\n\n{nothing}",
    ),
    Kind.ALREADY: (
        "Sie haben schon ein Konto",
        "Jemand, vielleicht Sie, wollte sich mit dieser Adresse registrieren. Sie hat schon ein Konto, Anmeldung:"
        " {home}"
        '\n\nWenn Sie sich nicht mehr anmelden können, wählen Sie dort "Ich kann mich nicht anmelden".\n\n{nothing}',
    ),
    Kind.RECOVER: (
        "Wieder anmelden",
        "Öffnen Sie diesen Link innerhalb einer Stunde, um sich anzumelden und ein neues Passwort oder einen Passkey zu"
        " wählen:\n\n{link}\n\nHaben Sie einen zweiten Nachweis eingerichtet, werden Sie auch danach"
        " gefragt.\n\n{nothing}",
    ),
    Kind.STEP: (
        "Melden Sie sich gerade an?",
        "Jemand hat sich mit Ihrem Passwort angemeldet, und hier genügt das Passwort allein nicht. Sind Sie es,"
        " öffnen Sie innerhalb von zehn Minuten im selben Browser diesen Link:\n\n{link}\n\n"
        "Sonst kennt jemand Ihr Passwort: Ändern Sie es auf {home}",
    ),
    Kind.CHANGE_MAIL: (
        "Neue Adresse bestätigen",
        "Öffnen Sie diesen Link innerhalb eines Tages, um diese Adresse für Ihr Konto zu"
        " verwenden:\n\n{link}\n\n{nothing}",
    ),
    Kind.MAIL_ASKED: (
        "Ihre Adresse soll geändert werden",
        "In Ihrem Konto wurde eine andere E-Mail-Adresse eingetragen. Sie gilt, sobald ihr Link geöffnet"
        " wird.\n\n{not_you}",
    ),
    Kind.MAIL_TAKEN: (
        "Diese Adresse hat schon ein Konto",
        "Jemand, vielleicht Sie, wollte diese Adresse für ein anderes Konto verwenden. Sie hat schon ein eigenes, darum"
        " wurde nichts geändert.",
    ),
    Kind.MAIL_CHANGED: (
        "Ihre Adresse wurde geändert",
        "Ihr Konto hat jetzt eine andere E-Mail-Adresse; mit dieser meldet man sich nicht mehr an.\n\n{not_you}",
    ),
    Kind.INVITE: (
        "Sie sind eingeladen",
        "Sie sind eingeladen, mit den Ladestationen auf {home} zu arbeiten.\n\nÖffnen Sie innerhalb von sieben Tagen"
        " diesen Link:\n\n{link}",
    ),
    Kind.PASSWORD_CHANGED: ("Ihr Passwort wurde geändert", "Das Passwort Ihres Kontos wurde geändert.\n\n{not_you}"),
    Kind.FACTOR_ADDED: ("Neue Anmeldeart", "Zu Ihrem Konto kam hinzu: {what}.\n\n{not_you}"),
    Kind.FACTOR_REMOVED: ("Anmeldeart entfernt", "Aus Ihrem Konto wurde entfernt: {what}.\n\n{not_you}"),
    Kind.CODES_MADE: (
        "Neue Wiederherstellungscodes",
        "Ihr Konto hat neue Wiederherstellungscodes; ältere gelten nicht mehr.\n\n{not_you}",
    ),
    Kind.CODE_USED: (
        "Ein Wiederherstellungscode wurde verwendet",
        "Einer Ihrer Wiederherstellungscodes wurde verwendet; {left} sind übrig.\n\n{not_you}",
    ),
    Kind.FACTORS_ERASED: (
        "Ihre zweiten Nachweise wurden entfernt",
        "Wer diese Anlage betreibt, hat Passkeys, Authentifizierungs-App und Wiederherstellungscodes Ihres Kontos"
        " entfernt."
        " Melden Sie sich mit Passwort oder Link an und richten Sie sie neu ein.\n\n{not_you}",
    ),
    Kind.GUESSED: (
        "Jemand rät Ihr Passwort",
        "Für Ihr Konto kamen viele falsche Passwörter. Niemand kam hinein, und das Passwort allein genügt nicht"
        " mehr. Melden"
        ' Sie sich mit einem Passkey an oder per Link: Wählen Sie "Ich kann mich nicht anmelden" auf {home}',
    ),
    Kind.COPIED: (
        "Ein Passkey wurde abgelehnt",
        "Einer Ihrer Passkeys wurde abgelehnt, weil sein Zähler zurückging: Er wurde vielleicht kopiert. Entfernen"
        " Sie ihn"
        " auf {home} und legen Sie einen neuen an.",
    ),
    Kind.APP_ENDED: (
        "Der Zugang einer App wurde beendet",
        "Womit eine App in Ihr Konto kommt, kam zweimal an, vielleicht hat es jemand kopiert. Der Zugang der App wurde"
        " beendet. Verwenden Sie sie noch, lassen Sie sie wieder ein.\n\n{not_you}",
    ),
}
WHAT: Mapping[str, tuple[str, str]] = {
    "passkey": ("a passkey", "ein Passkey"),
    "totp": ("an authenticator app", "eine Authentifizierungs-App"),
    "password": ("the password", "das Passwort"),
    "company": ("the sign-in of your company", "die Anmeldung Ihrer Firma"),
}
"""What was added or removed, in English and German."""


def letter(kind: Kind, language: str, home: str, link: str = "", what: str = "", left: int = 0) -> Letter:
    """The letter of a kind; ``what`` is a key of `WHAT`, ``left`` a number of codes."""
    spoken = language if language in LANGUAGES else "en"
    subject, text = (GERMAN if spoken == "de" else ENGLISH)[kind]
    thing = WHAT[what][LANGUAGES.index(spoken)] if what else ""
    words = {"home": home, "link": link, "what": thing, "left": left}
    fixed = {"not_you": NOT_YOU[spoken].format(home=home), "nothing": NOTHING[spoken]}
    return Letter(f"Wattkeeper: {subject}", text.format(**words, **fixed) + "\n")
