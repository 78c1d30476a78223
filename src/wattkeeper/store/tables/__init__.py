"""Every table, and for every column its purpose, legal basis and retention.

`journal` is the truth; `DERIVED` can be dropped and folded again from it (``wattkeeper rebuild``).
Instants are integer microseconds since 1970 UTC, measured values integer millionths of the unit in the name.
"""

from __future__ import annotations

from wattkeeper.store.tables.cards import (
    card,
    card_change,
    card_group,
    decision,
    enrolment,
    finding,
    holding,
    list_content,
    local_list,
    phone_start,
    sighting,
    step_up,
)
from wattkeeper.store.tables.ground import metadata
from wattkeeper.store.tables.log import deed
from wattkeeper.store.tables.metering import meter_key, meter_rule, offered_key, signed_record, unchecked
from wattkeeper.store.tables.money import (
    bill,
    due,
    follower,
    grid_reading,
    hold,
    ledger_balance,
    ledger_entry,
    ledger_line,
    made_out,
    pin,
    proposal,
    revenue,
    tariff_assignment,
)
from wattkeeper.store.tables.payments import (
    money_deed,
    monthly_invoice,
    pay_way,
    payment,
    payment_difference,
    payment_event,
    payment_means,
    payment_step,
    settlement,
    site_share,
)
from wattkeeper.store.tables.people import (
    account,
    api_token,
    app_client,
    app_code,
    app_grant,
    app_token,
    identity,
    login,
    mail,
    notice,
    passkey,
    person,
    recovery_code,
    secret_link,
    subject_key,
)
from wattkeeper.store.tables.sessions import journal, reading, session, tariff
from wattkeeper.store.tables.stations import connector, knock, orders, station, station_state

DERIVED = (station_state, connector, session, reading, decision, signed_record, offered_key)
"""What `rebuild` drops and folds again."""
SUMS = (ledger_balance, revenue)
"""What `rebuild` sums up again, from the books and the bills."""

__all__ = [
    "DERIVED",
    "SUMS",
    "account",
    "api_token",
    "app_client",
    "app_code",
    "app_grant",
    "app_token",
    "bill",
    "card",
    "card_change",
    "card_group",
    "connector",
    "decision",
    "deed",
    "due",
    "enrolment",
    "finding",
    "follower",
    "grid_reading",
    "hold",
    "holding",
    "identity",
    "journal",
    "knock",
    "ledger_balance",
    "ledger_entry",
    "ledger_line",
    "list_content",
    "local_list",
    "login",
    "made_out",
    "mail",
    "metadata",
    "meter_key",
    "meter_rule",
    "money_deed",
    "monthly_invoice",
    "notice",
    "offered_key",
    "orders",
    "passkey",
    "pay_way",
    "payment",
    "payment_difference",
    "payment_event",
    "payment_means",
    "payment_step",
    "person",
    "phone_start",
    "pin",
    "proposal",
    "reading",
    "recovery_code",
    "revenue",
    "secret_link",
    "session",
    "settlement",
    "sighting",
    "signed_record",
    "site_share",
    "station",
    "station_state",
    "step_up",
    "subject_key",
    "tariff",
    "tariff_assignment",
    "unchecked",
]
