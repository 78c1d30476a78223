"""Security events in words: what was tried, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.security import Case


@dataclass(frozen=True, slots=True)
class Told:
    """A case in words; ``harms`` where it may have been more than a try."""

    what: str
    do: str
    harms: bool = False


HELD = phrase("It was refused, and nothing is to be done unless it goes on for days.")
STATION = phrase("Where it is a station of yours, look at its settings; where it is none, there is nothing to do.")

TOLD: Mapping[Case, Told] = {
    Case.PASSWORDS_GUESSED: Told(
        phrase("Passwords were guessed"),
        phrase("Guessers wait longer and longer, owners do not. Ask whoever it is about to add a passkey."),
    ),
    Case.CODES_GUESSED: Told(
        phrase("Codes of a second factor were guessed"),
        phrase("Whoever tried knows the password. Ask whose account it is to change it, and end their sign-ins."),
        True,
    ),
    Case.PASSKEY_COPIED: Told(
        phrase("A passkey may have been copied"),
        phrase("Its counter went back. Ask its owner to remove it and to make another."),
        True,
    ),
    Case.FOREIGN_FORM: Told(
        phrase("Another web site tried to send a form"),
        phrase("It was refused. Ask whoever was signed in there which page they had open."),
    ),
    Case.CODE_TWICE: Told(
        phrase("An app showed its code twice"),
        phrase("Its access has ended and its owner was told. Ask who runs the app why."),
        True,
    ),
    Case.REFRESH_TWICE: Told(
        phrase("An app's token was used twice"),
        phrase("Somebody else may hold it. Its access has ended and its owner was told."),
        True,
    ),
    Case.LETTERS_FLOOD: Told(
        phrase("Many letters were asked for"), phrase("No more are written for a while. Nothing is to be done.")
    ),
    Case.PAYMENT_FORGED: Told(
        phrase("A message about a payment was forged"),
        phrase("It was refused. Where it goes on, check that the signing secret is the provider's newest."),
    ),
    Case.GLASS_BROKEN: Told(
        phrase("A driver's data was opened in an emergency"),
        phrase("Whoever did has no right to it otherwise. Review it: was there an emergency, and was it needed?"),
        True,
    ),
    Case.PAYMENT_REPLAYED: Told(phrase("An old message about a payment came again"), HELD),
    Case.PAYMENT_DIFFERS: Told(
        phrase("A payment is not what was asked for"),
        phrase("Look at what differs under Money, Payments, and settle it there."),
        True,
    ),
    Case.WITNESS_REFUSED: Told(
        phrase("A witness refused the log"),
        phrase("It has seen another log than this one. Stop, and find out which is true: wattkeeper audit log."),
        True,
    ),
    Case.KEY_MISSING: Told(phrase("Somebody connected as a station without a key"), STATION),
    Case.KEY_WRONG: Told(
        phrase("A station's key was wrong"),
        phrase("Where it is a station of yours that nobody has changed, give it another key; else somebody guesses."),
    ),
    Case.KEY_WEAK: Told(
        phrase("A weak station key was refused"), phrase("Leave the key out when a station is admitted: one is made.")
    ),
    Case.TWIN: Told(
        phrase("A station's identity and key came a second time"),
        phrase("Its key is known to somebody else, or set in two stations. Give it another key."),
        True,
    ),
    Case.PAGE_AS_STATION: Told(phrase("A web page tried to connect as a station"), HELD),
    Case.DIALECT_UNKNOWN: Told(phrase("A station speaks no dialect that is spoken here"), STATION),
    Case.DIALECT_CHANGED: Told(
        phrase("A station speaks another dialect than before"),
        phrase("A new firmware does that. Where nobody has updated it, somebody may speak in its place."),
        True,
    ),
    Case.TLS_FAILED: Told(
        phrase("A TLS handshake failed"), phrase("Where it is a station of yours, it may not trust our certificate.")
    ),
    Case.CROWDED: Told(
        phrase("Too many connections came at once"),
        phrase("Those that came last were dropped. Where they were your stations, raise max_connections."),
    ),
    Case.NOT_HTTP: Told(phrase("What came to the stations' door was no HTTP"), HELD),
    Case.INTRODUCTION_OVERSIZED: Told(phrase("An opening request without end came"), HELD),
    Case.INTRODUCTION_SLOW: Told(phrase("Somebody connected and said nothing"), HELD),
    Case.SPOKE_EARLY: Told(phrase("Somebody spoke before they were let in"), HELD),
    Case.FRAME_OVERSIZED: Told(
        phrase("A station sent a message that is too large"),
        phrase("It was disconnected. Where it is a report, raise max_frame_bytes."),
    ),
    Case.FRAME_BROKEN: Told(phrase("A station sent broken frames"), STATION),
    Case.UNREADABLE: Told(
        phrase("A station sends messages that cannot be read"),
        phrase("They are kept on its page, in its own words. Its maker may have to mend it."),
    ),
    Case.STRAY_ANSWERS: Told(
        phrase("A station answers what nobody asked"), phrase("Nothing is to be done unless it goes on for days.")
    ),
    Case.PINGS_FLOOD: Told(phrase("A station sent far too many pings"), STATION),
    Case.CALLS_FLOOD: Told(phrase("A station sent far too many calls at once"), STATION),
}
"""Every case in words."""
