// What every page does beyond plain HTML: stays live, keeps "3 min ago" true, copies ids, answers to the keyboard.
import htmx from "htmx.org";
import "htmx-ext-sse";
import { startCopying } from "./copy.js";
import { startKeys } from "./keys.js";
import { startTimes } from "./times.js";
import { startWire } from "./wire.js";

htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;

startWire(htmx);
startTimes();
startCopying();
startKeys();

// A form that was sent is shown as sent, and is not sent twice.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  const button = event.submitter;
  setTimeout(() => {
    if (!button) return;
    button.disabled = true;
    button.classList.add("busy");
    button.textContent = button.dataset.busy ?? button.textContent;
  });
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// A choice among the filters takes effect at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("form.find select, form.find input[type=date]")) event.target.form.requestSubmit();
});
