"""The rules of axe-core: every one of them, on a wide screen and a narrow one, light and dark.

``python -m tests.pages.everybody.axe`` fetches it once, as its lock file says; after that it needs no network.
"""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, ViewportSize

from tests.packages import fetch
from tests.pages.site import NARROW, WIDE

SOURCES = Path(__file__).parent
UNDECIDED = {
    "hidden-content": "2026-11-30: says of whatever is hidden that it was not looked at; it is unfolded before.",
    "shortTextContent": "2026-11-30: a digit may be a drawing; ours are text in the colours of the text around them.",
    "p-as-heading": "2026-11-30: doubts short paragraphs, such as one with a button in it; sure ones count.",
}
"""What a rule may leave to a person, with the day and the reason; every rule counts, and so do all other doubts."""
PICTURED = "<text"
"""2026-11-30: cannot see on which block of a picture its words stand; tests/pages/tariffs/test_picture.py can."""
UNFOLD = """() => {
  for (const one of document.querySelectorAll("details")) one.open = true;
  for (const one of document.querySelectorAll("main p")) {
    if (getComputedStyle(one).position === "sticky") one.style.position = "static";
  }
  scrollTo(0, 0);
}"""
"""What is folded away is looked at too, with no table's heading above it; nor a line that stays in sight, from under
which everything can be scrolled, and behind which nothing may have the focus (`keys`)."""
CHECK = """async ([undecided, only, pictured]) => {
  const values = only.length ? only : axe.getRules().map((rule) => rule.ruleId);
  const wanted = { runOnly: { type: "rule", values }, resultTypes: ["violations", "incomplete"] };
  const found = await axe.run(document, wanted);
  const isUndecided = (one) => one.any.some((check) => undecided.includes(check.data?.messageKey));
  const isPictured = (fault, one) => fault.id.startsWith("color-contrast") && one.html.startsWith(pictured);
  const doubts = found.incomplete.filter((one) => !undecided.includes(one.id));
  return [...found.violations, ...doubts].flatMap((fault) =>
    fault.nodes.filter((one) => !isUndecided(one) && !isPictured(fault, one)).map((one) =>
      `${fault.id}: ${one.html.slice(0, 200)} (${one.failureSummary.replaceAll("\\n", " ")})`));
}"""


def install() -> str:
    """The text of axe-core's script, fetched where its lock file changed since; RuntimeError without the registry."""
    return (fetch(SOURCES, "axe") / "node_modules" / "axe-core" / "axe.min.js").read_text()


async def faults(page: Page, only: list[str]) -> list[str]:
    """What the rules find on the page as it is shown now; all rules where ``only`` is empty."""
    return [str(one) for one in await page.evaluate(CHECK, [list(UNDECIDED), only, PICTURED])]


DRAWN = "() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 150))"
"""A curve is drawn anew after the screen has another size."""


async def check(page: Page, script: str) -> list[str]:
    """What the rules find on the page that is open, unfolded, in every size and colour."""
    await page.evaluate(script)
    found = []
    for name, (width, height) in (("wide", WIDE), ("narrow", NARROW)):
        await page.set_viewport_size(ViewportSize(width=width, height=height))
        await page.evaluate(UNFOLD)
        await page.evaluate(DRAWN)
        for colours, only in (("light", []), ("dark", ["color-contrast-enhanced"])):
            await page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
            found += [f"{name}, {colours}: {fault}" for fault in await faults(page, only)]
    return found


if __name__ == "__main__":
    install()
