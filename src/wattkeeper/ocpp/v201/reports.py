"""OCPP 2.0.1 messages that tell of the station itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wattkeeper.charging.facts import Booted, HeartBeaten, Reported, StatusChanged, Topic
from wattkeeper.ocpp.statuses import connector_status
from wattkeeper.ocpp.wire.members import entries, inner, necessary, number, said, summed_up, when
from wattkeeper.ocpp.wire.notes import Members, Notes
from wattkeeper.ocpp.wire.text import fold

Reporter = Callable[[Members, Notes], Reported]


def booted(members: Members, notes: Notes) -> Booted:
    """BootNotification."""
    station = inner(members, "chargingStation")
    modem = inner(station, "modem")
    return Booted(
        vendor=said(station, "vendorName") or "",
        model=said(station, "model") or "",
        serial=said(station, "serialNumber"),
        firmware=said(station, "firmwareVersion"),
        iccid=said(modem, "iccid"),
        imsi=said(modem, "imsi"),
        reason=said(members, "reason"),
    )


def heart_beaten(members: Members, notes: Notes) -> HeartBeaten:
    """Heartbeat."""
    return HeartBeaten()


def status_changed(members: Members, notes: Notes) -> StatusChanged:
    """StatusNotification; words of 1.6 are understood too."""
    word = said(members, "connectorStatus")
    return StatusChanged(
        at=when(members, notes),
        evse=necessary(members, "evseId", notes),
        connector=necessary(members, "connectorId", notes),
        status=connector_status(word),
        said=word or "",
    )


def security_event(members: Members, notes: Notes) -> Reported:
    """SecurityEventNotification; its technical information is only kept sealed."""
    return Reported(at=when(members, notes), topic=Topic.SECURITY, summary=said(members, "type") or "")


def event(members: Members, notes: Notes) -> Reported:
    """NotifyEvent: which variables told of something; their values are only kept where they are plain."""
    happenings = entries(members, "eventData")
    names = dict.fromkeys(_variable(each) for each in happenings)
    evse = next((found for each in happenings if (found := _evse(each, notes)) is not None), None)
    return Reported(
        at=when(members, notes, "generatedAt"), topic=Topic.EVENT, summary=summed_up(", ".join(names)), evse=evse
    )


def inventory(members: Members, notes: Notes) -> Reported:
    """NotifyReport: how much was reported, and whether the station can show messages."""
    reported = entries(members, "reportData")
    return Reported(
        at=when(members, notes, "generatedAt"),
        topic=Topic.INVENTORY,
        summary=_part(members, f"{len(reported)} variables"),
        displays_messages=_displays_messages(reported),
    )


def monitoring(members: Members, notes: Notes) -> Reported:
    """NotifyMonitoringReport: how many variables are monitored."""
    summary = _part(members, f"{len(entries(members, 'monitor'))} variables")
    return Reported(at=when(members, notes, "generatedAt"), topic=Topic.MONITORING, summary=summary)


def customer_information(members: Members, notes: Notes) -> Reported:
    """NotifyCustomerInformation: that a part came; what it says is only kept sealed."""
    summary = _part(members, "customer information")
    return Reported(at=when(members, notes, "generatedAt"), topic=Topic.CUSTOMER_INFORMATION, summary=summary)


def display_messages(members: Members, notes: Notes) -> Reported:
    """NotifyDisplayMessages: how many messages are set."""
    summary = _part(members, f"{len(entries(members, 'messageInfo'))} messages")
    return Reported(topic=Topic.DISPLAY_MESSAGES, summary=summary)


def charging_profiles(members: Members, notes: Notes) -> Reported:
    """ReportChargingProfiles: how many profiles an EVSE has, and from whom."""
    count = f"{len(entries(members, 'chargingProfile'))} profiles"
    summary = _part(members, summed_up(count, said(members, "chargingLimitSource")))
    return Reported(topic=Topic.CHARGING_PROFILES, summary=summary, evse=number(members, "evseId", notes))


def charging_limit(members: Members, notes: Notes) -> Reported:
    """NotifyChargingLimit and ClearedChargingLimit: who set or lifted a limit."""
    limit = inner(members, "chargingLimit")
    source = said(members, "chargingLimitSource") or said(limit, "chargingLimitSource")
    return Reported(
        topic=Topic.CHARGING_LIMIT,
        summary=summed_up(source, "set" if "chargingLimit" in members else "cleared"),
        evse=number(members, "evseId", notes),
    )


def charging_needs(members: Members, notes: Notes) -> Reported:
    """NotifyEVChargingNeeds: the mode of energy transfer that the vehicle asks for."""
    needs = inner(members, "chargingNeeds")
    summary = said(needs, "requestedEnergyTransfer") or ""
    return Reported(topic=Topic.CHARGING_NEEDS, summary=summary, evse=number(members, "evseId", notes))


def charging_schedule(members: Members, notes: Notes) -> Reported:
    """NotifyEVChargingSchedule: the schedule that the vehicle follows."""
    schedule = inner(members, "chargingSchedule")
    periods = len(entries(schedule, "chargingSchedulePeriod"))
    return Reported(
        at=when(members, notes, "timeBase"),
        topic=Topic.CHARGING_SCHEDULE,
        summary=summed_up(f"{periods} periods in", said(schedule, "chargingRateUnit")),
        evse=number(members, "evseId", notes),
    )


def data(members: Members, notes: Notes) -> Reported:
    """DataTransfer: whose it is; what it says is only kept sealed."""
    return Reported(topic=Topic.DATA, summary=summed_up(said(members, "vendorId"), said(members, "messageId")))


def named(topic: Topic, *names: str, otherwise: str = "") -> Reporter:
    """A reader for the messages whose gist is the first of some members that is there."""

    def read(members: Members, notes: Notes) -> Reported:
        words = (said(members, name) for name in names)
        return Reported(topic=topic, summary=next((word for word in words if word), otherwise))

    return read


def _part(members: Members, what: str) -> str:
    request, part = members.get("requestId"), members.get("seqNo")
    return summed_up(
        what,
        f"(request {request})" if type(request) is int else None,
        f"part {part}" if type(part) is int else None,
        "more to come" if members.get("tbc") is True else None,
    )


def _variable(each: Mapping[str, Any]) -> str:
    names = (said(inner(each, "component"), "name"), said(inner(each, "variable"), "name"))
    return ".".join(name for name in names if name)


def _evse(each: Mapping[str, Any], notes: Notes) -> int | None:
    return number(inner(inner(each, "component"), "evse"), "id", notes)


def _displays_messages(reported: list[Any]) -> bool | None:
    """DisplayMessageCtrlr.Available, where the report tells it (2.0.1 appendices, 3.1.5)."""
    for each in reported:
        if fold(_variable(each)) == "displaymessagectrlravailable":
            for attribute in entries(each, "variableAttribute"):
                value = said(attribute, "value")
                if value is not None and (said(attribute, "type") or "Actual") == "Actual":
                    return fold(value) == "true"
    return None
