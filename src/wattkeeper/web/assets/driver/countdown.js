// A wait that ends: how much of it is left, by the server's clock.
export function startCountdowns() {
  const ahead = Date.now() - Date.parse(document.body.dataset.now);
  const step = () => {
    for (const place of document.querySelectorAll("[data-until]")) {
      const left = Math.max(0, Math.ceil((Date.parse(place.dataset.until) - (Date.now() - ahead)) / 1000));
      const text = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      if (place.textContent !== text) place.textContent = text;
    }
  };
  step();
  setInterval(step, 250);
  document.addEventListener("wk:shown", step);
}
