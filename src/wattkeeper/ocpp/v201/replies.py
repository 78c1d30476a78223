"""OCPP 2.0.1 answers to the calls of stations, one function an action."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wattkeeper.charging.answer import Answer
from wattkeeper.charging.cards.token import Authorisation, Verdict
from wattkeeper.ocpp.wire.moment import written

Payload = dict[str, object]

STATUSES: Mapping[Authorisation, str] = {
    Authorisation.ACCEPTED: "Accepted",
    Authorisation.UNKNOWN: "Unknown",
    Authorisation.BLOCKED: "Blocked",
    Authorisation.EXPIRED: "Expired",
    Authorisation.CONCURRENT: "ConcurrentTx",
    Authorisation.NO_CREDIT: "NoCredit",
    Authorisation.NOT_HERE: "NotAtThisLocation",
    Authorisation.NOT_NOW: "NotAtThisTime",
    Authorisation.WRONG_PLUG: "NotAllowedTypeEVSE",
    Authorisation.INVALID: "Invalid",
}
"""Verdicts as AuthorizationStatusEnumType."""


def _token_info(verdict: Verdict | None) -> Payload:
    """An IdTokenInfoType; more than the status only with an accepted token (C09). No verdict is no permission."""
    if verdict is None:
        return {"status": "Invalid"}
    info: Payload = {"status": STATUSES[verdict.status]}
    if verdict.accepted and verdict.expires_at is not None:
        info["cacheExpiryDateTime"] = written(verdict.expires_at)
    if verdict.accepted and verdict.parent_id:
        info["groupIdToken"] = {"idToken": verdict.parent_id, "type": "Central"}
    return info


def _booted(answer: Answer) -> Payload:
    return {
        "currentTime": written(answer.now),
        "interval": answer.interval_s,
        "status": "Accepted" if answer.admitted else "Pending",
    }


def _happened(answer: Answer) -> Payload:
    """The session's id goes to the display of the station (updatedPersonalMessage), and what it cost once it is over.

    A total is for the end alone (TransactionEventResponse.totalCost); left out it means that charging was not free.
    """
    reply: Payload = {}
    if answer.total is not None:
        reply["totalCost"] = answer.total
    if answer.verdict is not None:
        reply["idTokenInfo"] = _token_info(answer.verdict)
    if answer.session is not None:
        reply["updatedPersonalMessage"] = {"format": "ASCII", "content": f"Session {answer.session}"}
    return reply


def _empty(answer: Answer) -> Payload:
    return {}


REPLIES: Mapping[str, Callable[[Answer], Payload]] = {
    "Authorize": lambda answer: {"idTokenInfo": _token_info(answer.verdict)},
    "BootNotification": _booted,
    "ClearedChargingLimit": _empty,
    "DataTransfer": lambda answer: {"status": "UnknownVendorId"},
    "FirmwareStatusNotification": _empty,
    "Get15118EVCertificate": lambda answer: {"status": "Failed", "exiResponse": ""},
    "GetCertificateStatus": lambda answer: {"status": "Failed"},
    "Heartbeat": lambda answer: {"currentTime": written(answer.now)},
    "LogStatusNotification": _empty,
    "MeterValues": _empty,
    "NotifyChargingLimit": _empty,
    "NotifyCustomerInformation": _empty,
    "NotifyDisplayMessages": _empty,
    "NotifyEVChargingNeeds": lambda answer: {"status": "Rejected"},
    "NotifyEVChargingSchedule": lambda answer: {"status": "Accepted"},
    "NotifyEvent": _empty,
    "NotifyMonitoringReport": _empty,
    "NotifyReport": _empty,
    "PublishFirmwareStatusNotification": _empty,
    "ReportChargingProfiles": _empty,
    "ReservationStatusUpdate": _empty,
    "SecurityEventNotification": _empty,
    "SignCertificate": lambda answer: {"status": "Rejected"},
    "StatusNotification": _empty,
    "TransactionEvent": _happened,
}
