"""The load: full OCPP 1.6 sessions as text frames, and what they must come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

METERS = 10
"""MeterValues in a session."""
STEP_WH = 137
"""What the register rises by from one to the next."""
MESSAGES = METERS + 3
"""Messages in a session: Authorize, StartTransaction, the MeterValues, StopTransaction."""
SUBPROTOCOL = "ocpp1.6"
_BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)


def energy_wh(number: int) -> int:
    """What a session delivers; each a little different."""
    return METERS * STEP_WH + number % 97


@dataclass(frozen=True, slots=True)
class Story:
    """One session of one station, frame by frame."""

    station: int
    number: int

    @property
    def token(self) -> str:
        """The card, one for each station."""
        return f"B{self.station:07X}"

    @property
    def register(self) -> int:
        """The register at the start."""
        return 100_000 + self.number * 5_000

    def at(self, minute: int) -> str:
        """A minute of this session as a station writes it."""
        moment = _BEGIN + timedelta(minutes=30 * self.number + minute, seconds=self.station % 60)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def authorize(self) -> str:
        """The tap."""
        return f'[2,"{self.number}-a","Authorize",{{"idTag":"{self.token}"}}]'

    def start(self) -> str:
        """The start."""
        return (
            f'[2,"{self.number}-s","StartTransaction",{{"connectorId":1,"idTag":"{self.token}",'
            f'"meterStart":{self.register},"timestamp":"{self.at(0)}"}}]'
        )

    def meter(self, step: int, transaction: int) -> str:
        """The MeterValues of a minute: nine samples."""
        register = self.register + step * STEP_WH
        samples = ",".join(
            (
                f'{{"value":"{register}","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"}}',
                '{"value":"8220.5","measurand":"Power.Active.Import","unit":"W"}',
                *(
                    f'{{"value":"{11.9 + phase / 10:.1f}","measurand":"Current.Import","unit":"A","phase":"L{phase}"}}'
                    for phase in (1, 2, 3)
                ),
                *(
                    f'{{"value":"{229 + phase}.4","measurand":"Voltage","unit":"V","phase":"L{phase}-N"}}'
                    for phase in (1, 2, 3)
                ),
                '{"value":"31.5","measurand":"Temperature","unit":"Celsius"}',
            )
        )
        return (
            f'[2,"{self.number}-{step}","MeterValues",{{"connectorId":1,"transactionId":{transaction},'
            f'"meterValue":[{{"timestamp":"{self.at(step)}","sampledValue":[{samples}]}}]}}]'
        )

    def stop(self, transaction: int) -> str:
        """The stop."""
        return (
            f'[2,"{self.number}-e","StopTransaction",{{"transactionId":{transaction},"idTag":"{self.token}",'
            f'"meterStop":{self.register + energy_wh(self.number)},"timestamp":"{self.at(METERS + 2)}",'
            '"reason":"Local"}]'
        )
