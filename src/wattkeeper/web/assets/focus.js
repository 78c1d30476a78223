// A part of the page that is replaced under somebody's hands: what had the focus has it again, with what was typed,
// as long as it does the same; else the first thing beside it has it, so that no key does what was not meant.
const CAN = "a[href], button, input, select, textarea, summary";

function isSame(one, other) {
  const marks = ["href", "name", "value"].every((name) => one?.getAttribute(name) === other.getAttribute(name));
  return marks && one?.tagName === other.tagName && one.form?.action === other.form?.action;
}

/** Remembers what has the focus within a place; what this gives puts it back once the place was replaced. */
export function keepFocus(place) {
  const held = document.activeElement;
  const around = place.contains(held) && held.closest("[id]");
  if (!around) return () => {};
  const turn = [...around.querySelectorAll(CAN)].indexOf(held);
  return () => {
    const now = document.getElementById(around.id);
    if (!now || held.isConnected) return;
    const found = around === held ? now : now.querySelectorAll(CAN)[turn];
    const isIt = isSame(found, held);
    if (isIt && held.closest("details")?.open) found.closest("details").open = true;
    if (isIt && "value" in held && !held.matches("button")) found.value = held.value;
    (isIt ? found : now.querySelector(CAN))?.focus({ preventScroll: true });
  };
}
