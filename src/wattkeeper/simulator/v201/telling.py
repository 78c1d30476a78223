"""A station that speaks OCPP 2.0.1: what it tells. What it answers is in `orders`.

Transactions start at `Authorized` or `EVConnected`, whichever comes first, and stop at `Authorized` or
`EVConnected`, whichever goes first (TxStartPoint, TxStopPoint). Each connector is an EVSE of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ocpp.v201 import call
from ocpp.v201.datatypes import (
    ChargingStationType,
    EVSEType,
    IdTokenType,
    MeterValueType,
    SampledValueType,
    TransactionType,
    UnitOfMeasureType,
)
from websockets.asyncio.client import ClientConnection

from wattkeeper.simulator.charge import Charge, Connector, Context, Ending, Measurand, Reading, Sample, Status
from wattkeeper.simulator.orders import triggered_reading
from wattkeeper.simulator.station import Registration, Station
from wattkeeper.simulator.v201.orders import Wire201, variables
from wattkeeper.simulator.wire import stamp

ENDINGS = {
    Ending.LOCAL: ("StopAuthorized", "Local"),
    Ending.UNPLUGGED: ("EVCommunicationLost", "EVDisconnected"),
    Ending.REMOTE: ("RemoteStop", "Remote"),
    Ending.DEAUTHORIZED: ("Deauthorized", "DeAuthorized"),
    Ending.POWER_LOSS: ("AbnormalCondition", "PowerLoss"),
    Ending.SOFT_RESET: ("ResetCommand", "Reboot"),
    Ending.HARD_RESET: ("ResetCommand", "ImmediateReset"),
    Ending.UNLOCKED: ("UnlockCommand", "Other"),
}
CARD_KIND = "ISO14443"


@dataclass(frozen=True, slots=True)
class Event:
    """The parts of a TransactionEvent that differ from one to the next."""

    kind: str
    trigger: str
    at: datetime
    state: str | None = None
    card: str | None = None
    readings: tuple[Reading, ...] = ()
    stopped: str | None = None


class Station201(Station):
    """OCPP 2.0.1. A charge goes on after the power was lost, in the same transaction.

    `display` is what the station's display shows: the last personal or display message.
    """

    subprotocol = "ocpp2.0.1"
    compression = "deflate"
    resumes = True

    def __init__(self, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        self.variables = variables(self)
        self.messages: dict[int, dict[str, Any]] = {}
        self.display: str | None = None

    def make_wire(self, socket: ClientConnection) -> Wire201:
        """The library's charge point over that socket."""
        wire = Wire201(self.name, socket, response_timeout=self.manners.answer_within_s)
        wire.station = self
        return wire

    async def boot(self) -> Registration:
        """BootNotification."""
        station = ChargingStationType(
            vendor_name="Wattkeeper", model="Witness 201", serial_number=self.name[:25], firmware_version="2.0.1"
        )
        answer = await self.send(call.BootNotification(charging_station=station, reason=self.boot_reason))
        return Registration(answer.status == "Accepted", float(answer.interval))

    async def beat(self) -> None:
        """Heartbeat."""
        await self.send(call.Heartbeat())

    async def authorize(self, card: str) -> bool:
        """Authorize."""
        answer = await self.send(call.Authorize(id_token=_token(card)))
        return bool(answer.id_token_info["status"] == "Accepted")

    def tell_status(self, connector: Connector) -> None:
        """StatusNotification, in the five words of 2.0.1."""
        words = {Status.AVAILABLE: "Available", Status.UNAVAILABLE: "Unavailable"}
        message = call.StatusNotification(
            timestamp=stamp(self.clock.now()),
            connector_status=words.get(connector.status, "Occupied"),
            evse_id=connector.number,
            connector_id=1,
        )
        self.put(lambda offline: message, lasting=False)

    def show(self, connector: Connector, status: Status) -> None:
        """Set the status; told only when the word for it changes."""
        free = (Status.AVAILABLE, Status.UNAVAILABLE)
        silent = connector.status not in free and status not in free
        connector.status = status
        if not silent:
            self.tell_status(connector)

    def tell_card(self, charge: Charge) -> None:
        """TransactionEvent with the card: the transaction's first, or the next after the plug."""
        trigger = "RemoteStart" if charge.remote_start_id is not None else "Authorized"
        self._tell(charge, Event(_first_or_next(charge), trigger, self.clock.now(), card=charge.card))

    def tell_plug(self, charge: Charge) -> None:
        """TransactionEvent with the plug: the transaction's first, or the next after the card."""
        kind = _first_or_next(charge)
        self._tell(charge, Event(kind, "CablePluggedIn", self.clock.now(), state="EVConnected"))

    def tell_flow(self, charge: Charge) -> None:
        """TransactionEvent: charging, with the reading of the beginning."""
        at = self.clock.now()
        charge.begin = self.sample(charge, at, Context.BEGIN)
        self._tell(charge, Event("Updated", "ChargingStateChanged", at, "Charging", readings=(charge.begin,)))

    def tell_suspended(self, charge: Charge, at: datetime) -> None:
        """TransactionEvent: suspended by the car."""
        reading = self.sample(charge, at, Context.PERIODIC)
        self._tell(charge, Event("Updated", "ChargingStateChanged", at, "SuspendedEV", readings=(reading,)))

    def tell_reading(self, charge: Charge, reading: Reading) -> None:
        """TransactionEvent with a periodic reading."""
        state = "SuspendedEV" if charge.suspended else "Charging"
        event = Event("Updated", "MeterValuePeriodic", reading.at, state, readings=(reading,))
        self._tell(charge, event, expendable=True)

    def tell_back(self, charge: Charge, cut: Reading, back: Reading) -> None:
        """TransactionEvent with both ends of the interruption."""
        state = "SuspendedEV" if charge.suspended else "Charging"
        event = Event("Updated", "ChargingStateChanged", back.at, state, readings=(cut, back))
        self._tell(charge, event)

    def tell_end(self, charge: Charge, ending: Ending, reading: Reading) -> None:
        """TransactionEvent Ended, with the readings of begin and end."""
        trigger, stopped = ENDINGS[ending]
        card = charge.card if ending is Ending.LOCAL else None
        readings = (reading,) if charge.begin is None else (charge.begin, reading)
        state = "Idle" if ending is Ending.UNPLUGGED else "EVConnected"
        self._tell(charge, Event("Ended", trigger, reading.at, state, card, readings, stopped))

    def tell_triggered(self, connector: Connector) -> None:
        """MeterValues on demand."""
        reading = meter_value(triggered_reading(self, connector))
        message = call.MeterValues(evse_id=connector.number, meter_value=[reading])
        self.put(lambda offline: message, lasting=False)

    def tell_transaction(self, charge: Charge) -> None:
        """TransactionEvent on demand."""
        reading = triggered_reading(self, charge.connector)
        state = "SuspendedEV" if charge.suspended else "Charging"
        self._tell(charge, Event("Updated", "Trigger", reading.at, state, readings=(reading,)))

    def _tell(self, charge: Charge, event: Event, *, expendable: bool = False) -> None:
        number = charge.next_event()
        self.put(
            lambda offline: _message(charge, event, number, offline),
            heard=lambda answer: self._heard(charge, answer),
            expendable=expendable,
        )

    def _heard(self, charge: Charge, answer: Any) -> None:
        info = answer.id_token_info
        if info is not None and info["status"] != "Accepted":
            charge.want(Ending.DEAUTHORIZED)
        if answer.total_cost is not None and self.shows_costs:
            charge.till.total = Decimal(str(answer.total_cost))
            self.display = f"{answer.total_cost:.2f}"
            self.tell_human(f"display: {self.display} in total", charge.connector)
        if answer.updated_personal_message is not None:
            charge.message = self.display = answer.updated_personal_message["content"]


def _first_or_next(charge: Charge) -> str:
    kind = "Updated" if charge.begun else "Started"
    charge.begun = True
    return kind


def _message(charge: Charge, event: Event, number: int, offline: bool) -> Any:
    remote = event.trigger == "RemoteStart" or (event.kind == "Started" and charge.remote_start_id is not None)
    return call.TransactionEvent(
        event_type=event.kind,
        timestamp=stamp(event.at),
        trigger_reason=event.trigger,
        seq_no=number,
        transaction_info=TransactionType(
            transaction_id=charge.reference,
            charging_state=event.state,
            stopped_reason=event.stopped,
            remote_start_id=charge.remote_start_id if remote else None,
        ),
        meter_value=[meter_value(reading) for reading in event.readings] or None,
        offline=offline or None,
        evse=EVSEType(id=charge.connector.number, connector_id=1),
        id_token=None if event.card is None else _token(event.card),
    )


def _token(card: str) -> IdTokenType:
    return IdTokenType(id_token=card, type=CARD_KIND)


def meter_value(reading: Reading) -> MeterValueType:
    """One instant's samples in the words of 2.0.1, which has none for temperature."""
    told = (sample for sample in reading.samples if sample.measurand is not Measurand.TEMPERATURE)
    return MeterValueType(
        timestamp=stamp(reading.at), sampled_value=[_sampled(sample, reading.context) for sample in told]
    )


def _sampled(sample: Sample, context: Context) -> SampledValueType:
    return SampledValueType(
        # JSON knows one kind of number; the library would round a Decimal to one place.
        value=float(sample.value),
        context=context.value,
        measurand=sample.measurand.value,
        phase=sample.phase,
        location="EV" if sample.unit == "Percent" else "Outlet",
        unit_of_measure=UnitOfMeasureType(unit=sample.unit),
    )
