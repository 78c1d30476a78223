// The driver's app beyond plain HTML: forms that say what became of them, a live page, the camera, the way near me.
import { startCopying } from "../copy.js";
import { startTimes } from "../times.js";
import { startAsks } from "./asks.js";
import { startCountdowns } from "./countdown.js";
import { startForms } from "./forms.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startNear } from "./near.js";
import { startNet } from "./net.js";
import { startScan } from "./scan.js";

document.documentElement.classList.add("js");
startNet();
startForms();
startKeys();
startTimes();
startCopying();
startLive();
startCountdowns();
startAsks();
startScan();
startNear();
if ("serviceWorker" in navigator && isSecureContext) {
  navigator.serviceWorker.register("/app/worker.js", { scope: "/app/" }).catch(() => {});
}
