// Keeps the site for offline use, one version of it whole: what is fetched is kept, and the rest on the page's word
// ("keep"). A page that is opened asks first whether there is a newer version; then all of it comes from there.
// JupyterLite's own worker, which brings files to the kernels, is loaded below and has what is its own.
const VERSION = "VERSION"; // written by build.py, as are the lines that name it elsewhere
const NAME = `labkit-${VERSION}`;
const ROOT = new URL("./", self.location);
const PATIENCE = 8000; // milliseconds to ask for the newest version
let newer = false;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(begin()));
self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  const kernels = ["/api/drive", "/api/stdin/", "/api/service-worker-heartbeat"].some((part) => pathname.includes(part));
  if (event.request.method !== "GET" || origin !== ROOT.origin || kernels) return;
  event.stopImmediatePropagation();
  // The lab asks a server where each path lies that a lesson names, such as /var/lib/docker: nowhere here.
  const inside = pathname.slice(ROOT.pathname.length);
  if (inside === "api/resolvePath") return event.respondWith(Response.json({ resolved: [], unresolved: [] }));
  const folder = inside.match(/^api\/contents\/(.*)all\.json$/)?.[1];
  if (folder && folder !== "notebooks/") return event.respondWith(Response.json({ content: [] }));
  event.respondWith(answer(event.request));
});
self.addEventListener("message", (event) => {
  if (event.data?.do === "keep") event.waitUntil(keepAll().then((number) => event.ports[0]?.postMessage(number)));
});
importScripts("jupyterlite-worker.js");

async function begin() {
  for (const name of await caches.keys()) if (name.startsWith("labkit-") && name !== NAME) await caches.delete(name);
  await self.clients.claim();
}

/** The address under which a file is kept: no query and no fragment, and a folder's page by its name. */
function plain(address) {
  const url = new URL(address);
  return url.origin + (url.pathname.endsWith("/") ? `${url.pathname}index.html` : url.pathname);
}

async function answer(request) {
  if (request.mode === "navigate") newer = await isThereANewer();
  if (newer) return fetch(request.url, { cache: "no-cache" });
  const cache = await caches.open(NAME);
  const kept = await cache.match(plain(request.url));
  if (kept) return kept;
  const fetched = await fetch(request.url, { cache: "no-cache" });
  if (fetched.ok && !fetched.redirected) await cache.put(plain(request.url), fetched.clone());
  return fetched;
}

async function isThereANewer() {
  try {
    const options = { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) };
    const { version } = await (await fetch(new URL("version.json", ROOT), options)).json();
    if (version !== VERSION) self.registration.update();
    return version !== VERSION;
  } catch {
    return false; // offline
  }
}

/** Fetches what is not kept yet; the number of files that are. */
async function keepAll() {
  const cache = await caches.open(NAME);
  const files = await (await fetch(new URL("files.json", ROOT), { cache: "no-cache" })).json();
  for (const path of files) {
    const address = new URL(path, ROOT).href;
    if (await cache.match(address)) continue;
    const fetched = await fetch(address, { cache: "no-cache" });
    if (fetched.ok) await cache.put(address, fetched);
  }
  return files.length;
}
