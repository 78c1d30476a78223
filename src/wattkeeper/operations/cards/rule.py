"""What may be changed of a card: the members of its rule, its next state, and the words that are kept of a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TypedDict, cast

from wattkeeper.charging.cards.limits import Limits
from wattkeeper.charging.cards.token import LIFE, CardKind, CardState, Offline, Strength
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.store.cards.card import CardRow


class Rule(TypedDict, total=False):
    """What a card may do; an absent member leaves what is there."""

    state: CardState
    expires_at: datetime | None
    group: str | None
    max_sessions: int
    kind: CardKind
    strength: Strength
    offline: Offline
    limits: Limits


HARMLESS = frozenset({CardState.BLOCKED, CardState.LOST, CardState.RETURNED})
"""States that take permission away: everyone who may change cards may do so with a master pass too."""
STATES: Mapping[CardState, str] = {
    CardState.ORDERED: phrase("Ordered."),
    CardState.ACTIVE: phrase("Active again."),
    CardState.BLOCKED: phrase("Blocked."),  # `card_change.blockers` looks for it
    CardState.LOST: phrase("Reported lost."),
    CardState.REPLACED: phrase("Replaced by another card."),
    CardState.RETURNED: phrase("Returned."),
}
CALLED: Mapping[CardState, str] = {
    CardState.ORDERED: phrase("ordered"),
    CardState.ACTIVE: phrase("active"),
    CardState.BLOCKED: phrase("blocked"),
    CardState.LOST: phrase("lost"),
    CardState.REPLACED: phrase("replaced"),
    CardState.RETURNED: phrase("returned"),
}
UNTIL = phrase("Good until {instant} UTC.")
KINDS = {
    CardKind.CARD: phrase("Kind: card."),
    CardKind.FOB: phrase("Kind: fob."),
    CardKind.APP: phrase("Kind: app."),
}
STRENGTHS = {
    Strength.NUMBER: phrase("Strength: number."),
    Strength.SECURE: phrase("Strength: secure."),
    Strength.ONLINE: phrase("Strength: online."),
}
OFFLINE = {
    Offline.ACCEPT: phrase("Stations accept it while they cannot ask."),
    Offline.REFUSE: phrase("Stations refuse it while they cannot ask."),
}


def difference(row: CardRow, rule: Rule) -> Rule:
    """The members of a rule that are not so already; Refusal (CONFLICT) where the state cannot follow the card's."""
    changed = {member: value for member, value in rule.items() if getattr(row, member) != value}
    state = rule.get("state", row.state)
    if state is not row.state and state not in LIFE[row.state]:
        raise Refusal(
            Code.CONFLICT,
            phrase("This card was {state} and cannot become {wanted}.", state=CALLED[row.state], wanted=CALLED[state]),
        )
    return cast(Rule, changed)


def takes_away(rule: Rule) -> bool:
    """Whether a change does nothing but take permission away."""
    return set(rule) == {"state"} and rule["state"] in HARMLESS


def said(rule: Rule) -> Iterator[str]:
    """What changes, one sentence each."""
    for member, value in rule.items():
        yield _sentence(member, value)


def _sentence(member: str, value: object) -> str:
    match member, value:
        case "state", CardState():
            return STATES[value]
        case "expires_at", datetime():
            return UNTIL.filled(instant=f"{value:%Y-%m-%d %H:%M}")
        case "expires_at", _:
            return phrase("Good without an end.")
        case "group", str():
            return phrase("Group: {group}.", group=value)
        case "group", _:
            return phrase("Taken out of its group.")
        case "max_sessions", _:
            return phrase("Sessions at once: {most}.", most=value)
        case "kind", CardKind():
            return KINDS[value]
        case "strength", Strength():
            return STRENGTHS[value]
        case "offline", Offline():
            return OFFLINE[value]
    return phrase("Limits changed.")
