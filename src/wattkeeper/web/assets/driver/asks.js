// "Is this you?" appears on a page that is open already: an answer counts for two minutes only.
const EVERY_MS = 5000;

async function look() {
  const place = document.querySelector("#asks");
  if (!place || document.hidden || place.querySelector("form[data-busy]")) return;
  const answer = await fetch(place.dataset.asks, { signal: AbortSignal.timeout(10000) }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const html = await answer.text();
  const ids = (root) => [...root.querySelectorAll(".ask h2")].map((one) => one.id).join();
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  if (ids(fresh) === ids(place)) return;
  place.innerHTML = html;
  document.dispatchEvent(new Event("wk:shown"));
}

export function startAsks() {
  if (!document.querySelector("#asks")) return;
  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
}
