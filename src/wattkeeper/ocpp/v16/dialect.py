"""OCPP 1.6-J with the security extension: what each action means, is answered with, and how orders are worded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from wattkeeper.charging.answer import Answer
from wattkeeper.charging.facts import Topic
from wattkeeper.charging.orders import Order, Settlement, ShowPrice
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.station import Version
from wattkeeper.ocpp import commands, settling
from wattkeeper.ocpp.dialect import MISMATCH, ErrorCode, Heard, Unreadable
from wattkeeper.ocpp.hearing import Action, hear
from wattkeeper.ocpp.schemas import actions, plain, shape
from wattkeeper.ocpp.v16 import costs, local_list, reports, sessions
from wattkeeper.ocpp.v16.commands import COMMANDS
from wattkeeper.ocpp.v16.replies import REPLIES

ACTIONS: Mapping[str, Action] = {
    "Authorize": Action(sessions.authorize, token=sessions.presented),
    "BootNotification": Action(reports.booted),
    "DataTransfer": Action(reports.data),
    "DiagnosticsStatusNotification": Action(reports.progress(Topic.DIAGNOSTICS), plain=True),
    "FirmwareStatusNotification": Action(reports.progress(Topic.FIRMWARE), plain=True),
    "Heartbeat": Action(reports.heart_beaten, plain=True),
    "LogStatusNotification": Action(reports.progress(Topic.LOG), plain=True),
    "MeterValues": Action(sessions.metered, energy=True, plain=True),
    "SecurityEventNotification": Action(reports.security_event),
    "SignCertificate": Action(reports.certificate_request),
    "SignedFirmwareStatusNotification": Action(reports.progress(Topic.FIRMWARE), plain=True),
    "StartTransaction": Action(sessions.started, energy=True, plain=True, token=sessions.presented, tokened="idTag"),
    "StatusNotification": Action(reports.status_changed, plain=True, spare=frozenset({"errorCode"})),
    "StopTransaction": Action(sessions.stopped, energy=True, plain=True, token=sessions.presented, tokened="idTag"),
}
"""Every action that a 1.6 station sends."""

_HEARD = frozenset(ACTIONS) - {"DataTransfer"}


class V16:
    """OCPP 1.6."""

    version = Version.V16

    def read(self, action: str, payload: object) -> Heard:
        """Understand a call; see `Dialect`."""
        known = ACTIONS.get(action)
        if known is None:
            raise _unknown(action)
        fast = plain(Version.V16, action) if known.plain else None
        return hear(known, shape(Version.V16, action, "request"), fast, payload)

    def reply(self, action: str, answer: Answer) -> dict[str, object]:
        """The CALLRESULT payload; see `Dialect`."""
        return REPLIES[action](answer)

    def write(self, order: Order) -> tuple[str, dict[str, object]]:
        """An order in 1.6 words; see `Dialect`."""
        action, payload = COMMANDS[type(order)](order)
        commands.commandable(Version.V16, action, _HEARD)
        return action, commands.compose(Version.V16, action, payload)

    def settle(self, order: Order, action: str, payload: Mapping[str, object]) -> Settlement:
        """What an answer means; see `Dialect`."""
        tokens = [order.uid] if isinstance(order, ShowPrice) else commands.tokens_in(self.write(order)[1])
        settlement = settling.settled(Version.V16, action, payload, tokens)
        return replace(settlement, figures=local_list.figures(action, payload) | costs.figures(action, payload))

    def redact(self, action: str, payload: Mapping[str, object]) -> dict[str, object]:
        """A command that is safe to keep; see `Dialect`."""
        return commands.masked(Version.V16, action, payload)


def _unknown(action: str) -> Unreadable:
    if action in actions(Version.V16):
        return Unreadable(ErrorCode.NOT_SUPPORTED, phrase("This action is a command; stations do not send it."))
    if action in actions(Version.V201):
        return Unreadable(ErrorCode.NOT_IMPLEMENTED, MISMATCH.filled(action=action, other="2.0.1", version="1.6"))
    return Unreadable(ErrorCode.NOT_IMPLEMENTED, phrase("This action is not part of OCPP {version}.", version="1.6"))
