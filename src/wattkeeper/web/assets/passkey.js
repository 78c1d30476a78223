// Passkeys: what the API asks for, the browser's own dialog, the answer back.
//
// <form data-passkey="sign-in|register|proof" data-next="/where/then"> is a button that does it; shown only where the
// browser knows passkeys. The form's [role=alert] says what went wrong; it is made if it is missing. An input named
// "label" names a new passkey. Recovery codes that come with the first one are shown in place of the form, this once.
// What is said stands in the form's data-words, in the page's language.
const API = "/api/v1";
const WAYS = {
  "sign-in": { options: "/sign-in/passkey/options", send: "/sign-in/passkey", ask: get },
  register: { options: "/account/passkeys/options", send: "/account/passkeys", ask: create },
  proof: { options: "/account/proof/passkey/options", send: "/account/proof/passkey", ask: get },
};
const wordsOf = (form) => JSON.parse(form.dataset.words);

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

/** Ask the API; the answer's members, or an Error with the words of the problem. */
async function call(path, body) {
  const asked = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) };
  const answer = await fetch(API + path, { ...asked, credentials: "same-origin" });
  const told = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(told.detail ?? ""), { code: told.code ?? "failed" });
  return told;
}

/** A new passkey, as the API reads it. */
async function create(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: named(options.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey });
  return {
    ...plain(made),
    response: {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
      transports: made.response.getTransports?.() ?? [],
    },
  };
}

/** What a passkey signed, as the API reads it. */
async function get(options, more) {
  const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: named(options.allowCredentials) };
  const made = await navigator.credentials.get({ publicKey, ...more });
  return {
    ...plain(made),
    response: {
      clientDataJSON: text(made.response.clientDataJSON),
      authenticatorData: text(made.response.authenticatorData),
      signature: text(made.response.signature),
      userHandle: made.response.userHandle ? text(made.response.userHandle) : null,
    },
  };
}

const plain = (made) => ({ id: made.id, rawId: text(made.rawId), type: made.type });

let waiting; // the conditional request: only one may be open in a page

/** One ceremony from beginning to end; gives the API's answer. */
export async function passkey(way, about = {}, more = {}) {
  const { options, send, ask } = WAYS[way];
  waiting?.abort();
  const credential = await ask(await call(options), more);
  return call(send, { credential, ...about });
}

function say(form, sentence) {
  let place = form.querySelector('[role="alert"]');
  if (!place) {
    place = form.appendChild(document.createElement("p"));
    place.setAttribute("role", "alert");
    place.className = "fault";
  }
  place.textContent = sentence;
  place.hidden = !sentence;
}

function reason(problem, words) {
  if (problem.name === "NotAllowedError" || problem.name === "AbortError") return words.cancelled;
  if (problem.name === "InvalidStateError") return words.known;
  return (problem.code && problem.message) || words.failed;
}

/** What comes after: the page's own way (where it prevents the event), else the codes to keep, else data-next. */
function then(form, told) {
  const done = new CustomEvent("passkey:done", { bubbles: true, cancelable: true, detail: told });
  if (!form.dispatchEvent(done)) return;
  if (told.codes?.length) show(form, told.codes);
  else location.assign(form.dataset.next || "/");
}

/** The recovery codes, and the way on once they are kept. */
function show(form, codes) {
  const words = wordsOf(form);
  const lead = Object.assign(document.createElement("p"), { textContent: words.codes });
  const list = Object.assign(document.createElement("ul"), { className: "codes" });
  list.append(...codes.map((code) => Object.assign(document.createElement("li"), { textContent: code })));
  const on = Object.assign(document.createElement("a"), { textContent: words.kept, href: form.dataset.next || "/" });
  on.className = "button first";
  const shown = Object.assign(document.createElement("section"), { tabIndex: -1, className: "stack" });
  shown.append(lead, list, on);
  form.replaceWith(shown);
  shown.focus();
}

async function submitted(form, button) {
  const label = form.elements.label?.value;
  if (button) button.disabled = true;
  say(form, "");
  try {
    then(form, await passkey(form.dataset.passkey, label ? { label } : {}));
  } catch (problem) {
    say(form, reason(problem, wordsOf(form)));
    form.dispatchEvent(new CustomEvent("passkey:failed", { bubbles: true, detail: problem }));
  } finally {
    if (button) button.disabled = false;
  }
}

/** Offer passkeys in the field for the name, where the browser can (autocomplete="username webauthn"). */
async function offer(form) {
  if (!document.querySelector('input[autocomplete~="webauthn"]')) return;
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  try {
    const options = await call(WAYS["sign-in"].options);
    waiting?.abort();
    waiting = new AbortController();
    const credential = await get(options, { mediation: "conditional", signal: waiting.signal });
    then(form, await call(WAYS["sign-in"].send, { credential }));
  } catch (problem) {
    if (problem.name !== "AbortError" && problem.name !== "NotAllowedError") say(form, reason(problem, wordsOf(form)));
  }
}

const alive = new WeakSet();

/** Bring the page's passkey forms to life; again where a page came anew without a load. */
export function startPasskeys() {
  const forms = [...document.querySelectorAll("form[data-passkey]")].filter((form) => !alive.has(form));
  if (!forms.length || !globalThis.PublicKeyCredential || !isSecureContext) return;
  for (const shown of document.querySelectorAll("form[data-passkey], [data-passkey-or]")) shown.hidden = false;
  for (const form of forms) {
    alive.add(form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      void submitted(form, event.submitter);
    });
    if (form.dataset.passkey === "sign-in") void offer(form);
  }
}
