"""The report of the security audit: what stands in it, in both languages, and its hash in the log."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.doors import settings_for
from tests.test_command_line import run
from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Viewer
from wattkeeper.operations.policy import grants
from wattkeeper.operations.safe import open_safe
from wattkeeper.operations.security.audit import SecurityAudit
from wattkeeper.operations.security.finding import FindingCode
from wattkeeper.operations.security.report import AuditReport
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.security import finding as findings

AUDITOR = Viewer("a00000000000000aa", Role.AUDITOR, grants(Role.AUDITOR).anywhere)
OWNER = Viewer("a0000000000000001", Role.OWNER, grants(Role.OWNER).anywhere)
WHY = "A second owner starts in January."


@pytest.fixture
def engine() -> str:
    """A paper is the same on both."""
    return "sqlite"


@dataclass(slots=True)
class House:
    """An installation that was audited."""

    store: Store
    audit: SecurityAudit
    report: AuditReport


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    """An installation."""
    settings = settings_for(database, tmp_path, http_port=0)
    store = Store(database)
    audit = SecurityAudit(store, await open_safe(store, settings.root_key), settings, MemoryBus())
    yield House(store, audit, AuditReport(store, settings, audit))
    await store.close()


def text_of(pdf: bytes) -> str:
    """What a report says, its spaces as one."""
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


async def test_the_report_says_what_stands_what_was_accepted_and_what_was_not_checked(house: House) -> None:
    run_of = await house.audit.run()
    (missing,) = [row for row in run_of.standing if row.code == FindingCode.OWNER_MISSING.value]
    await house.audit.accept(OWNER, missing.id, 30, WHY)
    async with house.store.unit() as unit:
        await findings.appear(unit, "stations.key_shared", "CP\u2028*7*", "high", {"count": 2})
    made = await house.report.printed(AUDITOR, "en")
    told = text_of(made.pdf)
    assert "1 thing needs you" in told or "things need you" in told
    for words in ("Nobody is owner", WHY, OWNER.name, "Needs a person", "Accepted for now", "How to read it"):
        assert words in told, words
    assert "No dependency was held against known holes" in told, "what was not checked is said"
    assert "*7*" in told, "what others call themselves is text and no markup"
    assert made.name.startswith("security-audit-") and made.name.endswith(".pdf")


async def test_the_report_is_told_in_german(house: House) -> None:
    await house.audit.run()
    told = text_of((await house.report.printed(AUDITOR, "de")).pdf)
    for words in (
        "Sicherheitsprüfung",
        "Niemand ist Inhaber",
        "Was geprüft wurde, und was nicht",
        "Wie das zu lesen ist",
    ):
        assert words in told, words
    assert "by itself" not in told


async def test_the_hash_of_the_report_is_a_deed(house: House) -> None:
    await house.audit.run()
    made = await house.report.printed(AUDITOR)
    assert made.sha256 == hashlib.sha256(made.pdf).hexdigest()
    async with house.store.read() as connection:
        (said,) = await deed.about(connection, made.sha256[:16], [DeedKind.AUDIT_REPORTED])
    assert (said.by, said.body["sha256"]) == (AUDITOR.name, made.sha256)
    assert said.body["found"].keys() == {"high", "medium", "low"}


async def test_nobody_else_prints_it_and_nothing_is_printed_of_nothing(house: House) -> None:
    with pytest.raises(Refusal) as refused:
        await house.report.printed(AUDITOR)
    assert refused.value.code is Code.CONFLICT
    await house.audit.run()
    with pytest.raises(Refusal) as refused:
        await house.report.printed(Viewer("s", Role.SUPPORT, grants(Role.SUPPORT).anywhere))
    assert refused.value.code is Code.FORBIDDEN
    async with house.store.read() as connection:
        assert await deed.about(connection, "", [DeedKind.AUDIT_REPORTED]) == []


async def test_the_command_writes_the_report_and_says_its_hash(tmp_path: Path) -> None:
    await run(tmp_path, "migrate")
    file = tmp_path / "report.pdf"
    status, told, _ = await run(tmp_path, "audit", "security", "--pdf", str(file), "--language", "de")
    assert status == 1
    assert hashlib.sha256(file.read_bytes()).hexdigest() in told
    assert "Sicherheitsprüfung" in text_of(file.read_bytes())
    status, _, complained = await run(tmp_path, "audit", "security", "--pdf", str(tmp_path / "no" / "x.pdf"))
    assert status == 1 and "No such file or directory" in complained
