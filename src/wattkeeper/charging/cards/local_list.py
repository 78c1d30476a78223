"""A station's own list of cards: which belong on it, and the next message that brings it there (1.6 3.5.2, 2.0.1 D)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from itertools import chain, islice

from wattkeeper.charging.orders import Listing

Content = Mapping[str, str]
"""What a list says of each card, by pseudonym: `digest`."""
Sites = frozenset[str] | None
"""Where a card may charge; None is anywhere."""
Rule = frozenset[frozenset[str]]
"""What decides which cards are for a site: `Roster.rule`."""
REMOVED = ""
"""The digest of a card that leaves the list."""
BLOCKED = Listing.BLOCKED.value


@dataclass(frozen=True, slots=True)
class Listable:
    """A card as lists see it; ``listing`` REMOVED: it has no business on any."""

    ref: str
    listing: Listing
    expires_at: datetime | None
    sites: Sites
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


class Roster:
    """Every card that lists may concern, kept in the order in which lists take them; it follows change by change."""

    def __init__(self, cards: Iterable[Listable] = (), spoilt_at: datetime | None = None) -> None:
        self.cards: dict[str, Listable] = {}
        self.spoilt_at = spoilt_at
        """When a card was last blocked, reported lost, replaced or returned: caches of before remember too much."""
        self.turn = 0
        """Counts the changes that any list could have to follow."""
        self._accepted: dict[Sites, list[tuple[datetime, str]]] = {}
        for card in cards:
            self.take(card)

    def take(self, card: Listable) -> None:
        """A card is new, or has changed."""
        before = self.cards.get(card.ref)
        self.cards[card.ref] = card
        if _gist(before) != _gist(card):
            self.turn += 1
            self._leave(before)
            if card.listing is Listing.ACCEPTED:
                insort(self._accepted.setdefault(card.sites, []), _place(card))

    def drop(self, ref: str) -> None:
        """A card is no more."""
        before = self.cards.pop(ref, None)
        self.turn += _gist(before) is not None
        self._leave(before)

    def _leave(self, card: Listable | None) -> None:
        """Take a card off those that are accepted, where it is one of them."""
        if card is None or card.listing is not Listing.ACCEPTED:
            return
        places = self._accepted[card.sites]
        del places[bisect_left(places, _place(card))]
        if not places:
            del self._accepted[card.sites]

    def rule(self, site: str) -> Rule:
        """What decides which cards are for this site: where it is the same, lists may be the same."""
        return frozenset(sites for sites in self._accepted if sites is not None and site in sites)

    def wanted(self, site: str, confirmed: Content, most: int, now: datetime) -> dict[str, str]:
        """What the list of a station at this site is to say, at most ``most`` cards.

        A card that was on the list and is blocked stays on it, as blocked. Where there is room for too few, those on
        the list stay, then the newest come.
        """
        told = {ref: BLOCKED for ref in confirmed if self._says(ref) is Listing.BLOCKED}
        stay = (self.cards[ref] for ref in confirmed if self._says(ref) is Listing.ACCEPTED)
        for card in chain(stay, self._newest(site)):
            if len(told) >= most:
                break
            if card.ref not in told and _fits(card, site, now):
                told[card.ref] = digest(card)
        return dict(islice(told.items(), most))

    def _newest(self, site: str) -> Iterator[Listable]:
        """The cards that stations at this site may accept by themselves, the newest first."""
        here = (places for sites, places in self._accepted.items() if sites is None or site in sites)
        return (self.cards[ref] for _, ref in merge(*map(reversed, here), reverse=True))

    def holds_until(self, content: Content) -> datetime | None:
        """When the first card of a list expires; None where none does."""
        ends = (card.expires_at for ref in content if (card := self.cards.get(ref)) is not None)
        return min(filter(None, ends), default=None)

    def _says(self, ref: str) -> Listing:
        card = self.cards.get(ref)
        return Listing.REMOVED if card is None else card.listing

    def changed_since(self, refs: Iterable[str], since: datetime | None) -> datetime | None:
        """When the first of these cards changed after this instant; None where none did."""
        known = (self.cards[ref].changed_at for ref in refs if ref in self.cards)
        return min((at for at in known if since is not None and at > since), default=None)


def _gist(card: Listable | None) -> tuple[object, ...] | None:
    """All that any list could say of a card."""
    if card is None or card.listing is Listing.REMOVED:
        return None
    return digest(card), card.expires_at, card.sites, card.enrolled_at


def _place(card: Listable) -> tuple[datetime, str]:
    """Where a card stands among those that are accepted."""
    return card.enrolled_at, card.ref


def _fits(card: Listable, site: str, now: datetime) -> bool:
    """Whether a card may charge at a site now."""
    return (card.expires_at is None or card.expires_at > now) and (card.sites is None or site in card.sites)


@dataclass(frozen=True, slots=True)
class Step:
    """One message: what it says of each card, and what the list then holds."""

    full: bool
    says: Mapping[str, str]
    content: Content
    more: bool = False
    """Whether others follow."""

    @property
    def takes_away(self) -> bool:
        """Whether it takes permission away."""
        return any(says in (BLOCKED, REMOVED) for says in self.says.values())


def differences(confirmed: Content, wanted: Content) -> dict[str, str]:
    """What must be said to bring a list from one content to another: what takes permission away comes first."""
    gone = {ref: REMOVED for ref in confirmed if ref not in wanted}
    new = {ref: says for ref, says in wanted.items() if confirmed.get(ref) != says}
    return {ref: says for ref, says in new.items() if says == BLOCKED} | gone | new


def next_step(confirmed: Content | None, wanted: Content, at_once: int) -> Step | None:
    """The next message of at most ``at_once`` cards; None where the list is as it should be.

    ``confirmed`` None: nobody knows what the station has, so the list is replaced as a whole (``full``).
    """
    left = differences(confirmed or {}, wanted)
    says = dict(islice(left.items(), at_once))
    if confirmed is None:
        return Step(True, says, says, len(left) > at_once)
    if not says:
        return None
    after = {ref: text for ref, text in {**confirmed, **says}.items() if text != REMOVED}
    return Step(False, says, after, len(left) > at_once)
