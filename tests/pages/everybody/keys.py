"""A person with a keyboard and no mouse: goes by Tab, and must see where they are at every stop."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Page

MOST = 120
"""More stops than any page has; whoever is not through by then is in a trap."""
LOOKS = 40
"""How often it is looked, within two seconds, whether what has the focus can be seen."""
STOPS = """() => {
  const can = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  return [...document.querySelectorAll(can)].filter((one) =>
    !one.disabled && one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }) && !one.closest("[inert]")
    && !(one.type === "radio" && one !== one.form.querySelector(`[name="${one.name}"]`)));
}"""
HERE = """() => {
  const one = document.activeElement;
  if (!one || one === document.body || one === document.documentElement) return null;
  const outlined = (part) => part && getComputedStyle(part).outlineStyle !== "none"
    && parseFloat(getComputedStyle(part).outlineWidth) >= 2;
  const box = one.getBoundingClientRect();
  const above = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const label = one.ariaLabel ?? (one.labels?.[0] ?? one).textContent;
  return {
    words: (label || one.name || one.tagName).trim().replace(/\\s+/g, " "),
    number: (STOPS)().indexOf(one),
    shows: outlined(one) || outlined(one.closest("tr.row")),
    clear: above !== null && (one.contains(above) || above.contains(one)),
  };
}""".replace("STOPS", STOPS)

UNSEEN = """() => (STOPS)().filter((one) => {
  one.focus();
  const outlined = (part) => part && getComputedStyle(part).outlineStyle !== "none"
    && parseFloat(getComputedStyle(part).outlineWidth) >= 2;
  return !outlined(one) && !outlined(one.closest("tr.row"));
}).map((one) => one.outerHTML.slice(0, 200))""".replace("STOPS", STOPS)
"""What has the focus and does not show it."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the focus is: what it says, its place among all stops, whether it can be seen and nothing lies above it."""

    words: str
    number: int
    shows: bool
    clear: bool


async def here(page: Page) -> Stop | None:
    """What has the focus; None where nothing has."""
    found = await page.evaluate(HERE)
    return Stop(**found) if found else None


async def tab(page: Page, key: str = "Tab") -> Stop | None:
    """One stop further; it must be seen, at once or as soon as the page that lives has come to rest."""
    await page.keyboard.press(key)
    for _ in range(LOOKS):
        stop = await here(page)
        if stop is None or (stop.shows and stop.clear):
            return stop
        await page.wait_for_timeout(50)
    raise AssertionError((page.url, stop))


async def to(page: Page, words: str) -> Stop:
    """Further, stop by stop, until what has the focus begins with these words."""
    seen = []
    for _ in range(MOST):
        stop = await tab(page)
        if stop is not None and stop.words.startswith(words):
            return stop
        seen.append(stop.words if stop else "")
    raise AssertionError((page.url, words, seen))


async def through(page: Page, key: str) -> list[int]:
    """Every stop from here on, until the page is left or begins anew."""
    seen: list[int] = []
    for _ in range(MOST):
        stop = await tab(page, key)
        number = stop.number if stop else None
        if number is not None and number not in seen:
            seen.append(number)
        elif seen and number != seen[-1]:  # a date has stops within itself
            break
    return seen


async def walk(page: Page, path: str) -> None:
    """Through the page forwards and backwards: every stop comes, in the order one reads, and there is a way out."""
    await page.goto(path)
    count = await page.evaluate(f"({STOPS})().length")
    for key, order in (("Tab", range(count)), ("Shift+Tab", range(count - 1, -1, -1))):
        seen = await through(page, key)
        assert seen == list(order), (path, key, seen, count)
