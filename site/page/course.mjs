// What every page of the site does before it begins: the worker for offline use, and lessons that are as new as the site.
// A lesson is fetched from the site unless the learner has saved a copy. When the lessons change, copies of the old ones
// are put into the folder earlier/, so that none hides a newer one. Answers and drafts are in the progress, and stay.
const VERSION = "VERSION";
const LESSONS = "LESSONS"; // a digest of all notebooks
const ROOT = new URL("../", import.meta.url);
const STORE = "labkit"; // the database of JupyterLite's files (build.py)
const KNOWN = "labkit/lessons";
const PATIENCE = 5000;

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const asked = (request) => new Promise((done, failed) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => failed(request.error);
});

/** The worker of this site, at work for this page; the kernel reaches its files through it. */
export async function worker() {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return null;
  const address = new URL("service-worker.js?enableCache=false", ROOT).href; // as JupyterLite names it
  localStorage.setItem(`${address}-version`, VERSION); // else it takes the worker for one of an older JupyterLite
  await serviceWorker.register(address);
  const { active } = await serviceWorker.ready;
  if (!serviceWorker.controller) await new Promise((done) => serviceWorker.addEventListener("controllerchange", done, { once: true }));
  return active;
}

/** Has the worker keep the whole site; how many files that are. */
export async function keep() {
  const { active } = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  const done = new Promise((answer) => { port1.onmessage = ({ data }) => answer(data); });
  active.postMessage({ do: "keep" }, [port2]);
  return done;
}

async function putAside() {
  const database = await asked(indexedDB.open(STORE));
  if (!database.objectStoreNames.contains("files")) return database.close();
  const files = database.transaction("files", "readwrite").objectStore("files");
  const old = (await asked(files.getAllKeys())).filter((key) => /^notebooks\/\d\d-[^/]*\.ipynb$/.test(key));
  for (const key of old) {
    const copy = await asked(files.get(key));
    const name = key.slice("notebooks/".length);
    const { created, last_modified } = copy;
    files.put({ ...copy, path: `earlier/${name}` }, `earlier/${name}`);
    files.put({ name: "earlier", path: "earlier", type: "directory", format: "json", mimetype: "", content: null, size: 0, writable: true, created, last_modified }, "earlier");
    await asked(files.delete(key));
  }
  database.close();
  return old.length;
}

function tell(text) {
  const close = Object.assign(document.createElement("button"), { textContent: "Close" });
  const bar = Object.assign(document.createElement("div"), { role: "status", id: "labkit-notice" });
  bar.style.cssText = "position:fixed;bottom:0;left:0;right:0;z-index:9999;padding:.6em 1em;background:#1f2933;color:#fff;font:15px sans-serif";
  close.style.cssText = "margin-left:1em";
  close.addEventListener("click", () => bar.remove());
  bar.append(text, close);
  document.body.append(bar);
}

async function freshLessons() {
  const known = localStorage.getItem(KNOWN);
  if (known && known !== LESSONS) {
    const number = await putAside();
    const copies = number ? " The copies that you had saved are in the folder earlier." : "";
    tell(`The lessons are of a new version. Your answers are kept.${copies}`);
  }
  localStorage.setItem(KNOWN, LESSONS);
}

/** Before the lab begins. Where the browser stores nothing (a private window), it begins all the same. */
export async function prepare() {
  for (const step of [worker, freshLessons]) {
    try {
      await Promise.race([step(), pause(PATIENCE)]);
    } catch (error) {
      console.warn(`labkit: ${error}`);
    }
  }
  if (!navigator.connection?.saveData) setTimeout(() => keep().catch(() => {}), 30_000);
}
