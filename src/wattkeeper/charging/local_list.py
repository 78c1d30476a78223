"""A station's own list of cards: which belong on it, and the next message that brings it there (1.6 3.5.2, 2.0.1 D)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain

from wattkeeper.charging.orders import Listing

Content = Mapping[str, str]
"""What a list says of each card, by pseudonym: `digest`."""
REMOVED = ""
"""The digest of a card that leaves the list."""
BLOCKED = Listing.BLOCKED.value


@dataclass(frozen=True, slots=True)
class Listable:
    """A card as lists see it; ``listing`` REMOVED: it has no business on any."""

    ref: str
    listing: Listing
    expires_at: datetime | None
    sites: frozenset[str] | None
    """Where it may charge; None is anywhere."""
    changed_at: datetime
    """When its rule last changed."""
    enrolled_at: datetime


def digest(card: Listable) -> str:
    """What a list is to say of a card: the word, and until when in seconds since 1970."""
    if card.listing is not Listing.ACCEPTED or card.expires_at is None:
        return card.listing.value
    return f"{card.listing.value} {int(card.expires_at.timestamp())}"


def understood(text: str) -> tuple[Listing, datetime | None]:
    """What a digest says."""
    if text == REMOVED:
        return Listing.REMOVED, None
    word, _, until = text.partition(" ")
    return Listing(word), datetime.fromtimestamp(int(until), UTC) if until else None


@dataclass(frozen=True)
class Roster:
    """Every card that lists may concern, as of one moment."""

    cards: Mapping[str, Listable] = field(default_factory=dict)
    spoilt_at: datetime | None = None
    """When a card was last blocked, reported lost, replaced or returned: caches of before remember too much."""

    @cached_property
    def accepted(self) -> Sequence[Listable]:
        """Those that stations may accept by themselves, the newest first."""
        found = (card for card in self.cards.values() if card.listing is Listing.ACCEPTED)
        return sorted(found, key=lambda card: (card.enrolled_at, card.ref), reverse=True)

    def says_as(self, other: Roster) -> bool:
        """Whether no list has anything to follow between this roster and the other."""
        return self is other or (self._gist == other._gist and self.spoilt_at == other.spoilt_at)

    @cached_property
    def _gist(self) -> Mapping[str, tuple[str, frozenset[str] | None]]:
        """All that any list could say."""
        told = (card for card in self.cards.values() if card.listing is not Listing.REMOVED)
        return {card.ref: (digest(card), card.sites) for card in told}

    def wanted(self, site: str, confirmed: Content, most: int, now: datetime) -> dict[str, str]:
        """What the list of a station at this site is to say, at most ``most`` cards.

        A card that was on the list and is blocked stays on it, as blocked. Where there is room for too few, those on
        the list stay, then the newest come.
        """
        told = {ref: BLOCKED for ref in confirmed if self._says(ref) is Listing.BLOCKED}
        stay = (self.cards[ref] for ref in confirmed if self._says(ref) is Listing.ACCEPTED)
        for card in chain(stay, self.accepted):
            if len(told) >= most:
                break
            if card.ref not in told and _fits(card, site, now):
                told[card.ref] = digest(card)
        return dict(list(told.items())[:most])

    def _says(self, ref: str) -> Listing:
        card = self.cards.get(ref)
        return Listing.REMOVED if card is None else card.listing

    def changed_since(self, refs: Iterable[str], since: datetime | None) -> datetime | None:
        """When the first of these cards changed after this instant; None where none did."""
        known = (self.cards[ref].changed_at for ref in refs if ref in self.cards)
        return min((at for at in known if since is not None and at > since), default=None)


def _fits(card: Listable, site: str, now: datetime) -> bool:
    """Whether a card may charge at a site now."""
    return (card.expires_at is None or card.expires_at > now) and (card.sites is None or site in card.sites)


@dataclass(frozen=True, slots=True)
class Step:
    """One message: what it says of each card, and what the list then holds."""

    full: bool
    says: Mapping[str, str]
    content: Content


def differences(confirmed: Content, wanted: Content) -> dict[str, str]:
    """What must be said to bring a list from one content to another: what takes permission away comes first."""
    gone = {ref: REMOVED for ref in confirmed if ref not in wanted}
    new = {ref: says for ref, says in wanted.items() if confirmed.get(ref) != says}
    return {ref: says for ref, says in new.items() if says == BLOCKED} | gone | new


def next_step(confirmed: Content | None, wanted: Content, at_once: int) -> Step | None:
    """The next message of at most ``at_once`` cards; None where the list is as it should be.

    ``confirmed`` None: nobody knows what the station has, so the list is replaced as a whole (``full``).
    """
    if confirmed is None:
        first = dict(list(differences({}, wanted).items())[:at_once])
        return Step(True, first, first)
    says = dict(list(differences(confirmed, wanted).items())[:at_once])
    if not says:
        return None
    after = {ref: text for ref, text in {**confirmed, **says}.items() if text != REMOVED}
    return Step(False, says, after)
