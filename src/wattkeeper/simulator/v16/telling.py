"""A station that speaks OCPP 1.6: what it tells. What it answers is in `orders`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ocpp.v16 import call
from ocpp.v16.datatypes import MeterValue, SampledValue
from websockets.asyncio.client import ClientConnection

from wattkeeper.simulator.charge import Charge, Connector, Context, Ending, Reading, Sample, Status
from wattkeeper.simulator.orders import triggered_reading
from wattkeeper.simulator.station import Registration, Station
from wattkeeper.simulator.v16.orders import Wire16, configuration
from wattkeeper.simulator.wire import stamp

WORDS = {
    Status.AVAILABLE: "Available",
    Status.PREPARING: "Preparing",
    Status.CHARGING: "Charging",
    Status.SUSPENDED: "SuspendedEV",
    Status.FINISHING: "Finishing",
    Status.UNAVAILABLE: "Unavailable",
}
REASONS = {
    Ending.LOCAL: "Local",
    Ending.UNPLUGGED: "EVDisconnected",
    Ending.REMOTE: "Remote",
    Ending.DEAUTHORIZED: "DeAuthorized",
    Ending.POWER_LOSS: "PowerLoss",
    Ending.SOFT_RESET: "SoftReset",
    Ending.HARD_RESET: "HardReset",
    Ending.UNLOCKED: "UnlockCommand",
}
UNKNOWN_TRANSACTION = -1
"""Sent in a StopTransaction whose start was never answered: the field is required."""


class Station16(Station):
    """OCPP 1.6-J. A charge ends with the power: the StopTransaction with reason PowerLoss follows the next boot."""

    subprotocol = "ocpp1.6"
    resumes = False

    def __init__(self, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        self.configuration = configuration(self)

    def make_wire(self, socket: ClientConnection) -> Wire16:
        """The library's charge point over that socket."""
        wire = Wire16(self.name, socket, response_timeout=self.manners.answer_within_s)
        wire.station = self
        return wire

    async def boot(self) -> Registration:
        """BootNotification."""
        answer = await self.send(
            call.BootNotification(
                charge_point_vendor="Wattkeeper",
                charge_point_model="Witness 16",
                charge_point_serial_number=self.name[:25],
                firmware_version="1.6.0",
                meter_type="simulated",
            )
        )
        return Registration(answer.status == "Accepted", float(answer.interval))

    async def beat(self) -> None:
        """Heartbeat."""
        await self.send(call.Heartbeat())

    async def authorize(self, card: str) -> bool:
        """Authorize."""
        answer = await self.send(call.Authorize(id_tag=card))
        return bool(answer.id_tag_info["status"] == "Accepted")

    def tell_status(self, connector: Connector) -> None:
        """StatusNotification, at this moment's time."""
        message = call.StatusNotification(
            connector_id=connector.number,
            error_code="NoError",
            status=WORDS[connector.status],
            timestamp=stamp(self.clock.now()),
        )
        self.put(lambda offline: message, lasting=False)

    def tell_card(self, charge: Charge) -> None:
        """Nothing: 1.6 tells of a card by Authorize alone."""

    def tell_plug(self, charge: Charge) -> None:
        """Nothing: 1.6 tells of a plug by the connector's status alone."""

    def tell_flow(self, charge: Charge) -> None:
        """StartTransaction."""
        at = self.clock.now()
        charge.begin = self.sample(charge, at, Context.BEGIN)
        charge.begun = True
        message = call.StartTransaction(
            connector_id=charge.connector.number,
            id_tag=charge.card,
            meter_start=charge.register_start_wh,
            timestamp=stamp(at),
        )
        self.put(lambda offline: message, heard=lambda answer: self._started(charge, answer))

    def _started(self, charge: Charge, answer: Any) -> None:
        charge.transaction_id = answer.transaction_id
        if answer.id_tag_info["status"] != "Accepted":
            charge.want(Ending.DEAUTHORIZED)

    def tell_suspended(self, charge: Charge, at: datetime) -> None:
        """Nothing: 1.6 tells of a pause by the connector's status alone."""

    def tell_reading(self, charge: Charge, reading: Reading) -> None:
        """MeterValues, with the transaction id that the start was answered with."""
        self.put(
            lambda offline: call.MeterValues(
                connector_id=charge.connector.number,
                meter_value=[meter_value(reading)],
                transaction_id=charge.transaction_id,
            ),
            expendable=True,
        )

    def tell_triggered(self, connector: Connector) -> None:
        """MeterValues on demand, with the transaction if one runs."""
        charge = connector.charge
        message = call.MeterValues(
            connector_id=connector.number,
            meter_value=[meter_value(triggered_reading(self, connector))],
            transaction_id=None if charge is None else charge.transaction_id,
        )
        self.put(lambda offline: message, lasting=False)

    def tell_back(self, charge: Charge, cut: Reading, back: Reading) -> None:
        """MeterValues with both ends of the interruption."""
        for reading in (cut, back):
            self.tell_reading(charge, reading)

    def tell_end(self, charge: Charge, ending: Ending, reading: Reading) -> None:
        """StopTransaction, with the readings of begin and end; nothing if it never began."""
        if not charge.begun:
            return
        data = [meter_value(one) for one in (charge.begin, reading) if one is not None]
        self.put(
            lambda offline: call.StopTransaction(
                meter_stop=charge.register_wh(reading.at),
                timestamp=stamp(reading.at),
                transaction_id=UNKNOWN_TRANSACTION if charge.transaction_id is None else charge.transaction_id,
                reason=REASONS[ending],
                id_tag=charge.card if ending is Ending.LOCAL else None,
                transaction_data=data,
            )
        )


def meter_value(reading: Reading) -> MeterValue:
    """One instant's samples in the words of 1.6."""
    samples = [_sampled(sample, reading.context) for sample in reading.samples]
    return MeterValue(timestamp=stamp(reading.at), sampled_value=samples)


def _sampled(sample: Sample, context: Context) -> SampledValue:
    return SampledValue(
        value=str(sample.value),
        context=context.value,
        measurand=sample.measurand.value,
        phase=sample.phase,
        location="Body" if sample.unit == "Celsius" else "EV" if sample.unit == "Percent" else "Outlet",
        unit=sample.unit,
    )
