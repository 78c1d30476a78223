"""OCPP 1.6 messages that tell of the station itself, with those of the security extension (whitepaper edition 2)."""

from __future__ import annotations

from collections.abc import Callable

from wattkeeper.charging.facts import Booted, HeartBeaten, Reported, StatusChanged, Topic
from wattkeeper.ocpp.statuses import connector_status
from wattkeeper.ocpp.wire.members import necessary, said, summed_up, when
from wattkeeper.ocpp.wire.notes import Members, Notes


def booted(members: Members, notes: Notes) -> Booted:
    """BootNotification (1.6 4.2)."""
    return Booted(
        vendor=said(members, "chargePointVendor") or "",
        model=said(members, "chargePointModel") or "",
        serial=said(members, "chargePointSerialNumber") or said(members, "chargeBoxSerialNumber"),
        firmware=said(members, "firmwareVersion"),
        meter_serial=said(members, "meterSerialNumber"),
        iccid=said(members, "iccid"),
        imsi=said(members, "imsi"),
    )


def heart_beaten(members: Members, notes: Notes) -> HeartBeaten:
    """Heartbeat (1.6 4.6)."""
    return HeartBeaten()


def status_changed(members: Members, notes: Notes) -> StatusChanged:
    """StatusNotification (1.6 4.9); connector 0 is the station as a whole."""
    word = said(members, "status")
    error = said(members, "errorCode")
    return StatusChanged(
        at=when(members, notes),
        evse=necessary(members, "connectorId", notes),
        status=connector_status(word),
        said=word or "",
        error=None if error == "NoError" else error,
        info=said(members, "info"),
    )


def security_event(members: Members, notes: Notes) -> Reported:
    """SecurityEventNotification; its technical information is only kept sealed."""
    return Reported(at=when(members, notes), topic=Topic.SECURITY, summary=said(members, "type") or "")


def data(members: Members, notes: Notes) -> Reported:
    """DataTransfer (1.6 4.3): whose it is; what it says is only kept sealed."""
    return Reported(topic=Topic.DATA, summary=summed_up(said(members, "vendorId"), said(members, "messageId")))


def certificate_request(members: Members, notes: Notes) -> Reported:
    """SignCertificate; 1.6 knows one kind of certificate for stations."""
    return Reported(topic=Topic.CERTIFICATE_REQUEST, summary="ChargePointCertificate")


def progress(topic: Topic) -> Callable[[Members, Notes], Reported]:
    """A reader for the messages that consist of a status word (firmware, log, diagnostics)."""

    def read(members: Members, notes: Notes) -> Reported:
        return Reported(topic=topic, summary=said(members, "status") or "")

    return read
