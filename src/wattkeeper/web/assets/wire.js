// The line to the server: says truthfully whether the page is live, and rests while nobody looks at it
// (a browser grants one address six connections, and every open page would hold one).
import { keepFocus } from "./focus.js";

export function startWire(htmx) {
  let source = null;
  let heard = "";
  const say = (how) => {
    const wire = document.querySelector("#wire");
    if (!wire) return;
    wire.textContent = wire.dataset[how];
    wire.classList.toggle("lost", how === "lost");
  };
  // Takes up the line anew, from what was heard last.
  const resume = () => {
    const line = document.querySelector("#live");
    const fresh = line.cloneNode(true);
    const address = new URL(line.getAttribute("sse-connect"), location);
    if (heard) address.searchParams.set("after", heard);
    fresh.setAttribute("sse-connect", address.pathname + address.search);
    line.replaceWith(fresh);
    htmx.process(fresh);
  };

  htmx.createEventSource = (url) => (source = new EventSource(url));
  document.addEventListener("htmx:sseOpen", () => say("live"));
  document.addEventListener("htmx:sseError", () => say("lost"));
  document.addEventListener("htmx:sseMessage", (event) => (heard = event.detail.lastEventId || heard));
  document.addEventListener("htmx:sseClose", (event) => {
    if (event.detail?.type === "message") location.reload();
  });
  let putBack = () => {};
  document.addEventListener("htmx:oobBeforeSwap", (event) => (putBack = keepFocus(event.detail.target)));
  document.addEventListener("htmx:oobAfterSwap", () => putBack());
  // Rows that are swapped go on breathing in time with the others.
  document.addEventListener("htmx:oobAfterSwap", () => {
    for (const motion of document.getAnimations()) if (motion.animationName === "breathe") motion.startTime = 0;
  });
  document.addEventListener("visibilitychange", () => {
    if (!source) return;
    if (document.hidden) source.close();
    else if (source.readyState === EventSource.CLOSED) resume();
  });
}
