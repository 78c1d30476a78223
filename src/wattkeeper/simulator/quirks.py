"""A 1.6 station with habits seen in real products, none of which the library would agree to send.

Its timestamps have no zone. Its samples are numbers instead of strings, or energy in kWh, by turns. It
sends each StartTransaction and each StopTransaction twice, under new message ids. A connector is Available
before its transaction has stopped. Every fifth reading names transaction 0, and once in its life the
register runs backwards. It keeps no local list.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from ocpp.v16 import call_result

from wattkeeper.simulator.charge import Charge, Ending, Measurand, Reading, Status
from wattkeeper.simulator.v16.telling import Station16
from wattkeeper.simulator.wire import OfflineError, UnansweredError, as_frame, as_members

TWICE = ("StartTransaction", "StopTransaction")
NAMELESS_EVERY = 5
BACKWARDS_AT, BACKWARDS_WH = 4, 750

Frame = dict[str, Any]


class QuirkyStation16(Station16):
    """A station whose sessions are true and whose manners are not."""

    keeps_list = False

    def __init__(self, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        self._readings = 0

    async def send(self, payload: Any) -> Any:
        """Send a bent frame, some of them twice; returns the first answer."""
        action = type(payload).__name__
        frame = without_zones(as_frame(payload))
        if action == "MeterValues":
            self._readings += 1
            frame = bent_reading(frame, self._readings)
        answer = await self._send_frame(action, frame)
        if action in TWICE:
            self._compare(answer, await self._send_frame(action, frame))
        return _as_answer(action, answer)

    def tell_end(self, charge: Charge, ending: Ending, reading: Reading) -> None:
        """The connector is Available first, and the transaction stops afterwards."""
        self.show(charge.connector, Status.AVAILABLE)
        super().tell_end(charge, ending, reading)

    async def _send_frame(self, action: str, frame: Frame) -> Frame:
        if self.line.wire is None:
            raise OfflineError
        answer: Frame = await self.line.wire.ask_raw(action, frame)
        return answer

    def _compare(self, first: Frame, second: Frame) -> None:
        if first.get("transactionId") != second.get("transactionId"):
            self.tell_human("a repeated start was taken for a second transaction")


def _as_answer(action: str, answer: Frame) -> Any:
    try:
        return getattr(call_result, action)(**as_members(answer))
    except TypeError:
        raise UnansweredError("something that is no answer") from None


def bent_reading(frame: Frame, number: int) -> Frame:
    """The `number`-th MeterValues of a station, bent by turns."""
    values = [_bent_value(value, number) for value in frame["meterValue"]]
    bent = {**frame, "meterValue": values}
    return {**bent, "transactionId": 0} if number % NAMELESS_EVERY == 0 else bent


def _bent_value(value: Frame, number: int) -> Frame:
    return {**value, "sampledValue": [_bent_sample(sample, number) for sample in value["sampledValue"]]}


def _bent_sample(sample: Frame, number: int) -> Frame:
    amount = Decimal(sample["value"])
    energy = sample["measurand"] == Measurand.ENERGY
    if energy and number == BACKWARDS_AT:
        amount -= BACKWARDS_WH
    if number % 2:
        return {**sample, "value": int(amount) if amount == int(amount) else float(amount)}
    if energy:
        return {**sample, "value": str(amount / 1000), "unit": "kWh"}
    return sample


def without_zones(frame: Any) -> Any:
    """The frame with every timestamp cut before its zone."""
    if isinstance(frame, list):
        return [without_zones(one) for one in frame]
    if not isinstance(frame, dict):
        return frame
    return {key: _local(value) if key == "timestamp" else without_zones(value) for key, value in frame.items()}


def _local(stamp: str) -> str:
    return datetime.fromisoformat(stamp).replace(tzinfo=None).isoformat(timespec="seconds")
