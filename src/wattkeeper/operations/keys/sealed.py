"""Every column that is sealed, and whose key seals it: what is sealed anew when that key is replaced.

A column that is not listed here would be lost with the key. `tests/vault/test_sealed.py` compares the list
with the tables and with every place that seals.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, LargeBinary, Select, Table, bindparam, func, select, update
from sqlalchemy.sql.dml import Update

from wattkeeper.operations.keys.kinds import HOUSE
from wattkeeper.store.tables import (
    account,
    alert_hook,
    breach,
    card,
    enrolment,
    exclusion,
    journal,
    legal_hold,
    login,
    look,
    mail,
    notice,
    orders,
    paper_buyer,
    passkey,
    person,
    privacy_request,
    rectification,
    restriction,
    secret_link,
    security_finding,
    telling,
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed column of a table whose primary key is one column."""

    table: Table
    column: str
    owner: str = ""
    """The column that holds whose key seals it, or whose account (``account_id``). Empty: the house's."""
    house: str | None = None
    """What that column says where it is the house's, where some rows are."""
    head: str = ""
    """What comes before the owner in the name of its key."""

    @property
    def key(self) -> ColumnElement[Any]:
        """What the table's rows are known by."""
        return next(iter(self.table.primary_key.columns))

    @property
    def value(self) -> ColumnElement[Any]:
        """The sealed column itself."""
        return self.table.c[self.column]

    def of_subjects(self, subjects: Collection[str]) -> Select[Any]:
        """What is sealed under these keys: row, owner, value."""
        owner: Any = self.table.c[self.owner]
        joined: Any = self.table
        if self.owner == "account_id":
            owner, joined = account.c.person_id, self.table.join(account, account.c.id == owner)
        wanted = select(self.key.label("at"), owner.label("owner"), self.value.label("sealed")).select_from(joined)
        owners = [one.removeprefix(self.head) for one in subjects if one.startswith(self.head)]
        return wanted.where(owner.in_(owners), self.value.is_not(None))

    def of_house(self, mark: bytes, after: Any, most: int) -> Select[Any]:
        """What the house sealed by other keys than that of this mark: key, value; in order, after a key."""
        otherwise = func.substr(self.value, 1, len(mark), type_=LargeBinary) != mark
        wanted = select(self.key.label("at"), self.value.label("sealed")).where(self.value.is_not(None), otherwise)
        if self.owner:
            wanted = wanted.where(self.table.c[self.owner] == self.house)
        if after is not None:
            wanted = wanted.where(self.key > after)
        return wanted.order_by(self.key).limit(most)

    def kept(self) -> Update:
        """The update that keeps ``sealed_anew`` in the row ``row_key``."""
        return (
            update(self.table).where(self.key == bindparam("row_key")).values({self.column: bindparam("sealed_anew")})
        )


SEALED: Final = (
    Sealed(person, "sealed", "id"),
    Sealed(account, "sealed", "person_id"),
    Sealed(account, "totp", "person_id"),
    Sealed(card, "sealed", "person_id"),
    Sealed(card, "label", "person_id"),
    Sealed(enrolment, "label", "person_id"),
    Sealed(login, "device", "account_id"),
    Sealed(passkey, "label", "account_id"),
    Sealed(mail, "sealed", "person_id", house=""),
    Sealed(notice, "sealed", "person_id"),
    Sealed(journal, "sealed", "sealed_for", house=HOUSE),
    Sealed(orders, "sealed"),
    Sealed(orders, "answer"),
    Sealed(secret_link, "sealed"),
    Sealed(look, "sealed", "person_id"),
    Sealed(rectification, "sealed", "person_id"),
    Sealed(restriction, "sealed", "person_id"),
    Sealed(privacy_request, "sealed", "sealed_for", house=HOUSE),
    Sealed(telling, "sealed", "subject", head="telling:"),
    Sealed(paper_buyer, "sealed", "subject"),
    Sealed(legal_hold, "sealed"),
    Sealed(security_finding, "accepted_why"),
    Sealed(breach, "sealed"),
    Sealed(exclusion, "sealed"),
    Sealed(alert_hook, "sealed"),
)
"""All of them."""
SUBJECTS_OWN: Final = tuple(one for one in SEALED if one.owner)
HOUSES_OWN: Final = tuple(one for one in SEALED if not one.owner or one.house is not None)
ELSEWHERE: Final = frozenset({("identity", "leaving"), ("identity", "arrived")})
"""What the house seals and never keeps: it goes along with a browser for some minutes."""
