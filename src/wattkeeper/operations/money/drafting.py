"""Documents before they have their numbers: the bill of a session, or what corrects it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from wattkeeper.charging.evidence import grade
from wattkeeper.charging.metering.ruling import Ruling
from wattkeeper.charging.money.bill import price
from wattkeeper.charging.money.billing import Reason
from wattkeeper.charging.money.numbered import (
    DocumentKind,
    Draft,
    Explanation,
    Signed,
    gross_of,
    scaled,
    taxes_of,
    to_reach,
)
from wattkeeper.charging.money.tariffs.assignment import Rank
from wattkeeper.operations.money.cases import Told
from wattkeeper.store.money.hold import Waiting


def draft_of(told: Told, by: str, reasons: Sequence[Reason] = (), reason: str | None = None) -> Draft:
    """What bills a session as its station told it, or brings what was billed to that."""
    return _draft(told, by, replace(_explanation(told, reasons), reason=reason))


def draft_for_energy(told: Told, by: str, energy_wh: Decimal, reasons: Sequence[Reason], reason: str) -> Draft:
    """What bills a session for another energy than its station told, Wh, as a person says."""
    why = _explanation(told, reasons)
    used = scaled(why.usage, energy_wh, why.started_at, why.ended_at)
    return _draft(told, by, replace(why, usage=used, bill=price(used, why.tariff), reason=reason))


def draft_for_amount(told: Told, by: str, gross_minor: int, reasons: Sequence[Reason], reason: str) -> Draft:
    """What brings a session to an amount with tax, minor units, as a person says."""
    why = _explanation(told, reasons)
    taxes = taxes_of(why.bill)
    rates = [one.vat_percent for one in why.tariff.components if one.vat_percent is not None]
    extra = to_reach(taxes, gross_minor, max(rates, default=None))
    return _draft(told, by, replace(why, extra=extra, reason=reason))


def _explanation(told: Told, reasons: Sequence[Reason]) -> Explanation:
    """Why it costs what it costs, as its station told it."""
    case, row, whole = told.case, told.choice.row, told.its.whole
    assert row is not None and case.bill is not None
    before = () if told.last is None else told.last.taxes
    return Explanation(
        session=whole.id,
        station=whole.station,
        evse=whole.evse,
        started_at=whole.started_at,
        ended_at=whole.ended_at or whole.last_at,
        grade=grade(whole, tuple(case.found)),
        reasons=tuple(reasons),
        tariff_id=row.id,
        version=row.version,
        rank=told.choice.rank,
        subject="" if told.choice.rank is Rank.DRIVER else told.choice.subject,
        tariff=row.tariff,
        usage=case.usage,
        bill=case.bill,
        told_minor=case.bill.gross_minor,
        told_wh=case.usage.energy_wh,
        before=before,
        before_wh=Decimal(0) if told.last is None else told.last.usage.energy_wh,
        signed=_signed(whole.signed),
    )


def _signed(ruling: Ruling | None) -> Signed | None:
    """What the meter's signature proves."""
    if ruling is None or not ruling.is_verified or ruling.begin_wh is None or ruling.end_wh is None:
        return None
    return Signed(ruling.serial, ruling.begin_wh, ruling.end_wh, ruling.pages)


def _draft(told: Told, by: str, why: Explanation) -> Draft:
    """A document for this explanation: the first of a session is its bill."""
    spot, first = told.its.spot, told.documents[0] if told.documents else None
    draft = Draft(
        kind=DocumentKind.BILL,
        why=why,
        site=spot.site if first is None else first.site,
        group=spot.group if first is None else first.group,
        person=spot.person if first is None else first.person,
        by=by,
        corrects=None if first is None else first.number,
    )
    if first is None:
        return draft
    return replace(draft, kind=DocumentKind.CREDIT_NOTE if gross_of(why.adds) < 0 else DocumentKind.CORRECTION)


def waiting_of(told: Told, reasons: Sequence[Reason]) -> Waiting:
    """What is kept of a session that has to wait for a person."""
    bill, spot = told.case.bill, told.its.spot
    assert bill is not None
    return Waiting(
        session=told.its.id,
        station=spot.station,
        site=spot.site,
        reasons=tuple(reasons),
        currency=bill.currency,
        digits=bill.digits,
        gross_minor=bill.gross_minor,
        energy_wh=told.case.usage.energy_wh,
        billed_minor=told.billed_minor,
    )
