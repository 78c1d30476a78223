"""Signed records of real meters: each holds or does not, in every way of writing; no changed byte is ever accepted."""

from __future__ import annotations

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.meters import Meter
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.metering.ocmf import Clock, Step
from wattkeeper.operations.metering.carried import carried, key_text, unwrapped
from wattkeeper.operations.metering.ocmf import parse
from wattkeeper.vault.signature import KeyUnreadable, Uncheckable, holds, read_key

RECORDS = [json.loads(line) for line in (Path(__file__).parent / "signed_records.jsonl").read_text().splitlines()]
METER = Meter()
RECORD = METER.whole()


def verdict(text: str, key: str) -> bool | str:
    """Whether a record holds under a key; a word where that cannot be said."""
    try:
        one = parse(text)
    except Refusal:
        return "unreadable"
    try:
        return holds(read_key(key), one.payload, one.algorithm, one.signature, one.encoding)
    except Uncheckable as problem:
        return problem.what


@pytest.mark.parametrize("told", RECORDS, ids=lambda told: str(told["id"]))
def test_a_real_record_holds_or_does_not(told: dict[str, Any]) -> None:
    """What must not verify never does; what must does, but for the one curve that nobody here can check."""
    found = verdict(told["record"], told["public_key"])
    if told["curve"] == "secp192k1":
        assert found in {"secp192k1", "unreadable"}
    elif told["expected"]:
        assert found is True
    else:
        assert found is False or found == "unreadable"


def test_every_curve_but_one_is_really_checked() -> None:
    found = Counter(
        (told["curve"], verdict(told["record"], told["public_key"])) for told in RECORDS if told["expected"]
    )
    assert {curve for (curve, held), _ in found.items() if held is True} == {
        "brainpoolP256r1", "brainpoolP384r1", "secp192r1", "secp256k1", "secp256r1", "secp384r1"
    }  # fmt: skip


def test_what_a_record_says_is_read_as_it_is_written() -> None:
    by_id = {told["id"]: parse(told["record"]) for told in RECORDS if told["kind"] == "upstream" and told["expected"]}
    spaced = by_id["transparenzsoftware/src/test/resources/xml/OCMF_Test_Data_00.xml#0"]
    assert (spaced.serial, spaced.paged, spaced.registers[0].written) == ("1DZG0033016824", "T198", "9.038")
    keba = by_id["transparenzsoftware/src/test/resources/xml/keba_test.xml#11"]
    assert [(one.step, one.clock) for one in keba.registers] == [
        (Step.BEGIN, Clock.UNKNOWN),
        (Step.END, Clock.RELATIVE),
        (Step.END, Clock.RELATIVE),
    ]
    assert [one.written for one in keba.registers] == ["1234.56", "1234.56", "0.00"]
    odd = by_id["transparenzsoftware/src/test/resources/xml/chargepoint_3.xml#0"]
    assert [one.wh for one in odd.registers] == [0, 1304]
    named = [one for one in by_id.values() if one.identification]
    assert len(named) >= 7
    assert [one for one in named if one.identification in repr(one)] == []


def test_a_number_written_anew_is_another_payload() -> None:
    """The same value with other digits is not what was signed (OCMF table 7, RV)."""
    assert verdict(RECORD, METER.key) is True
    for other in ("2935.6", "2935.60000", "2.935600e3"):
        assert verdict(RECORD.replace("2935.600", other), METER.key) is False
    head, payload, tail = RECORD.split("|")
    again = json.dumps(json.loads(payload), separators=(",", ":"))
    assert verdict("|".join((head, again, tail)), METER.key) is False


@pytest.mark.parametrize(
    "text",
    [
        *("", "|", "OCMF|{}|{}", "OCMF|[]|{}", 'OCMF|{"PG":"T1"}|{}', "OCMF|{}|{}|{}", "ocmf|{}|{}", "OCMF|\ud800|{}"),
        "OCMF|" + "[" * 9999 + "|{}",
        'OCMF|{"PG":"T1","RD":[{"RV":NaN}]}|{}',
        'OCMF|{"FV":"2.0","PG":"T1","RD":[]}|{}',
        'OCMF|{"PG":"T1","RD":[{"TM":"0001-01-01T00:00:00,000+1400 S","RV":1}]}|{}',
        'OCMF|{"PG":"T1","RD":[{"TM":"2026-01-01T00:00:00,000+9999 S","RV":1}]}|{}',
        'OCMF|{"PG":"T1","RD":[{"TM":"2026-01-01T00:00:00,000+0000 S","RV":1,"RV":2}]}|{}',
        'OCMF|{"PG":"T1","RD":[{"TM":"2026-01-01T00:00:00,000+0000 S","RV":1e99}]}|{}',
    ],
)
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        parse(text)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.builds("OCMF|{}|{}".format, st.text(), st.text()), st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["PG", "RD", "RV", "TM", "FV", "MS", "ID"]), inner),
).map(lambda value: f"OCMF|{json.dumps(value)}|{json.dumps(value)}")))  # fmt: skip
def test_no_text_makes_the_parser_raise_anything_else(text: str) -> None:
    for one in (text, unwrapped(text), key_text(text)):
        try:
            parse(one)
        except Refusal:
            continue
    try:
        read_key(text)
    except KeyUnreadable:
        return


@settings(max_examples=300, deadline=None)
@given(place=st.integers(5, RECORD.rindex("|") - 1), code=st.integers(0, 255))
def test_no_changed_byte_of_what_was_signed_is_accepted(place: int, code: int) -> None:
    changed = RECORD[:place] + chr(code) + RECORD[place + 1 :]
    assert verdict(changed, METER.key) is not True or changed == RECORD


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 139), bit=st.sampled_from("0123456789ABCDEF"))
def test_no_changed_signature_is_accepted(place: int, bit: str) -> None:
    begins = RECORD.index('"SD":"') + 6
    changed = RECORD[: begins + place] + bit + RECORD[begins + place + 1 :]
    assert verdict(changed, METER.key) is not True or changed == RECORD


def test_a_signature_of_nothing_holds_never() -> None:
    """Zeros, empty sequences and numbers beyond the curve (CVE-2022-21449 and its like)."""
    head, payload, _ = RECORD.split("|")
    for signature in ("", "00", "3000", "3006020100020100", "00" * 64, "FF" * 64, "30060201010201FF", "30820000"):
        assert verdict(f'{head}|{payload}|{{"SD":"{signature}"}}', METER.key) is False
    assert verdict(f'{head}|{payload}|{{"SA":"none","SD":"00"}}', METER.key) == "none"


@pytest.mark.parametrize("form", ["plain", "hex", "base64", "spaced", "structure"])
def test_a_record_is_found_however_it_is_wrapped(form: str) -> None:
    inner = base64.b64encode(RECORD.encode()).decode()
    structure = json.dumps({"signedMeterData": inner, "publicKey": METER.key, "encodingMethod": "OCMF"})
    told = {
        "plain": RECORD,
        "hex": RECORD.encode().hex(),
        "base64": inner,
        "spaced": f"\n {RECORD} ",
        "structure": structure,
    }
    words = {"meterValue": [{"sampledValue": [{"format": "SignedData"}]}]}
    (found,) = carried(words, {"/meterValue/0/sampledValue/0/value": told[form]})
    assert verdict(found.text, METER.key) is True
    assert found.offered == (METER.key if form == "structure" else "")


SPELT = (
    str.lower,
    lambda key: " ".join(key[i : i + 4] for i in range(0, len(key), 4)),
    lambda key: base64.b64encode(bytes.fromhex(key)).decode(),
    lambda key: key[-128:],
    lambda key: key[-130:],
)


@pytest.mark.parametrize("spelt", SPELT)
def test_a_key_has_one_form_however_it_is_printed(spelt: Any) -> None:
    assert read_key(spelt(METER.key)).hex == METER.key


@pytest.mark.parametrize(
    "text", ["", "00", "hello", "3059301306072A8648CE3D020106082A8648CE3D030107034200", "04" + "11" * 64]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(KeyUnreadable):
        read_key(text)
