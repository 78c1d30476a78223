"""What the numbers say, wired together: what doors are handed as ``statistics``."""

from __future__ import annotations

from dataclasses import dataclass

from wattkeeper.bus import Bus
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.statistics.carbon import SiteCarbon
from wattkeeper.operations.statistics.consumption import OwnConsumption
from wattkeeper.operations.statistics.counting import Counting
from wattkeeper.operations.statistics.daytime import Daytime
from wattkeeper.operations.statistics.findings import Findings
from wattkeeper.operations.statistics.forecasts import Forecasts
from wattkeeper.operations.statistics.otherwise import OtherTimes
from wattkeeper.operations.statistics.reckoning import Reckoning
from wattkeeper.operations.statistics.reliability import Reliability
from wattkeeper.operations.statistics.terms import SiteTerms
from wattkeeper.operations.statistics.use import Use
from wattkeeper.operations.statistics.when import When
from wattkeeper.operations.statistics.yearly import OwnYears
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store


@dataclass(frozen=True, slots=True)
class Statistics:
    """Each by its noun."""

    counting: Counting
    consumption: OwnConsumption
    other_times: OtherTimes
    years: OwnYears
    terms: SiteTerms
    carbon: SiteCarbon
    reckoning: Reckoning
    use: Use
    reliability: Reliability
    findings: Findings
    forecasts: Forecasts
    when: When
    daytime: Daytime


def statistics_of(store: Store, safe: Safe, bus: Bus, settings: Settings) -> Statistics:
    """The statistics of one installation."""
    return Statistics(
        counting=Counting(store, bus, settings),
        consumption=OwnConsumption(store, settings),
        other_times=OtherTimes(store, settings),
        years=OwnYears(store, settings.zone),
        use=Use(store, settings),
        when=When(store, settings),
        daytime=Daytime(store, settings),
        terms=SiteTerms(store, settings),
        carbon=SiteCarbon(store, settings),
        reckoning=Reckoning(store, bus, settings),
        reliability=Reliability(store, safe, bus, settings),
        findings=Findings(store, settings),
        forecasts=Forecasts(store, settings),
    )
