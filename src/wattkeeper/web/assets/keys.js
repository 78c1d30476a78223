// Keyboard through and through; the list of keys is on every page under "?".
import { copy } from "./copy.js";

const PLACES = { n: "/", s: "/sessions", t: "/stations", c: "/cards", m: "/money", p: "/tariffs" };
let going = -Infinity;

function move(step) {
  const rows = [...document.querySelectorAll("tr.row a.open")];
  if (!rows.length) return;
  const here = rows.findIndex((row) => row.closest("tr").contains(document.activeElement));
  const next = here < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + step));
  rows[next].focus();
  rows[next].closest("tr").scrollIntoView({ block: "nearest" });
}

function toggleTable() {
  const tables = [...document.querySelectorAll("details[data-key=t]")];
  if (!tables.length) return;
  const open = !tables[0].open;
  for (const table of tables) table.open = open;
  if (open) tables[0].scrollIntoView({ block: "nearest" });
}

// Who speaks to the computer has letters typed that were not meant as keys (WCAG 2.1.4), so they can be put to rest.
const OFF = "keys-off";

function kept() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

function startResting() {
  const choice = document.querySelector("[data-keys-act]");
  if (!choice) return;
  choice.checked = kept()?.getItem(OFF) == null;
  choice.addEventListener("change", () => (choice.checked ? kept()?.removeItem(OFF) : kept()?.setItem(OFF, "")));
}

// Closed, it gives the focus back to where it was.
function showAll() {
  document.querySelector("#keys")?.showModal();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  t: toggleTable,
  c: () => {
    const button = document.querySelector("[data-copy]");
    if (button) copy(button);
  },
  "/": () => {
    const search = document.querySelector("input[type=search]");
    if (search) search.select();
    else location.assign("/sessions");
  },
  "?": showAll,
};

function isTyping(target) {
  return target.matches("input:not([type=checkbox], [type=radio]), textarea, select") || target.isContentEditable;
}

export function startKeys() {
  startResting();
  document.querySelector("[data-keys]")?.addEventListener("click", showAll);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const inRow = event.target.closest?.("tr.row");
    if (inRow && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (kept()?.getItem(OFF) != null) {
      return;
    } else if (event.timeStamp - going < 1500 && PLACES[event.key]) {
      location.assign(PLACES[event.key]);
    } else if (event.key === "g") {
      going = event.timeStamp;
    } else if (KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });
}
