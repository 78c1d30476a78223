// A part of a page that stays true: pushed by the server, else asked for every few seconds; and it says when it is not.
import { keepFocus } from "../focus.js";
import { tell } from "./net.js";

const EVERY_MS = 4000;
const SILENT_MS = 40000;

let stop = () => {};

const shown = new WeakMap();

// What a part says, as the browser writes it; how long a wait still is goes on by itself, and is no news.
function wording(html) {
  const part = document.createElement("template");
  part.innerHTML = html;
  for (const left of part.content.querySelectorAll("[data-until]")) left.textContent = "";
  return part.innerHTML;
}

function put(place, html) {
  // What the person is doing with a form is not taken from under their thumb.
  if (!html || place.querySelector("form[data-busy]")) return;
  const news = wording(html);
  if (shown.get(place) === news) return;
  shown.set(place, news);
  const putBack = keepFocus(place);
  const open = [...place.querySelectorAll("details[open]")].map((one) => one.id);
  place.innerHTML = html;
  for (const id of open) if (id) place.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  putBack();
  const next = place.querySelector("[data-next]")?.dataset.next;
  if (next) location.replace(next);
  aloud(place);
  document.dispatchEvent(new Event("wk:shown"));
}

// Only what matters is read out: how it stands, never every figure.
function aloud(place) {
  const line = document.querySelector("#aloud");
  const said = place.querySelector("[data-aloud]")?.dataset.aloud;
  if (line && said !== undefined && line.textContent !== said) line.textContent = said;
}

async function ask(place) {
  try {
    const answer = await fetch(place.dataset.now, { signal: AbortSignal.timeout(10000), headers: { Accept: "text/html" } });
    if (answer.redirected || answer.status === 401 || answer.status === 404) return location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    put(place, await answer.text());
    tell(false);
  } catch {
    tell(true, place.dataset.lost);
  }
}

function keep(place) {
  shown.set(place, wording(place.innerHTML));
  aloud(place);
  let source = null;
  let heard = Date.now();
  const open = () => {
    source = new EventSource(place.dataset.live);
    const alive = () => (heard = Date.now());
    source.onopen = alive;
    source.addEventListener("still", alive);
    source.addEventListener("bye", () => location.reload());
    source.onmessage = (event) => {
      alive();
      tell(false);
      put(place, event.data);
    };
  };
  const look = () => {
    if (document.hidden) return;
    const isOpen = source?.readyState === EventSource.OPEN && Date.now() - heard < SILENT_MS;
    if (!isOpen) ask(place);
    if (source?.readyState === EventSource.CLOSED || Date.now() - heard > SILENT_MS) {
      source?.close();
      heard = Date.now();
      open();
    }
  };
  const seen = () => {
    if (document.hidden) source?.close();
    else {
      open();
      ask(place);
    }
  };
  open();
  const timer = setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", seen);
  return () => {
    clearInterval(timer);
    source?.close();
    document.removeEventListener("visibilitychange", seen);
  };
}

// "12:34" goes on between what the station tells, by the server's clock.
function tick() {
  const ahead = Date.now() - Date.parse(document.body.dataset.now);
  for (const time of document.querySelectorAll("[data-since]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - ahead - Date.parse(time.dataset.since)) / 1000));
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const text = parts.map((part, index) => (index ? String(part).padStart(2, "0") : part)).join(":");
    if (time.textContent !== text) time.textContent = text;
  }
}

export function startLive() {
  const start = () => {
    stop();
    const place = document.querySelector("[data-live]");
    stop = place ? keep(place) : () => {};
  };
  let kept = document.querySelector("[data-live]");
  start();
  document.addEventListener("wk:shown", () => {
    const place = document.querySelector("[data-live]");
    if (place === kept) return;
    kept = place;
    start();
  });
  setInterval(tick, 1000);
  tick();
}
