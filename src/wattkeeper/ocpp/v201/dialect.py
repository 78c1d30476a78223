"""OCPP 2.0.1: what each action means, is answered with, and how orders are worded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from wattkeeper.charging.answer import Answer
from wattkeeper.charging.facts import Topic
from wattkeeper.charging.orders import AskDisplay, Order, Settlement
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.station import Version
from wattkeeper.ocpp import commands, settling
from wattkeeper.ocpp.dialect import MISMATCH, ErrorCode, Heard, Unreadable
from wattkeeper.ocpp.hearing import Action, hear
from wattkeeper.ocpp.schemas import actions, plain, shape
from wattkeeper.ocpp.v201 import costs, local_list, reports, sessions
from wattkeeper.ocpp.v201.commands import COMMANDS
from wattkeeper.ocpp.v201.mismatch import refuse_mismatch
from wattkeeper.ocpp.v201.replies import REPLIES

ACTIONS: Mapping[str, Action] = {
    "Authorize": Action(sessions.authorize, token=sessions.presented),
    "BootNotification": Action(reports.booted),
    "ClearedChargingLimit": Action(reports.charging_limit),
    "DataTransfer": Action(reports.data),
    "FirmwareStatusNotification": Action(reports.named(Topic.FIRMWARE, "status"), plain=True),
    "Get15118EVCertificate": Action(reports.named(Topic.CERTIFICATE_EV, "action")),
    "GetCertificateStatus": Action(reports.named(Topic.CERTIFICATE_STATUS, otherwise="OCSP")),
    "Heartbeat": Action(reports.heart_beaten, plain=True),
    "LogStatusNotification": Action(reports.named(Topic.LOG, "status"), plain=True),
    "MeterValues": Action(sessions.metered, energy=True, plain=True),
    "NotifyChargingLimit": Action(reports.charging_limit),
    "NotifyCustomerInformation": Action(reports.customer_information),
    "NotifyDisplayMessages": Action(reports.display_messages),
    "NotifyEVChargingNeeds": Action(reports.charging_needs),
    "NotifyEVChargingSchedule": Action(reports.charging_schedule),
    "NotifyEvent": Action(reports.event),
    "NotifyMonitoringReport": Action(reports.monitoring),
    "NotifyReport": Action(reports.inventory),
    "PublishFirmwareStatusNotification": Action(reports.named(Topic.FIRMWARE, "status")),
    "ReportChargingProfiles": Action(reports.charging_profiles),
    "ReservationStatusUpdate": Action(reports.named(Topic.RESERVATION, "reservationUpdateStatus"), plain=True),
    "SecurityEventNotification": Action(reports.security_event),
    "SignCertificate": Action(
        reports.named(Topic.CERTIFICATE_REQUEST, "certificateType", otherwise="ChargingStationCertificate")
    ),
    "StatusNotification": Action(reports.status_changed, plain=True),
    "TransactionEvent": Action(sessions.happened, energy=True, plain=True, token=sessions.presented, tokened="idToken"),
}
"""Every action that a 2.0.1 station sends."""

_HEARD = frozenset(ACTIONS) - {"DataTransfer"}


class V201:
    """OCPP 2.0.1."""

    version = Version.V201

    def read(self, action: str, payload: object) -> Heard:
        """Understand a call; see `Dialect`."""
        known = ACTIONS.get(action)
        if known is None:
            raise _unknown(action)
        refuse_mismatch(action, payload)
        fast = plain(Version.V201, action) if known.plain else None
        return hear(known, shape(Version.V201, action, "request"), fast, payload)

    def reply(self, action: str, answer: Answer) -> dict[str, object]:
        """The CALLRESULT payload; see `Dialect`."""
        return REPLIES[action](answer)

    def write(self, order: Order) -> tuple[str, dict[str, object]]:
        """An order in 2.0.1 words; see `Dialect`."""
        action, payload = COMMANDS[type(order)](order)
        commands.commandable(Version.V201, action, _HEARD)
        return action, commands.compose(Version.V201, action, payload)

    def settle(self, order: Order, action: str, payload: Mapping[str, object]) -> Settlement:
        """What an answer means; see `Dialect`."""
        settlement = settling.settled(Version.V201, action, payload, commands.tokens_in(self.write(order)[1]))
        if isinstance(order, AskDisplay):
            return replace(settlement, figures=costs.figures(order, payload))
        return replace(settlement, figures=local_list.figures(action, payload))

    def redact(self, action: str, payload: Mapping[str, object]) -> dict[str, object]:
        """A command that is safe to keep; see `Dialect`."""
        return commands.masked(Version.V201, action, payload)


def _unknown(action: str) -> Unreadable:
    if action in actions(Version.V201):
        return Unreadable(ErrorCode.NOT_SUPPORTED, phrase("This action is a command; stations do not send it."))
    if action in actions(Version.V16):
        return Unreadable(ErrorCode.NOT_IMPLEMENTED, MISMATCH.filled(action=action, other="1.6", version="2.0.1"))
    return Unreadable(ErrorCode.NOT_IMPLEMENTED, phrase("This action is not part of OCPP {version}.", version="2.0.1"))
