// "3 min ago" stays true while a page is open, by the server's clock.
const LIMITS = [
  [5400, 60, "min"],
  [129600, 3600, "h"],
  [Infinity, 86400, "d"],
];

export function ago(seconds, words) {
  const size = Math.abs(seconds);
  if (size < 45) return words.now;
  const [, one, unit] = LIMITS.find(([limit]) => size < limit);
  const [was, will] = words[unit];
  return (seconds > 0 ? was : will).replace("{count}", Math.max(1, Math.round(size / one)));
}

export function startTimes() {
  const words = JSON.parse(document.body.dataset.words ?? "null");
  if (!words) return;
  const ahead = Date.now() - Date.parse(document.body.dataset.now ?? new Date().toISOString());
  setInterval(() => {
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const text = ago(Math.trunc((Date.now() - ahead - Date.parse(time.dateTime)) / 1000), words);
      if (time.textContent !== text) time.textContent = text;
    }
  }, 5000);
}
