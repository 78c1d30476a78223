// A form that is sent is shown as sent at once, is sent once, and keeps what was typed where nothing answers.
import { tell } from "./net.js";

const PATIENCE_MS = 25000;

function busy(form, button) {
  form.dataset.busy = "";
  const rest = button && { html: button.innerHTML, was: button.disabled };
  if (button) {
    button.textContent = button.dataset.busy ?? button.textContent;
    button.classList.add("busy");
    button.disabled = true;
  }
  return () => {
    delete form.dataset.busy;
    if (!button) return;
    button.innerHTML = rest.html;
    button.classList.remove("busy");
    button.disabled = rest.was;
  };
}

// A word above the form, heard at once.
function say(form, text) {
  form.querySelector(":scope > .word.sent")?.remove();
  const word = document.createElement("div");
  word.className = "word harm sent";
  word.setAttribute("role", "alert");
  word.textContent = text;
  form.prepend(word);
  word.scrollIntoView({ block: "nearest" });
}

// The answer takes the page's place; what it says is read out and stands in view.
function show(html, address) {
  const answer = new DOMParser().parseFromString(html, "text/html");
  const fresh = answer.querySelector("main");
  if (!fresh) return location.reload();
  document.title = answer.title;
  document.querySelector("main").replaceWith(document.adoptNode(fresh));
  const asks = answer.querySelector("#asks");
  if (asks) document.querySelector("#asks")?.replaceWith(document.adoptNode(asks));
  if (address) history.replaceState(null, "", address);
  document.dispatchEvent(new Event("wk:shown"));
  document.dispatchEvent(new Event("wk:page"));
  const first = fresh.querySelector("[aria-invalid=true]") ?? fresh;
  first.focus({ preventScroll: true });
  scrollTo(0, 0);
}

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form));
  if (button?.name) body.append(button.name, button.value);
  const action = button?.getAttribute("formaction") ?? form.action;
  const answer = await fetch(action, { method: "POST", body, signal: AbortSignal.timeout(PATIENCE_MS) });
  return { answer, html: await answer.text() };
}

function follow({ answer, html }) {
  if (!answer.redirected) return show(html);
  if (new URL(answer.url).pathname + new URL(answer.url).search === location.pathname + location.search) show(html);
  else location.assign(answer.url);
}

async function submitted(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.dataset.plain !== undefined) return;
  event.preventDefault();
  if (form.dataset.busy !== undefined) return;
  const rest = busy(form, event.submitter);
  let sent;
  try {
    sent = await send(form, event.submitter);
  } catch {
    rest();
    say(form, form.dataset.lost ?? document.body.dataset.lost);
    return;
  }
  tell(false);
  follow(sent);
  if (form.isConnected) setTimeout(rest, 8000);
}

export function startForms() {
  document.addEventListener("submit", submitted);
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-go]")) event.target.form.requestSubmit();
  });
  // A page that comes back from the browser's memory may show what is no more.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
