// Passkeys on the app's pages: what comes after one was made, or where a fresh proof is asked for first.
import { startPasskeys } from "../passkey.js";

// The codes that come with the first passkey take the page's place: they are shown this once.
function show(codes, onward) {
  const template = document.querySelector("template#codes");
  const fresh = template.content.cloneNode(true);
  for (const code of codes) fresh.querySelector(".codes").append(Object.assign(document.createElement("span"), { textContent: code }));
  fresh.querySelector("[data-copy]").dataset.copy = codes.join("\n");
  fresh.querySelector("a").href = onward;
  document.querySelector("main").replaceChildren(fresh);
  document.querySelector("main h1").focus();
  scrollTo(0, 0);
}

export function startKeys() {
  startPasskeys();
  document.addEventListener("wk:page", startPasskeys);
  document.addEventListener("passkey:done", (event) => {
    const codes = event.detail?.codes ?? event.detail?.recovery_codes;
    if (!codes?.length || !document.querySelector("template#codes")) return;
    event.preventDefault();
    show(codes, event.target.dataset.next);
  });
  document.addEventListener("passkey:failed", (event) => {
    const proof = event.target.dataset.proof;
    if (event.detail?.code === "proof_needed" && proof) location.assign(proof);
  });
}
