"""Sessions as a 1.6 station tells them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.doors import Station

CARD = "04A2B97F1180"
"""The number of a card that tests enroll; its last two characters are 80."""


def now() -> datetime:
    """The time of a station whose clock is right."""
    return datetime.now(UTC).replace(microsecond=0)


def word(at: datetime) -> str:
    """An instant as stations write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Teller:
    """A station that tells of one session at its connector 1."""

    station: Station
    at: datetime
    number: int = 0

    async def say(self, action: str, **payload: Any) -> Any:
        """Call, and give the answer; a CALLERROR is a failure."""
        answer = await self.station.call(action, payload)
        assert answer[0] == 3, answer
        return answer[2]

    async def status(self, status: str, at: datetime | None = None) -> None:
        """A connector changed."""
        told = {"timestamp": word(at or self.at)}
        await self.say("StatusNotification", connectorId=1, errorCode="NoError", status=status, **told)

    async def start(self, card: str = CARD, meter: int = 1000) -> str:
        """Start; the transaction id."""
        answer = await self.say(
            "StartTransaction", connectorId=1, idTag=card, meterStart=meter, timestamp=word(self.at)
        )
        self.number = int(answer["transactionId"])
        return str(self.number)

    async def read(self, minutes: int, register: float) -> None:
        """Read the meter, so many minutes after the start."""
        power = {"value": "7400", "unit": "W", "measurand": "Power.Active.Import"}
        sampled = [{"value": str(register), "unit": "Wh"}, power]
        value = {"timestamp": word(self.at + timedelta(minutes=minutes)), "sampledValue": sampled}
        await self.say("MeterValues", connectorId=1, transactionId=self.number, meterValue=[value])

    async def stop(self, minutes: int, register: int, **more: Any) -> None:
        """Stop, so many minutes after the start."""
        at = word(self.at + timedelta(minutes=minutes))
        await self.say("StopTransaction", transactionId=self.number, meterStop=register, timestamp=at, **more)
