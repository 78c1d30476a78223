"""Opening requests: whatever they say is read without a fault, and means what the standard says it means."""

from __future__ import annotations

import base64
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.charging.station import Version
from wattkeeper.gateway.introduction import choose, introduce

HEADERS = st.lists(st.text(st.characters(max_codepoint=255)), max_size=3)
OFFERS = st.lists(st.sampled_from(["ocpp1.6", "ocpp2.0.1", "ocpp2.1", "OCPP1.6", "x"]), max_size=5)
IDENTITIES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=48)


@given(st.text(), HEADERS, HEADERS, HEADERS)
def test_nothing_that_is_said_is_a_fault(path: str, keys: list[str], offered: list[str], origin: list[str]) -> None:
    said = introduce(path, keys, offered, origin)
    assert (said.user is None) is (said.password is None)
    assert said.from_page is bool(origin)


@given(IDENTITIES, st.binary(max_size=60))
def test_identity_and_key_arrive_as_they_were_sent(identity: str, password: bytes) -> None:
    pair = base64.b64encode(identity.encode() + b":" + password).decode()
    said = introduce(f"/ocpp/{quote(identity, safe='')}?x=1", [f"Basic {pair}"], ["ocpp1.6"], [])
    assert (said.station, said.user, said.password) == (identity, identity.encode(), password)
    assert pair not in repr(said)


@given(OFFERS, st.sampled_from([None, *Version]))
def test_a_dialect_is_chosen_of_those_that_are_offered(offered: list[str], pinned: Version | None) -> None:
    version, spelled = choose(offered, pinned, "ocpp1.6")
    if spelled is not None:
        assert spelled in offered
        assert version is Version(spelled.lower())
    if pinned is not None and pinned.value in offered:
        assert version is pinned
    assert (version is Version.V16) if not offered else (version is None) is (spelled is None)
