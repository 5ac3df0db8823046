// Draws the build-cache lab from the state that Python keeps (labkit/jupyter/cache_lab.py).
import "./cache_lab.css";
import { able, button, element, focusable, folded, onEnter, unique } from "./shared/element.js";
import { follow, voice } from "./shared/model.js";
import { page } from "./shared/page.js";
import { spans } from "./shared/prose.js";

/** @type {Record<string, string>} */
const STATES = { cached: "✓ cached", made: "↻ made anew", failed: "✗ failed", canceled: "– canceled" };
/** @type {Record<string, string>} */
const RIGHT = { yes: "you said so", no: "you said otherwise", "": "" };

/** @typedef {{ path: string, shown: string, size: string, note: string }} File without a path: how many more there are */
/** @typedef {{ path: string, text: string, mode: string, why: string }} OpenFile why: it cannot be edited */
/** @typedef {{
 *   title: string, guess: string, state: string, right: string, cost: string, key: string, former: string, reasons: string[],
 * }} Step */
/** @typedef {{
 *   title: string, files: File[], editor: OpenFile, steps: Step[], shown: string, options: string, command: string,
 *   verdict: string[], said: string, output: string,
 * }} CacheLabTraits the traits that labkit/jupyter/cache_lab.py keeps */
/** @typedef {import("./shared/model.js").Model<CacheLabTraits>} CacheLabModel */
/** @typedef {import("./shared/model.js").Send} Send */

/** A line to type in, which `act` reads on Enter and at a button, if it has one.
 * @param {string} label @param {string} placeholder @param {(text: string, clear: () => void) => void} act */
function labLine(label, placeholder, act, pressed = "") {
  const identifier = unique("line");
  const input = focusable(element("input", { id: identifier, type: "text", class: "lk-labline", spellcheck: false, autocomplete: "off", placeholder }));
  const now = () => act(input.value, () => { input.value = ""; });
  onEnter(input, now);
  const body = element("div", { class: "lk-labrow" },
    element("label", { htmlFor: identifier, textContent: label }), input, pressed ? button(pressed, now) : null);
  return { input, body, act: now };
}

/** @param {HTMLElement} area @param {() => void} save */
function onSaveKey(area, save) {
  area.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || !["s", "Enter"].includes(event.key)) return;
    event.preventDefault();
    save();
  });
}

// The context: a list of files, one of them open in a text pane.
/** @param {CacheLabModel} model @param {Send} send */
function contextPane(model, send) {
  const list = element("ul", { class: "lk-files" });
  const identifier = unique("file");
  const label = element("label", { htmlFor: identifier });
  const area = focusable(element("textarea", { id: identifier, rows: 10, spellcheck: false, oninput: () => mark() }));
  const why = element("p", { class: "lk-quiet" });
  const path = () => model.get("editor").path;
  const dirty = () => !model.get("editor").why && area.value !== model.get("editor").text;
  const save = () => { if (dirty()) send({ do: "save", path: path(), text: area.value }); };
  const saver = button("Save", save, { class: "lk-button lk-main" });
  /** @param {string} text @param {string} what @param {string} title */
  const act = (text, what, title) => button(text, () => { save(); send({ do: "file", what, path: path() }); }, { title });
  const mode = button("", () => { save(); send({ do: "file", what: model.get("editor").mode === "755" ? "plain" : "executable", path: path() }); });
  const other = element("div", { class: "lk-buttons" }, saver,
    act("New time", "touch", "touch: the same content with a new time"), mode, act("Delete", "delete", "rm"));
  const mark = () => {
    able(saver, dirty(), "Nothing to save");
    saver.classList.toggle("lk-main", dirty());
  };
  onSaveKey(area, save);
  const fresh = labLine("New file", "src/app.py", (name, clear) => {
    if (!name.trim()) return;
    save();
    send({ do: "new", path: name });
    clear();
  }, "Add");
  const files = () => {
    const active = document.activeElement;
    const held = active instanceof HTMLElement && list.contains(active) ? active.dataset.path : undefined;
    list.replaceChildren(...model.get("files").map((row) => {
      if (!row.path) return element("li", { class: "lk-quiet", textContent: row.shown });
      const open = row.path === path();
      return element("li", {},
        button(row.shown, () => { save(); send({ do: "open", path: row.path }); }, { class: "lk-button lk-file", "aria-pressed": open, "data-path": row.path }),
        element("span", { class: "lk-quiet", textContent: ` ${row.size}${row.note ? `, ${row.note}` : ""}` }));
    }));
    if (held !== undefined) [...list.querySelectorAll("button")].find((each) => each.dataset.path === held)?.focus();
  };
  const editor = () => {
    const open = model.get("editor");
    label.textContent = `${open.path}${open.mode ? ` (mode ${open.mode})` : ""}`;
    why.textContent = open.why;
    area.hidden = Boolean(open.why);
    area.value = open.text;
    mode.textContent = open.mode === "755" ? "Mode 644" : "Mode 755";
    for (const each of list.querySelectorAll("button")) each.setAttribute("aria-pressed", String(each.dataset.path === open.path));
    mark();
  };
  return {
    save,
    updates: { files, editor },
    body: element("div", { class: "lk-context" },
      element("h4", { textContent: "The context" }), list,
      fresh.body,
      label, area, why, other),
  };
}

// One step: its name, what was said of it, what it was, and why.
/** @param {Send} send */
function stepRow(send) {
  const name = element("code", { class: "lk-stepname" });
  const guess = focusable(element("select", {},
    element("option", { value: "", textContent: "you say…" }),
    element("option", { value: "cached", textContent: "cached" }),
    element("option", { value: "made", textContent: "made anew" })));
  const state = element("strong", { class: "lk-cachestate" });
  const right = element("span", { class: "lk-right" });
  const cost = element("span", { class: "lk-quiet" });
  const keys = element("div", { class: "lk-cachekeys" });
  const why = element("ul", { class: "lk-why" });
  let now = { number: 0, guess: "", shown: "" };
  guess.addEventListener("change", () => {
    if (now.shown) guess.value = now.guess;
    else send({ do: "say", number: now.number, value: guess.value });
  });
  guess.addEventListener("blur", () => { guess.hidden = Boolean(now.shown); });
  /** @param {Step} row @param {number} index @param {string} shown */
  const fill = (row, index, shown) => {
    now = { number: index, guess: row.guess, shown };
    name.textContent = row.title;
    guess.value = row.guess;
    guess.hidden = Boolean(shown) && document.activeElement !== guess; // the focus is not lost
    guess.setAttribute("aria-label", `${row.title}: will it be cached?`);
    body.dataset.state = row.state;
    state.textContent = STATES[row.state] ?? "";
    right.textContent = RIGHT[row.right] ?? "";
    right.dataset.right = row.right;
    cost.textContent = row.cost;
    const same = row.former && row.former === row.key;
    keys.replaceChildren(...(!row.key ? [] : row.former && !same
      ? ["key ", element("code", { class: "lk-oldkey", textContent: row.former }), " → ", element("code", { textContent: row.key }), " changed"]
      : ["key ", element("code", { textContent: row.key }), same ? " as before" : row.state === "cached" ? " known" : " new"]));
    why.replaceChildren(...row.reasons.map((text) => element("li", {}, ...spans(text))));
  };
  const body = element("li", { class: "lk-step" },
    element("div", { class: "lk-stephead" }, name, guess, state, right, cost), keys, why);
  return { body, fill };
}

/** @param {import("./shared/model.js").Page<CacheLabTraits>} page */
function render({ model, el }) {
  const said = element("p", { class: "lk-labsaid", role: "status" });
  const { send } = voice(model);
  const context = contextPane(model, send);
  const title = element("h3");
  const steps = element("ol", { class: "lk-steps" });
  const verdict = element("div", { class: "lk-verdicts", role: "status", "aria-live": "polite" });
  const options = labLine("Options", "--build-arg VERSION=2 --no-cache", (text) => {
    if (text !== model.get("options")) send({ do: "options", text });
  });
  const settle = () => { context.save(); options.act(); };
  const command = element("pre", { class: "lk-command" });
  const output = focusable(element("pre", { class: "lk-output", tabIndex: 0, role: "region", "aria-label": "What docker build printed" }));
  const printed = folded("What docker build printed", { class: "lk-printed" }, output).body;
  const buttons = element("div", { class: "lk-buttons", role: "group", "aria-label": "What to do" },
    button("Build", () => { settle(); send({ do: "build" }); }, { class: "lk-button lk-main" }),
    button("Tell me first", () => { settle(); send({ do: "forecast" }); }, { title: "Say what a build would find, without building" }),
    button("Empty the cache", () => { settle(); send({ do: "prune" }); }, { title: "docker builder prune -af" }));

  /** @type {ReturnType<typeof stepRow>[]} */
  const rows = [];
  const draw = () => {
    const wanted = model.get("steps");
    while (rows.length < wanted.length) rows.push(stepRow(send));
    rows.splice(wanted.length);
    while (steps.children.length > rows.length) steps.lastChild?.remove();
    steps.append(...rows.slice(steps.children.length).map((row) => row.body));
    wanted.forEach((row, index) => rows[index]?.fill(row, index, model.get("shown")));
  };
  const root = element("section", { class: "labkit labkit-cache_lab" },
    element("div", { class: "lk-heading" }, title),
    element("div", { class: "lk-labcolumns" },
      context.body,
      element("div", { class: "lk-builds" },
        element("h4", { textContent: "The steps: which will be cached?" }),
        steps,
        options.body,
        command, buttons, said, verdict, printed)),
  );
  const unfollow = follow(model, {
    title: () => {
      title.textContent = model.get("title");
      root.setAttribute("aria-label", model.get("title"));
    },
    ...context.updates,
    options: () => { options.input.value = model.get("options"); },
    command: () => { command.textContent = `$ ${model.get("command")}`; },
    steps: draw,
    shown: draw,
    verdict: () => verdict.replaceChildren(...model.get("verdict").map((line) => element("p", {}, ...spans(line)))),
    said: () => { said.textContent = model.get("said"); },
    output: () => {
      output.textContent = model.get("output");
      printed.hidden = !model.get("output");
    },
  });
  el.append(root);
  return unfollow;
}

export default page(render);
