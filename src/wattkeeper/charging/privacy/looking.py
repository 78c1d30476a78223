"""Looking at a person's data: for what one may, what there is to see, and what each role sees of it once it is open.

Everything is masked until somebody of the staff gives a purpose and a reason; that opens one person to one account for
a short time, and the person sees it. `MAY_SEE` is the whole table of who sees what unmasked.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from wattkeeper.charging.person import Role
from wattkeeper.charging.phrase import Phrase, phrase


class LookPurpose(StrEnum):
    """For what somebody looks; these names stay as they are, for the log holds them."""

    ENQUIRY = "enquiry"
    BILLING = "billing"
    SECURITY = "security"
    RIGHTS = "rights"
    LEGAL = "legal"
    EMERGENCY = "emergency"
    """The glass was broken: without the right, in need. Nobody chooses it from a list."""


PURPOSES: Mapping[LookPurpose, Phrase] = {
    LookPurpose.ENQUIRY: phrase("An enquiry of the driver"),
    LookPurpose.BILLING: phrase("A question about billing"),
    LookPurpose.SECURITY: phrase("Something suspicious about a card or an account"),
    LookPurpose.RIGHTS: phrase("What the driver asked about their data"),
    LookPurpose.LEGAL: phrase("A request of an authority or a court"),
    LookPurpose.EMERGENCY: phrase("An emergency"),
}
"""Each purpose in words."""
CHOSEN = tuple(one for one in LookPurpose if one is not LookPurpose.EMERGENCY)
NEED_CASE = frozenset({LookPurpose.ENQUIRY, LookPurpose.RIGHTS, LookPurpose.LEGAL})
"""What comes with a number of its own, which must be said: of the ticket, the request, the court's file."""


class Part(StrEnum):
    """What there is to see of a person."""

    NAME = "name"
    CONTACT = "contact"
    CARDS = "cards"
    SESSIONS = "sessions"
    MONEY = "money"
    ARCHIVE = "archive"
    """Everything at once, to be handed to them."""


PARTS: Mapping[Part, Phrase] = {
    Part.NAME: phrase("name"),
    Part.CONTACT: phrase("e-mail address"),
    Part.CARDS: phrase("cards"),
    Part.SESSIONS: phrase("sessions"),
    Part.MONEY: phrase("bills and payments"),
    Part.ARCHIVE: phrase("everything, to hand it to you"),
}
MAY_SEE: Mapping[Role, frozenset[Part]] = {
    Role.OWNER: frozenset(Part),
    Role.BILLING: frozenset(Part) - {Part.ARCHIVE},
    Role.PRIVACY_OFFICER: frozenset(Part) - {Part.MONEY},
    Role.SERVICE: frozenset(Part) - {Part.ARCHIVE},
    Role.OPERATOR: frozenset(),
    Role.SUPPORT: frozenset(),
    Role.AUDITOR: frozenset(),
    Role.SITE_HOST: frozenset(),
    Role.DRIVER: frozenset(),
}
"""What each role may see of a person who is open to it; a program no more than its token says besides."""
IN_EMERGENCY: Mapping[Role, frozenset[Part]] = {
    Role.SUPPORT: frozenset({Part.NAME, Part.CONTACT, Part.CARDS, Part.SESSIONS})
}
"""What a role without that right sees after it broke the glass."""

SHORTEST, LONGEST = 10, 500
"""Characters of a reason."""
WORDS, EMERGENCY_WORDS = 2, 5
"""Words that a reason has at least; and one for breaking the glass."""
LONGEST_CASE = 60


def is_reason(said: str, words: int = WORDS) -> bool:
    """Whether this can be a reason: long enough to be one, short enough to be read."""
    return SHORTEST <= len(said) <= LONGEST and len(said.split()) >= words and said.isprintable()
