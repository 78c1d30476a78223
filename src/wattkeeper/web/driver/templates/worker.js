// The app's shell, kept on the phone: style, script, letters, icons, and one page that says there is no network.
// Nothing of any person is ever kept: pages and the API always come from the server, or not at all.
const KEPT = {{ ("wattkeeper-" ~ version) | tojson }};
const OFFLINE = "/app/offline";
const SHELL = {{ shell | tojson }};

self.addEventListener("install", (event) => {
  const fresh = SHELL.map((path) => new Request(path, { cache: "reload", credentials: "same-origin" }));
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const gone = (names) => names.filter((name) => name !== KEPT).map((name) => caches.delete(name));
  event.waitUntil(caches.keys().then((names) => Promise.all(gone(names))).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    const told = () => caches.match(OFFLINE).then((page) => page ?? Response.error());
    event.respondWith(fetch(request).catch(told));
  } else if (pathname.startsWith("/static/") && SHELL.includes(pathname)) {
    event.respondWith(caches.match(pathname).then((kept) => kept ?? fetch(request)));
  }
});
