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
_MILLION = Decimal(1_000_000)


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 UTC; ``at`` must be aware."""
    return (at - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def to_millionths(value: Decimal) -> int:
    """A decimal as an integer of millionths; what is finer than a millionth is rounded half to even."""
    return int((value * _MILLION).to_integral_value())


def from_millionths(value: int) -> Decimal:
    """The decimal of an integer of millionths, without trailing zeros."""
    exact = Decimal(value).scaleb(-6).normalize()
    return exact if exact.as_tuple().exponent <= 0 else exact.quantize(Decimal(1))  # type: ignore[operator]


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
    CONTRACT = "contract, Art. 6(1)(b)"
    LEGITIMATE = "legitimate interest, Art. 6(1)(f)"
    LEGAL = "legal obligation, Art. 6(1)(c)"


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
    **options: Any,
) -> Column[Any]:
    """A column that says why it is kept, on what basis and how long; NOT NULL unless said otherwise."""
    options.setdefault("nullable", False)
    info = {"purpose": purpose, "basis": basis, "retention": retention}
    return Column(name, kind, info=info, **options)


__all__ = ["Basis", "BigInteger", "Exact", "Instant", "LargeBinary", "Retention", "Text", "kept"]
