// Whether the network is there, said as soon as it is not.
let lost = false;

export function tell(isLost, words) {
  lost = isLost;
  const line = document.querySelector("#net");
  if (!line) return;
  line.hidden = !isLost;
  if (isLost) line.textContent = words ?? line.dataset.lost;
}

export const isLost = () => lost || !navigator.onLine;

export function startNet() {
  window.addEventListener("offline", () => tell(true));
  window.addEventListener("online", () => {
    tell(false);
    // The offline page stands in for what was asked for: it is fetched again as soon as that can work.
    if (document.body.dataset.again !== undefined) location.reload();
  });
  if (!navigator.onLine) tell(true);
}
