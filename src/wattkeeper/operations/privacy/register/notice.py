"""The privacy notice (GDPR Articles 13 and 14): its table comes from the register, its words are for drivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.operations.privacy.register.register import Activity, activities
from wattkeeper.settings import Settings
from wattkeeper.store.columns import Area, Basis, Recipient, Retention
from wattkeeper.store.tables import metadata

AREAS: Mapping[Area, tuple[Phrase, Phrase]] = {
    Area.ACCOUNT: (
        phrase("Your account: name, e-mail address, and the apps that you let in"),
        phrase("To know whose cards and sessions are whose, and to reach you."),
    ),
    Area.SIGN_IN: (
        phrase("How and where you sign in"),
        phrase("To let you in and nobody else, and to show you when somebody else tries."),
    ),
    Area.CARDS: (
        phrase("Your cards, when you held them, and what stations were told about them"),
        phrase("To let you charge, to refuse a card that you blocked, and to notice copies of it."),
    ),
    Area.SESSIONS: (
        phrase("Your charging sessions: where, when, and what the meter showed"),
        phrase("To charge your car, to bill rightly what it took, and to show how that came about."),
    ),
    Area.MONEY: (
        phrase("Your bills, and what waits to be billed"),
        phrase("To ask for what you owe and no more, and to keep the books that tax law asks for."),
    ),
    Area.PAYMENTS: (
        phrase("How you pay, and your payments; never the number of your bank card"),
        phrase("To take what you owe by the way that you chose, and to give back what was too much."),
    ),
    Area.LETTERS: (
        phrase("Letters and notices to you"),
        phrase("To tell you what you should know about your account, your cards and your money."),
    ),
    Area.PRIVACY: (
        phrase("What you agreed to and asked for, and who of the staff looked at your data"),
        phrase("To keep to it, to be able to show that we did, and to show you who looked."),
    ),
    Area.LOG: (
        phrase("That something was done to your account, without your name"),
        phrase("So that nobody can change the past unseen, those who run this included."),
    ),
    Area.SECURITY: (
        phrase("What was tried on your account by whoever is not you, by its number and never by your name"),
        phrase("To notice attacks, and to see what is weak before somebody uses it."),
    ),
    Area.STATIONS: (
        phrase("Who of the staff set up a station or asked it to do something"),
        phrase("To know who did what. Nothing of drivers is in it, but that an order may name a card, sealed."),
    ),
}
"""What of a person each area of the work holds, and why."""
BASES: Mapping[Basis, Phrase] = {
    Basis.NONE: phrase("says nothing about persons"),
    Basis.CONSENT: phrase("your consent, Art. 6(1)(a)"),
    Basis.CONTRACT: phrase("the contract with you, Art. 6(1)(b)"),
    Basis.LEGAL: phrase("the law asks for it, Art. 6(1)(c)"),
    Basis.LEGITIMATE: phrase("keeping this safe and in order, Art. 6(1)(f); you may object"),
}
LASTS: Mapping[Retention, Phrase] = {
    Retention.INSTALLATION: phrase("as long as these stations are run"),
    Retention.STATION: phrase("as long as the station is run"),
    Retention.SESSION: phrase("until you are forgotten; energy and money stay, and lead to nobody"),
    Retention.ACCOUNT: phrase("as long as your account"),
    Retention.DAYS_30: phrase("30 days"),
    Retention.DAYS_90: phrase("90 days"),
    Retention.TAX: phrase("10 years after the year, as tax law asks"),
    Retention.BOOKS: phrase("as long as the books, which lead to nobody once you are forgotten"),
    Retention.LOG: phrase("as long as the log, which leads to nobody once you are forgotten"),
}
GETS: Mapping[Recipient, Phrase] = {
    Recipient.NOBODY: phrase("nobody outside"),
    Recipient.STATIONS: phrase("the station that you charge at"),
    Recipient.HOSTS: phrase("the host of the site, without who you are"),
    Recipient.DRIVERS: phrase("drivers who look for a place to charge"),
    Recipient.APPS: phrase("apps that you let in, as far as you do"),
    Recipient.PAYMENT: phrase("the payment provider"),
    Recipient.MAIL: phrase("the mail server that carries letters to you"),
    Recipient.HOOKS: phrase("programs that the operator has told of alerts, without anybody's data"),
    Recipient.KEYS: phrase("whoever keeps the root key, which alone opens nothing"),
    Recipient.TAX: phrase("tax advisers and authorities, where the law asks"),
    Recipient.AUTHORITY: phrase("the data protection authority, where something went wrong"),
    Recipient.CHECKERS: phrase("whoever checks the log, who can read nothing in it about you"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the notice's table."""

    area: Area
    what: Phrase
    why: Phrase
    bases: tuple[Phrase, ...]
    lasts: tuple[Phrase, ...]
    gets: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """What the page says; the members that are settings are empty where they are not set."""

    controller: str
    street: str
    city: str
    contact: str
    authority: str
    rows: tuple[Row, ...]


def notice(settings: Settings) -> Notice:
    """The notice of an installation; whom it does not use, such as a payment provider, is not named."""
    town = " ".join(filter(None, (settings.seller_postcode, settings.seller_city)))
    return Notice(
        controller=settings.seller_name,
        street=settings.seller_street,
        city=", ".join(filter(None, (town, settings.seller_country))),
        contact=settings.privacy_contact or settings.support_mail,
        authority=settings.privacy_authority,
        rows=tuple(_row(one, _unused(settings)) for one in activities(metadata)),
    )


def _unused(settings: Settings) -> frozenset[Recipient]:
    """Who gets nothing here, because nothing is handed to them."""
    unset = {Recipient.PAYMENT: not settings.stripe_key_file, Recipient.MAIL: not settings.mail_host}
    return frozenset(one for one, is_unset in unset.items() if is_unset)


def _row(activity: Activity, unused: frozenset[Recipient]) -> Row:
    what, why = AREAS[activity.area]
    gets = [one for one in activity.recipients if one not in unused] or [Recipient.NOBODY]
    return Row(
        *(activity.area, what, why),
        tuple(BASES[one] for one in activity.bases),
        tuple(LASTS[one] for one in activity.retentions),
        tuple(GETS[one] for one in gets),
    )
