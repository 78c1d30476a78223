"""Whether an installation that is not run as production could be."""

from __future__ import annotations

from wattkeeper.operations.profile import faults
from wattkeeper.operations.security.finding import Finding, FindingCode, Outcome, Severity
from wattkeeper.settings import Settings


def judge(count: int, *, is_here: bool) -> list[Finding]:
    """What keeps it from production; low where nobody else reaches it anyway."""
    severity = Severity.LOW if is_here else Severity.MEDIUM
    return [Finding(FindingCode.PROFILE_COMPLAINT, "", severity, {"count": count})] if count else []


async def check(settings: Settings, *, is_here: bool) -> Outcome:
    """Ask what a production profile would refuse."""
    found = faults(settings)
    return Outcome(max(1, len(found)), tuple(judge(len(found), is_here=is_here)))
