// Whether the network is there, said as soon as it is not.
const AGAIN_MS = 4000;
let lost = false;

export function tell(isLost, words) {
  lost = isLost;
  const line = document.querySelector("#net");
  if (!line) return;
  line.hidden = !isLost;
  if (isLost) line.textContent = words ?? line.dataset.lost;
}

export const isLost = () => lost || !navigator.onLine;

// The page without a network stands in for what was asked for: that is fetched again as soon as we can be reached,
// whatever the phone itself believes of its network.
async function again() {
  const answer = await fetch("/app/offline", { cache: "no-store", signal: AbortSignal.timeout(3000) }).catch(() => null);
  if (answer?.ok) location.reload();
}

export function startNet() {
  window.addEventListener("offline", () => tell(true));
  window.addEventListener("online", () => tell(false));
  if (!navigator.onLine) tell(true);
  if (document.body.dataset.again === undefined) return;
  window.addEventListener("online", again);
  setInterval(again, AGAIN_MS);
}
