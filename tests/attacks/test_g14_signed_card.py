"""G14: what a meter signs names the card. It is kept sealed, shown to nobody but whoever charged, and still holds."""

from __future__ import annotations

import pytest

from tests.attacks.canaries import Hunt
from tests.attacks.test_c14_signed import meter, pin, till
from tests.meters import Meter, in_v16
from tests.stories.till import Till
from tests.stories.world import CARD, grade
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.person import Role, Viewer
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.metering.proofs import Proofs
from wattkeeper.operations.policy import grants

__all__ = ["meter", "till"]


async def charged(till: Till, meter: Meter) -> str:
    """A session whose meter signed the card's number with what it measured; its id."""
    record = meter.whole()
    assert f'"ID":"{CARD}"' in record, "the meter names the card in what it signs"
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0, card=CARD)
        await cp.stop(tx, 60, 10_000, transactionData=[in_v16(record, 60)])
    await till.look()
    return str((await till.world.the_session()).id)


async def test_g14_the_card_in_what_was_signed_is_nowhere_in_clear_and_the_proof_still_holds(
    till: Till, meter: Meter, database: str
) -> None:
    await pin(till, meter)
    session = await charged(till, meter)
    assert await Hunt(numbers=[CARD]).in_database(database) == []
    assert grade(await till.world.the_session()) is Grade.VERIFIED, "it was checked over its bytes, the card among them"
    proof = await Proofs(till.world.door.store, till.world.door.safe).of(VIEWER, session)
    assert proof.records and proof.ruling.serial == meter.serial
    assert Hunt(numbers=[CARD]).hits(repr(proof).encode(), "what staff are shown") == []


async def test_g14_only_whoever_charged_is_handed_what_was_signed(till: Till, meter: Meter) -> None:
    await pin(till, meter)
    session = await charged(till, meter)
    proofs = Proofs(till.world.door.store, till.world.door.safe)
    for role in (Role.OWNER, Role.PRIVACY_OFFICER, Role.AUDITOR, Role.SUPPORT):
        with pytest.raises(Refusal) as refused:
            await proofs.file(Viewer("a", role, grants(role).anywhere), session)
        assert refused.value.code is Code.FORBIDDEN
        assert CARD not in str(refused.value)
