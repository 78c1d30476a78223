"""The column types that both engines share, and `kept`: a column with its purpose, legal basis and retention."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, Dialect, LargeBinary, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MILLION = 1_000_000


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 UTC; ``at`` must be aware."""
    return (at - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def to_millionths(value: Decimal) -> int:
    """A decimal as an integer of millionths; what is finer than a millionth is rounded half to even."""
    return int((Decimal(value) * _MILLION).to_integral_value())


def from_millionths(value: int) -> Decimal:
    """The decimal of an integer of millionths, without trailing zeros."""
    whole, rest = divmod(int(value), _MILLION)
    return Decimal(value).scaleb(-6).normalize() if rest else Decimal(whole)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as integer microseconds since 1970 on both engines."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To the integer."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """To the datetime."""
        return None if value is None else from_micros(value)


class Exact(TypeDecorator[Decimal]):
    """A decimal, exact to a millionth of its unit, kept as integer millionths on both engines."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """To the integer."""
        return None if value is None else to_millionths(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """To the decimal."""
        return None if value is None else from_millionths(value)


class Basis(StrEnum):
    """The legal basis on which a column is kept (GDPR Article 6)."""

    NONE = "no personal data"
    CONSENT = "consent, Art. 6(1)(a)"
    CONTRACT = "contract, Art. 6(1)(b)"
    LEGITIMATE = "legitimate interest, Art. 6(1)(f)"
    LEGAL = "legal obligation, Art. 6(1)(c)"


class Recipient(StrEnum):
    """Who outside the installation gets a column's content (GDPR Article 30(1)(d))."""

    NOBODY = "nobody"
    STATIONS = "the station concerned"
    HOSTS = "the host of the site, without persons"
    DRIVERS = "drivers who look for a place to charge"
    APPS = "apps that the person let in"
    PAYMENT = "the payment provider"
    MAIL = "the mail server"
    HOOKS = "programs that the operator has told of alerts"
    KEYS = "whoever keeps the root key, wrapped"
    TAX = "tax advisers and authorities, as the law asks"
    AUTHORITY = "the data protection authority, in a breach"
    CHECKERS = "witnesses, and whoever checks the log"


class Area(StrEnum):
    """What part of the work a table belongs to; the records of processing have one activity for each."""

    ACCOUNT = "accounts"
    SIGN_IN = "signing in"
    CARDS = "cards"
    SESSIONS = "charging sessions"
    MONEY = "bills and books"
    PAYMENTS = "payments"
    LETTERS = "letters and notices"
    PRIVACY = "consent, looks and requests"
    LOG = "the log"
    SECURITY = "security"
    STATIONS = "stations"


class Retention(StrEnum):
    """How long a column is kept."""

    INSTALLATION = "as long as the installation"
    STATION = "as long as the station"
    SESSION = "as the session: until its person is forgotten, then without a person"
    ACCOUNT = "as long as the account"
    DAYS_30 = "30 days"
    DAYS_90 = "90 days"
    TAX = "10 years after the year in which it was made, as tax law asks"
    BOOKS = "as long as the books: they name a person by an id that leads to nobody once its key is destroyed"
    LOG = "as long as the log: it proves what was done, and names a person by an id that leads to nobody once forgotten"


def kept(
    name: str,
    kind: TypeEngine[Any] | type[TypeEngine[Any]],
    purpose: str,
    basis: Basis = Basis.NONE,
    retention: Retention = Retention.INSTALLATION,
    *,
    to: Recipient | tuple[Recipient, ...] = (),
    under: str = "",
    **options: Any,
) -> Column[Any]:
    """A column that says why it is kept, on what basis and how long; NOT NULL unless said otherwise.

    ``to``: who gets it, where that is not who gets its table (`ground.about`). ``under``: of what is sealed, the column
    of the same table that leads to whose key seals it; "house" where it is the installation's.
    """
    options.setdefault("nullable", False)
    info: dict[str, Any] = {"purpose": purpose, "basis": basis, "retention": retention, "under": under}
    info["to"] = (to,) if isinstance(to, Recipient) else to
    return Column(name, kind, info=info, **options)


__all__ = [
    "Area",
    "Basis",
    "BigInteger",
    "Exact",
    "Instant",
    "LargeBinary",
    "Recipient",
    "Retention",
    "Text",
    "kept",
]
