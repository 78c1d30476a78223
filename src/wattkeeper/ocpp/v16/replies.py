"""OCPP 1.6 answers to the calls of stations (1.6 chapter 6), one function an action."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wattkeeper.charging.answer import Answer
from wattkeeper.charging.cards.token import Authorisation, Verdict
from wattkeeper.ocpp.wire.moment import written

Payload = dict[str, object]

STATUSES: Mapping[Authorisation, str] = {
    Authorisation.ACCEPTED: "Accepted",
    Authorisation.UNKNOWN: "Invalid",
    Authorisation.BLOCKED: "Blocked",
    Authorisation.EXPIRED: "Expired",
    Authorisation.CONCURRENT: "ConcurrentTx",
    Authorisation.NO_CREDIT: "Blocked",
    Authorisation.NOT_HERE: "Blocked",
    Authorisation.NOT_NOW: "Blocked",
    Authorisation.WRONG_PLUG: "Blocked",
    Authorisation.INVALID: "Invalid",
}
"""Verdicts as AuthorizationStatus (1.6 7.2), which has no word for what binds a card: it is not allowed to charge."""
LONGEST_ID = 20
"""Characters of an IdToken (1.6 7.28)."""


def _tag_info(verdict: Verdict | None) -> Payload:
    """An IdTagInfo (1.6 7.27); more than the status only with an accepted card. No verdict is no permission."""
    if verdict is None:
        return {"status": "Invalid"}
    info: Payload = {"status": STATUSES[verdict.status]}
    if verdict.accepted and verdict.expires_at is not None:
        info["expiryDate"] = written(verdict.expires_at)
    if verdict.accepted and verdict.parent_id and len(verdict.parent_id) <= LONGEST_ID:
        info["parentIdTag"] = verdict.parent_id
    return info


def _booted(answer: Answer) -> Payload:
    return {
        "status": "Accepted" if answer.admitted else "Pending",
        "currentTime": written(answer.now),
        "interval": answer.interval_s,
    }


def _started(answer: Answer) -> Payload:
    return {"transactionId": answer.number or 0, "idTagInfo": _tag_info(answer.verdict)}


def _stopped(answer: Answer) -> Payload:
    return {"idTagInfo": _tag_info(answer.verdict)} if answer.verdict else {}


def _empty(answer: Answer) -> Payload:
    return {}


REPLIES: Mapping[str, Callable[[Answer], Payload]] = {
    "Authorize": lambda answer: {"idTagInfo": _tag_info(answer.verdict)},
    "BootNotification": _booted,
    "DataTransfer": lambda answer: {"status": "UnknownVendorId"},
    "DiagnosticsStatusNotification": _empty,
    "FirmwareStatusNotification": _empty,
    "Heartbeat": lambda answer: {"currentTime": written(answer.now)},
    "LogStatusNotification": _empty,
    "MeterValues": _empty,
    "SecurityEventNotification": _empty,
    "SignCertificate": lambda answer: {"status": "Rejected"},
    "SignedFirmwareStatusNotification": _empty,
    "StartTransaction": _started,
    "StatusNotification": _empty,
    "StopTransaction": _stopped,
}
