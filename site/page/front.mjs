// The front page: how far the learner is, and what becomes of the progress that this browser keeps. The widgets keep it in
// the browser's storage (widgets/src/kept/store.js), an entry an exercise; a lesson's file of it is in JupyterLite's.
import { keep, worker } from "./course.mjs";
import { browserStore } from "./store.js";

const known = document.querySelector("#known");
const exercises = JSON.parse(known.textContent);
const store = browserStore(known.dataset.key);
const say = (text) => { document.querySelector("#said").textContent = text; };
const press = (id, act) => document.querySelector(`#${id}`).addEventListener("click", act);

function show() {
  const progress = JSON.parse(store.all() || "{}");
  const name = progress.learner?.name || "demo";
  const answers = progress.answers?.[name] ?? {};
  const solved = Object.keys(answers).filter((key) => answers[key].passed).map((key) => key.split("@")[0]);
  let all = 0;
  for (const cell of document.querySelectorAll("[data-lesson]")) {
    const own = Object.keys(exercises).filter((slug) => exercises[slug][0] === cell.dataset.lesson);
    const done = own.filter((slug) => solved.includes(slug)).length;
    all += done;
    cell.textContent = done ? `${done} of ${own.length}` : `${own.length} exercises`;
  }
  document.querySelector("#whose").textContent = all ? `Learner ${name}: ${all} of ${Object.keys(exercises).length} exercises solved.` : "";
  if (all) document.querySelector("#start").textContent = "Go on";
}

function download(name, text) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

press("export", () => {
  const text = store.all();
  if (!text) return say("There is no progress in this browser yet.");
  const name = JSON.parse(text).learner.name || "learner";
  download(`progress-${name.replace(/[^\w.-]/g, "-")}.json`, text);
  say("Saved, where your browser puts downloads.");
});

document.querySelector("#import").addEventListener("change", async ({ target }) => {
  try {
    const found = JSON.parse(await target.files[0].text());
    if (found?.["labkit-progress"] !== 1) throw new Error("it is no progress file of labkit, or one of another version");
    if (!store.keep(found)) throw new Error("this browser stores nothing");
    show();
    say("Added. The lessons offer to bring it back when you open them.");
  } catch (error) {
    say(`That file cannot be read as progress: ${error.message}.`);
  }
  target.value = "";
});

press("offline", async () => {
  say("Fetching all files…");
  try {
    await worker();
    say(`All ${await keep()} files are kept: the course now works without a network.`);
  } catch (error) {
    say(`This browser does not keep the course (${error.message}).`);
  }
});

press("erase", async () => {
  if (!confirm("Erase all progress, answers, saved notebooks and kept files of this course in this browser?")) return;
  for (const name of Object.keys(localStorage)) if (name.startsWith("labkit/")) localStorage.removeItem(name);
  for (const name of ["labkit", "labkit settings", "labkit workspaces"]) indexedDB.deleteDatabase(name);
  for (const name of await caches.keys()) if (name.startsWith("labkit-")) await caches.delete(name);
  const here = new URL("../", import.meta.url).href;
  for (const each of await navigator.serviceWorker?.getRegistrations() ?? []) if (each.scope === here) await each.unregister();
  show();
  say("Erased. Nothing of yours is left in this browser.");
});

const still = document.querySelector("#still");
still.hidden = false;
still.addEventListener("click", () => {
  const held = document.querySelector(".story").classList.toggle("held");
  still.textContent = held ? "Let the picture move" : "Hold the picture still";
});
show();
worker().catch(() => {});
