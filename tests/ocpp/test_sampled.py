"""Measurands, units, phases and contexts: the same story gives the same readings in both dialects."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ocpp.talk import fact
from wattkeeper.charging.reading import Context, Reading, Sample
from wattkeeper.charging.station import Version

AT = "2026-03-01T10:00:00Z"
WHEN = datetime(2026, 3, 1, 10, tzinfo=UTC)
ENERGY = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"


def in_16(samples: list[dict[str, Any]], at: str = AT) -> dict[str, Any]:
    """Samples of 2.x shape (value as text) as a 1.6 MeterValue."""
    told = []
    for sample in samples:
        words = {name: word for name, word in sample.items() if name != "unitOfMeasure"}
        unit = sample.get("unitOfMeasure", {}).get("unit")
        told.append({**words, "value": str(sample["value"]), **({"unit": unit} if unit else {})})
    return {"timestamp": at, "sampledValue": told}


def in_201(samples: list[dict[str, Any]], at: str = AT) -> dict[str, Any]:
    return {"timestamp": at, "sampledValue": [{**sample, "value": float(sample["value"])} for sample in samples]}


def told_in_16(*meter_values: dict[str, Any]) -> tuple[Reading, ...]:
    got = fact("MeterValues", {"connectorId": 1, "meterValue": list(meter_values)})
    readings: tuple[Reading, ...] = got.readings
    return readings


def told_in_201(*meter_values: dict[str, Any]) -> tuple[Reading, ...]:
    got = fact("MeterValues", {"evseId": 1, "meterValue": list(meter_values)}, Version.V201)
    readings: tuple[Reading, ...] = got.readings
    return readings


def sample(value: object, measurand: str | None = None, **more: Any) -> dict[str, Any]:
    unit = more.pop("unit", None)
    told: dict[str, Any] = {"value": value, **more}
    if measurand:
        told["measurand"] = measurand
    if unit:
        told["unitOfMeasure"] = {"unit": unit}
    return told


def both(*samples: dict[str, Any]) -> Reading:
    """The one reading that both dialects make of the samples."""
    (first,), (second,) = told_in_16(in_16(list(samples))), told_in_201(in_201(list(samples)))
    assert first == second
    return first


@pytest.mark.parametrize(
    ("measurand", "unit", "value", "column", "expected"),
    [
        (None, None, "5.5", "energy_wh", "5.5"),
        (ENERGY, "Wh", "5.5", "energy_wh", "5.5"),
        (ENERGY, "kWh", "5.5", "energy_wh", "5500"),
        ("Energy.Active.Export.Register", "kWh", "1", "export_wh", "1000"),
        ("Energy.Active.Import.Interval", "Wh", "12", "interval_wh", "12"),
        (POWER, "W", "7400", "power_w", "7400"),
        (POWER, "kW", "7.4", "power_w", "7400"),
        (POWER, None, "7400", "power_w", "7400"),
        ("Power.Offered", "kW", "11", "offered_w", "11000"),
        ("Current.Import", "A", "16", "current_a", "16"),
        ("Current.Offered", "A", "16", "offered_a", "16"),
        ("Voltage", "V", "231", "voltage_v", "231"),
        ("SoC", "Percent", "80", "soc_percent", "80"),
        ("SoC", None, "80", "soc_percent", "80"),
    ],
)
def test_columns_and_units(measurand: str | None, unit: str | None, value: str, column: str, expected: str) -> None:
    reading = both(sample(value, measurand, unit=unit))
    assert reading == Reading(WHEN, **{column: Decimal(expected)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("unit", "value", "celsius"),
    [
        ("Celsius", "21.5", "21.5"),
        ("Celcius", "21.5", "21.5"),
        ("Fahrenheit", "212", "100"),
        ("K", "300.15", "27"),
        (None, "21.5", "21.5"),
    ],
)
def test_temperatures(unit: str | None, value: str, celsius: str) -> None:
    (reading,) = told_in_16(in_16([sample(value, "Temperature", unit=unit, location="Body")]))
    assert reading.temperature_c == Decimal(celsius)


@pytest.mark.parametrize(
    ("multiplier", "unit", "wh"),
    [
        (0, "Wh", 5),
        (3, "Wh", 5000),
        (-3, "Wh", Decimal("0.005")),
        (0, "kWh", 5000),
        (3, "kWh", 5_000_000),
        (3, None, 5000),
    ],
)
def test_multipliers_of_201(multiplier: int, unit: str | None, wh: Any) -> None:
    measure = {"multiplier": multiplier, **({"unit": unit} if unit else {})}
    (reading,) = told_in_201(in_201([{"value": 5, "unitOfMeasure": measure}]))
    assert reading.energy_wh == wh


@pytest.mark.parametrize("multiplier", [13, -13, 400, -400, 2**40, 0.5])
def test_an_insane_multiplier_leaves_the_value_as_said(multiplier: object) -> None:
    told = in_201([{"value": 5, "unitOfMeasure": {"unit": "Wh", "multiplier": multiplier}}])
    got = fact("MeterValues", {"evseId": 1, "meterValue": [told]}, Version.V201)
    (reading,) = got.readings
    assert (reading.energy_wh, reading.rest) == (None, (Sample(ENERGY, Decimal(5), "Wh"),))
    assert "unknown_unit" in got.deviations


def test_phases_have_columns() -> None:
    names = [("L1", 1), ("L2", 2), ("L3", 3)]
    reading = both(
        *[sample(10 + n, "Current.Import", phase=phase, unit="A") for phase, n in names],
        *[sample(230 + n, "Voltage", phase=f"{phase}-N", unit="V") for phase, n in names],
    )
    assert reading == Reading(
        WHEN,
        current_l1_a=Decimal(11),
        current_l2_a=Decimal(12),
        current_l3_a=Decimal(13),
        voltage_l1_v=Decimal(231),
        voltage_l2_v=Decimal(232),
        voltage_l3_v=Decimal(233),
    )


@pytest.mark.parametrize("phases", [("L1", "L2", "L3"), ("L1-N", "L2-N", "L3-N"), ("L1",), ("L2", "L3")])
@pytest.mark.parametrize(("measurand", "unit", "column"), [(ENERGY, "kWh", "energy_wh"), (POWER, "kW", "power_w")])
def test_phases_are_summed_where_no_total_is_told(
    phases: tuple[str, ...], measurand: str, unit: str, column: str
) -> None:
    parts = [sample(n + 1, measurand, phase=phase, unit=unit) for n, phase in enumerate(phases)]
    reading = both(*parts)
    assert getattr(reading, column) == 1000 * sum(range(1, len(phases) + 1))
    assert [(rest.phase, rest.value, rest.unit) for rest in reading.rest] == [
        (phase, Decimal(n + 1), unit) for n, phase in enumerate(phases)
    ]


def test_a_total_beside_its_phases_stands() -> None:
    parts = [sample(5, ENERGY, phase=phase, unit="Wh") for phase in ("L1", "L2", "L3")]
    total = sample(14, ENERGY, unit="Wh")
    assert both(*parts, total).energy_wh == both(total, *parts).energy_wh == 14


@pytest.mark.parametrize(
    "odd",
    [
        sample(5, ENERGY, location="Inlet"),
        sample(5, POWER, location="EV"),
        sample(5, "Voltage", phase="L1-L2"),
        sample(5, "Current.Import", phase="N"),
        sample(5, ENERGY, phase="N"),
        sample(5, "Current.Offered", phase="L1"),
        sample(5, "Frequency"),
        sample(5, "Power.Factor"),
        sample(5, "Energy.Reactive.Import.Register", unit="varh"),
        sample(5, "Current.Import", location="Body", unit="A"),
    ],
    ids=str,
)
def test_what_has_no_column_is_kept_beside(odd: dict[str, Any]) -> None:
    reading = both(odd)
    (rest,) = reading.rest
    assert reading == Reading(WHEN, rest=(rest,))
    assert (rest.measurand, rest.value, rest.phase) == (odd["measurand"], Decimal(5), odd.get("phase"))
    assert rest.location == odd.get("location")


@pytest.mark.parametrize(
    ("word", "context"),
    [
        ("Transaction.Begin", Context.BEGIN),
        ("Transaction.End", Context.END),
        ("Sample.Periodic", Context.PERIODIC),
        ("Sample.Clock", Context.CLOCK),
        ("Trigger", Context.TRIGGER),
        ("Interruption.Begin", Context.INTERRUPTION_BEGIN),
        ("Interruption.End", Context.INTERRUPTION_END),
        ("Other", Context.OTHER),
    ],
)
def test_contexts(word: str, context: Context) -> None:
    assert both(sample(5, ENERGY, context=word), sample(50, "SoC")).context is context


def test_one_reading_for_each_instant() -> None:
    parts = [[sample(5, ENERGY)], [sample(6, POWER)], [sample(7, ENERGY)]]
    times = [AT, "2026-03-01T11:00:00+01:00", "2026-03-01T10:00:01Z"]
    for tell, dialect in ((told_in_16, in_16), (told_in_201, in_201)):
        first, second = tell(*[dialect(part, at) for part, at in zip(parts, times, strict=True)])
        assert first == Reading(WHEN, energy_wh=Decimal(5), power_w=Decimal(6))
        assert second.energy_wh == 7


def test_signed_data_is_noted_and_its_text_taken_out() -> None:
    signed = {"value": "OCMF|{}|{}", "format": "SignedData", "context": "Transaction.End"}
    (reading,) = told_in_16({"timestamp": AT, "sampledValue": [{"value": "5", "context": "Transaction.End"}, signed]})
    assert reading == Reading(WHEN, Context.END, energy_wh=Decimal(5), signed=True)
    (alone,) = told_in_16({"timestamp": AT, "sampledValue": [signed]})
    assert alone == Reading(WHEN, Context.END, signed=True)
    data = {"signedMeterData": "x", "signingMethod": "y", "encodingMethod": "z", "publicKey": ""}
    told = {"value": 5, "context": "Transaction.End", "signedMeterValue": data}
    assert told_in_201({"timestamp": AT, "sampledValue": [told]}) == (reading,)


QUANTITIES = st.sampled_from(
    [
        (ENERGY, "Wh"),
        (ENERGY, "kWh"),
        (POWER, "W"),
        (POWER, "kW"),
        ("Current.Import", "A"),
        ("Voltage", "V"),
        ("SoC", "Percent"),
    ]
)
SAMPLES = st.builds(
    lambda quantity, value, phase, context, location: sample(
        str(value),
        quantity[0],
        unit=quantity[1],
        **{name: word for name, word in (("phase", phase), ("context", context), ("location", location)) if word},
    ),
    QUANTITIES,
    st.decimals(min_value=-(10**6), max_value=10**6, places=3),
    st.sampled_from([None, "L1", "L2-N", "L3", "N", "L1-L2"]),
    st.sampled_from([None, "Transaction.Begin", "Transaction.End", "Sample.Clock", "Other"]),
    st.sampled_from([None, "Outlet", "Inlet", "EV", "Body"]),
)


@given(st.lists(st.lists(SAMPLES, min_size=1, max_size=6), min_size=1, max_size=3))
def test_the_same_story_gives_the_same_readings(story: list[list[dict[str, Any]]]) -> None:
    times = [AT, "2026-03-01T10:05:00Z", AT]
    told = list(zip(story, times, strict=False))
    assert told_in_16(*[in_16(part, at) for part, at in told]) == told_in_201(*[in_201(part, at) for part, at in told])


@given(SAMPLES, st.permutations(range(3)))
def test_no_value_is_lost(one: dict[str, Any], order: list[int]) -> None:
    """Whatever a sample says, its value stands in a column or beside it."""
    values = [one, sample("1", ENERGY, unit="Wh"), sample("2", "Frequency")]
    (reading,) = told_in_16(in_16([values[n] for n in order]))
    kept = [rest.value for rest in reading.rest]
    columns = [reading.energy_wh, reading.power_w, reading.current_a, reading.voltage_v, reading.soc_percent]
    columns += [reading.current_l1_a, reading.current_l2_a, reading.current_l3_a]
    columns += [reading.voltage_l1_v, reading.voltage_l2_v, reading.voltage_l3_v]
    value = Decimal(one["value"])
    assert {value, value * 1000} & {*kept, *[column for column in columns if column is not None]}
