// The playground as a page of its own: the widget's own script, with the page in the place of a notebook.
// An address with #labkit:1:… opens the machine that its text describes, and the widget's shared text becomes the address.
import { prepare } from "../page/course.mjs";
import widget from "./playground.js";

const state = {};
const listeners = new Map();
const changed = new Set();
const box = document.querySelector("#playground");
const status = document.querySelector("#status");
const kernel = new Worker(new URL("./playground-worker.mjs", import.meta.url), { type: "module" });
let own = "";
const early = [];
const say = (message) => kernel.postMessage({ say: JSON.stringify(message) });
const model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; changed.add(name); },
  save_changes: () => {
    say({ method: "update", state: Object.fromEntries([...changed].map((name) => [name, state[name]])), buffer_paths: [] });
    changed.clear();
  },
  send: (content) => say({ method: "custom", content }),
  on: (event, update) => listeners.set(event, [...(listeners.get(event) ?? []), update]),
  off: (event, update) => listeners.set(event, (listeners.get(event) ?? []).filter((each) => each !== update)),
  widget_manager: { kernel: null, get_model: async () => ({ comm_live: true }) },
};

function take(fresh) {
  Object.assign(state, fresh);
  for (const name of Object.keys(fresh)) for (const update of listeners.get(`change:${name}`) ?? []) update();
}

function heard([kind, id, data]) {
  if (id !== own) return;
  if (kind === "comm_open" || data.method === "update") take(data.state);
}

kernel.onmessage = ({ data }) => {
  if ("own" in data) {
    own = data.own;
    for (const message of early) heard(message);
    widget.render({ model, el: box });
    status.remove();
    document.querySelector("#playground").dataset.ready = "true";
  } else if (own) {
    heard(JSON.parse(data.said));
  } else {
    early.push(JSON.parse(data.said));
  }
};
kernel.onerror = (error) => { status.textContent = `The playground could not be loaded (${error.message}). Reload the page.`; };
model.on("change:shared", () => {
  if (!state.shared?.text) return;
  history.replaceState(null, "", `#${state.shared.text}`);
  document.querySelector("#address").textContent = "The address of this page now opens this machine, for whoever you send it to.";
});
await prepare();
kernel.postMessage({ begin: decodeURIComponent(location.hash.slice(1)) });
