// The camera, where the browser reads codes itself; elsewhere the phone's own camera does, for the code is an address.
const EVERY_MS = 250;

async function readsCodes() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return false;
  try {
    return (await BarcodeDetector.getSupportedFormats()).includes("qr_code");
  } catch {
    return false;
  }
}

// Only our own codes are followed: the path on this very host, whatever else the code says.
export function pathIn(text) {
  try {
    const found = new URL(text, location.origin);
    const path = /^\/app\/at\/[\w-]{4,80}$/.exec(found.pathname);
    return found.origin === location.origin && path ? path[0] : null;
  } catch {
    return null;
  }
}

function shut(dialog, video) {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  if (dialog.open) dialog.close();
}

async function look(dialog, video, said) {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  while (dialog.open) {
    const codes = video.readyState >= 2 ? await detector.detect(video).catch(() => []) : [];
    const path = codes.map((code) => pathIn(code.rawValue)).find(Boolean);
    if (path) {
      shut(dialog, video);
      location.assign(path);
      return;
    }
    if (codes.length) said.textContent = said.dataset.other;
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

async function scan(dialog) {
  const video = dialog.querySelector("video");
  const said = dialog.querySelector("[role=status]");
  said.textContent = said.dataset.rest;
  dialog.showModal();
  dialog.addEventListener("close", () => shut(dialog, video), { once: true });
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    await video.play();
    await look(dialog, video, said);
  } catch {
    said.textContent = said.dataset.refused;
  }
}

export async function startScan() {
  const button = document.querySelector("[data-scan]");
  if (!button || !(await readsCodes())) return;
  button.hidden = false;
  button.addEventListener("click", () => scan(document.querySelector("dialog.scan")));
}
