"""Cards, fobs and app tokens: what they may do, who holds them, and what was decided and found about them."""

from __future__ import annotations

from sqlalchemy import Boolean, Index, Integer, Table

from wattkeeper.store.columns import Area, BigInteger, Instant, LargeBinary, Recipient, Text, kept
from wattkeeper.store.tables.ground import ACCOUNT, DAYS_30, DAYS_90, SESSION, STATION, C, L, N, about, metadata

card = Table(
    "card",
    metadata,
    kept("ref", Text, "pseudonym: keyed hash of the canonical number", C, ACCOUNT, primary_key=True),
    kept("person_id", Text, "who holds it; empty while nobody does", C, ACCOUNT),
    kept("sealed", LargeBinary, "the number, sealed under the holder's key", C, ACCOUNT, under="person_id"),
    kept("last2", Text, "the last two characters, for support", C, ACCOUNT),
    kept("kind", Text, "card, fob or app (a start from the phone)", C, ACCOUNT),
    kept("state", Text, "ordered, active, blocked, lost, replaced or returned", C, ACCOUNT),
    kept("expires_at", Instant, "until when it is good", C, ACCOUNT, nullable=True),
    kept("grouping", Text, "the group it belongs to", C, ACCOUNT, nullable=True),
    kept("max_sessions", Integer, "how many sessions may run on it at once", C, ACCOUNT),
    kept("strength", Text, "how hard it is to copy: number, secure or online", C, ACCOUNT),
    kept("offline", Text, "what stations do with it while they cannot ask: accept or refuse", C, ACCOUNT),
    kept("limits", Text, "energy a month, sites, hours, connector types; JSON", C, ACCOUNT, nullable=True),
    kept("station_id", Text, "the only station it is good at (app)", C, ACCOUNT, nullable=True),
    kept("evse", Integer, "the only EVSE it is good at (app)", C, ACCOUNT, nullable=True),
    kept(
        "label",
        LargeBinary,
        "what its holder calls it, sealed under their key",
        C,
        ACCOUNT,
        nullable=True,
        under="person_id",
    ),
    kept(
        "activation",
        LargeBinary,
        "HMAC of the code that came with it, until used",
        C,
        ACCOUNT,
        nullable=True,
        to=Recipient.NOBODY,
    ),
    kept("replaced_by", Text, "the card that took its place", C, ACCOUNT, nullable=True),
    kept("created_at", Instant, "when it was enrolled", C, ACCOUNT),
    kept("changed_at", Instant, "when its rule last changed: stations' lists follow", C, ACCOUNT),
    Index("uq_card_activation", "activation", unique=True),
    Index("ix_card_person_id", "person_id"),
    Index("ix_card_changed_at", "changed_at", "ref"),
    info=about(Area.CARDS, Recipient.STATIONS, Recipient.APPS),
)

card_group = Table(
    "card_group",
    metadata,
    kept("name", Text, "its name, as cards name it", L, ACCOUNT, primary_key=True),
    kept("parent_id", Text, "the parent id told to stations (1.6 parentIdTag)", L, ACCOUNT, nullable=True),
    kept("is_master_pass", Boolean, "whether its cards may stop any session (OCPP 2.0.1 C16)", L, ACCOUNT),
    kept("limits", Text, "what binds each of its cards, JSON as in card", L, ACCOUNT, nullable=True),
    kept("created_at", Instant, "when made", L, ACCOUNT),
    kept("created_by", Text, "who made it", L, ACCOUNT),
    Index("uq_card_group_parent_id", "parent_id", unique=True),
    info=about(Area.CARDS, Recipient.STATIONS),
)

holding = Table(
    "holding",
    metadata,
    kept("id", Text, "one span of holding", C, ACCOUNT, primary_key=True),
    kept("ref", Text, "which card", C, ACCOUNT),
    kept("person_id", Text, "who held it", C, ACCOUNT),
    kept("since", Instant, "from when: sessions that started earlier are not theirs", C, ACCOUNT),
    kept("until", Instant, "to when; still, where empty", C, ACCOUNT, nullable=True),
    Index("ix_holding_person_id", "person_id"),
    Index("ix_holding_ref", "ref"),
    info=about(Area.CARDS, Recipient.NOBODY),
)
Index(
    "uq_holding_now",
    holding.c.ref,
    unique=True,
    sqlite_where=holding.c.until.is_(None),
    postgresql_where=holding.c.until.is_(None),
)
"""A card has one holder at a time."""

card_change = Table(
    "card_change",
    metadata,
    kept("id", Text, "one change", L, ACCOUNT, primary_key=True),
    kept("ref", Text, "which card, or group:name", L, ACCOUNT),
    kept("at", Instant, "when", L, ACCOUNT),
    kept("by", Text, "who: an account, a token's name, or holder", L, ACCOUNT),
    kept("what", Text, "what changed, in words without a number", L, ACCOUNT),
    Index("ix_card_change_ref", "ref", "at"),
    info=about(Area.CARDS, Recipient.NOBODY),
)

enrolment = Table(
    "enrolment",
    metadata,
    kept("id", Text, "one wish to prove a card by tapping it", C, DAYS_30, primary_key=True),
    kept("person_id", Text, "whose card it will be", C, DAYS_30),
    kept("station_id", Text, "the station it must be tapped at", C, DAYS_30),
    kept("state", Text, "waiting, done, taken or expired", C, DAYS_30),
    kept("ref", Text, "the card that was tapped", C, DAYS_30, nullable=True),
    kept(
        "label",
        LargeBinary,
        "what it will be called, sealed under the person's key",
        C,
        DAYS_30,
        nullable=True,
        under="person_id",
    ),
    kept("created_at", Instant, "when asked", C, DAYS_30),
    kept("expires_at", Instant, "when it is too late to tap", C, DAYS_30),
    Index("ix_enrolment_person_id", "person_id"),
    info=about(Area.CARDS, Recipient.APPS),
)
Index(
    "uq_enrolment_station",
    enrolment.c.station_id,
    unique=True,
    sqlite_where=enrolment.c.state == "waiting",
    postgresql_where=enrolment.c.state == "waiting",
)
"""One at a time at each station: otherwise a tap could be taken for another's."""

# What was decided on tokens that were presented; derived from the journal.
decision = Table(
    "decision",
    metadata,
    kept("n", BigInteger, "the journal entry of the fact", L, SESSION, primary_key=True, autoincrement=False),
    kept("token", Text, "pseudonym of the token", L, SESSION),
    kept("station_id", Text, "where", L, SESSION),
    kept("evse", Integer, "at which EVSE", L, SESSION, nullable=True),
    kept("at", Instant, "our time", L, SESSION),
    kept("status", Text, "what the station was told", L, SESSION),
    kept("reason", Text, "why, in words", L, SESSION),
    kept("session_id", Text, "the session concerned", L, SESSION, nullable=True),
    Index("ix_decision_token", "token", "n"),
    Index("ix_decision_station_id", "station_id", "n"),
    info=about(Area.CARDS, Recipient.STATIONS),
)

phone_start = Table(
    "phone_start",
    metadata,
    kept("id", Text, "one start from a phone", C, SESSION, primary_key=True),
    kept("person_id", Text, "who started", C, SESSION),
    kept("account_id", Text, "through which account", C, SESSION),
    kept("ref", Text, "pseudonym of the token made for it", C, SESSION),
    kept("station_id", Text, "where", C, SESSION),
    kept("evse", Integer, "at which EVSE", C, SESSION),
    kept("order_id", Text, "the order to the station", C, SESSION, nullable=True),
    kept("state", Text, "asked, taken, charging, refused, late or stopped", C, SESSION),
    kept("why", Text, "why the station did not take it, in words", C, SESSION, nullable=True),
    kept("session_id", Text, "the session it became", C, SESSION, nullable=True),
    kept("created_at", Instant, "when asked", C, SESSION),
    kept("settled_at", Instant, "when known", C, SESSION, nullable=True),
    Index("ix_phone_start_person_id", "person_id", "created_at"),
    Index("uq_phone_start_ref", "ref", unique=True),
    info=about(Area.CARDS, Recipient.STATIONS, Recipient.APPS),
)

sighting = Table(
    "sighting",
    metadata,
    kept("token", Text, "pseudonym of the card", L, DAYS_30, primary_key=True),
    kept("station_id", Text, "a station that accepted it", L, DAYS_30, primary_key=True),
    kept("at", Instant, "when it last did, by the station's time: nobody is at two places at once", L, DAYS_30),
    info=about(Area.CARDS, Recipient.NOBODY),
)

finding = Table(
    "finding",
    metadata,
    kept("id", Text, "something about a card or a station that a person should look at", L, DAYS_90, primary_key=True),
    kept("kind", Text, "far_apart, in_use_twice, many_unknown, unlike_itself or denied", L, DAYS_90),
    kept("token", Text, "pseudonym of the card", L, DAYS_90, nullable=True),
    kept("station_id", Text, "the station concerned", L, DAYS_90),
    kept("words", Text, "what was seen, in words without a number", L, DAYS_90),
    kept("state", Text, "open, confirmed (it was a copy) or dismissed", L, DAYS_90),
    kept("answer", Text, "what the holder said: mine, not_mine or nothing", L, DAYS_90),
    kept("created_at", Instant, "when found", L, DAYS_90),
    kept("settled_at", Instant, "when settled", L, DAYS_90, nullable=True),
    kept("settled_by", Text, "by whom", L, DAYS_90, nullable=True),
    Index("ix_finding_state", "state", "created_at"),
    Index("ix_finding_token", "token"),
    info=about(Area.CARDS, Recipient.NOBODY),
)

step_up = Table(
    "step_up",
    metadata,
    kept("id", Text, "one question: is this you?", C, DAYS_30, primary_key=True),
    kept("person_id", Text, "who is asked", C, DAYS_30),
    kept("token", Text, "pseudonym of the card", C, DAYS_30),
    kept("station_id", Text, "where it was tapped", C, DAYS_30),
    kept("answer", Text, "waiting, yes, no or late", C, DAYS_30),
    kept("created_at", Instant, "when asked", C, DAYS_30),
    kept("expires_at", Instant, "until when an answer counts; of a yes, until when it lets charge", C, DAYS_30),
    Index("ix_step_up_person_id", "person_id", "answer"),
    Index("ix_step_up_token", "token", "station_id"),
    Index("ix_step_up_created_at", "created_at"),
    info=about(Area.CARDS, Recipient.MAIL, Recipient.APPS),
)

local_list = Table(
    "local_list",
    metadata,
    kept("station_id", Text, "which station", N, STATION, primary_key=True),
    kept("version", Integer, "the version it confirmed; 0 is none, -1 it keeps no list", N, STATION),
    kept("content", Text, "what it confirmed: a list_content; empty is an empty list", N, STATION),
    kept("sending", Integer, "the version under way", N, STATION, nullable=True),
    kept("sending_content", Text, "what is under way: a list_content", N, STATION, nullable=True),
    kept("order_id", Text, "the order that carries it", N, STATION, nullable=True),
    kept("tries", Integer, "how often it failed in a row", N, STATION),
    kept("next_at", Instant, "not tried again before", N, STATION, nullable=True),
    kept("sent_at", Instant, "when last sent", N, STATION, nullable=True),
    kept("confirmed_at", Instant, "when it confirmed its version", N, STATION, nullable=True),
    kept("says", Text, "why it has no list, in words", N, STATION, nullable=True),
    kept("delay_ms", Integer, "from a card's change to its confirmation, the last time, ms", N, STATION, nullable=True),
    kept("asked_at", Instant, "when it was last asked what bounds its list", N, STATION, nullable=True),
    kept("most_entries", Integer, "how many cards its list may hold, where it told", N, STATION, nullable=True),
    kept("most_at_once", Integer, "how many cards one message may name, where it told", N, STATION, nullable=True),
    kept("has_cache", Boolean, "whether it remembers cards it asked for, where it told", N, STATION, nullable=True),
    kept("cleared_at", Instant, "when it last forgot the cards it remembered", N, STATION, nullable=True),
    info=about(Area.STATIONS, Recipient.STATIONS),
)

# Most stations hold the same list: it is kept once for all of them, and a change of one card changes no more than that.
list_content = Table(
    "list_content",
    metadata,
    kept("id", Text, "digest of the content", N, STATION, primary_key=True),
    kept("content", Text, "what a list says of each card, JSON by pseudonym; until no list holds it", C, STATION),
    info=about(Area.STATIONS, Recipient.STATIONS),
)
