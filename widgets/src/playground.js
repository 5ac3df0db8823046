// Draws a playground from the state that Python keeps (labkit/jupyter/playground.py) and sends back what is done in it.
import "./playground.css";
import { drawing } from "./shared/drawing.js";
import { able, button, download, element, focusable, folded, unique } from "./shared/element.js";
import { follow, voice } from "./shared/model.js";
import { page } from "./shared/page.js";
import { spans } from "./shared/prose.js";
import { clickGoesTo } from "./shared/workplace.js";
import { terminal as terminalPart } from "./terminal/terminal.js";

/** @typedef {import("./terminal/traits.js").TerminalTraits & {
 *   picture: import("./shared/drawing.js").Picture, events: string[], titles: string[], place: number,
 *   others: { number: number, text: string }[], names: string[], focus: string, note: string,
 *   shared: { text?: string, script?: string }, former: boolean,
 * }} PlaygroundTraits the traits that labkit/jupyter/playground.py keeps */
/** @typedef {import("./shared/model.js").Model<PlaygroundTraits>} PlaygroundModel */
/** @typedef {import("./shared/model.js").Send} Send */
/** @typedef {{ body: HTMLElement, updates: import("./shared/model.js").Updates<PlaygroundTraits> }} Part */

/** @param {string} title @param {...HTMLElement} children */
const fold = (title, ...children) => folded(title, { class: "lk-fold" }, ...children).body;

const SHOWN_EVENTS = 6;
const QUIET = "No image, container or container's layer changed. What is written into volumes and host folders is not listed.";

/** @param {PlaygroundModel} model @param {Send} send @returns {Part} */
function pictureOf(model, send) {
  const identifier = unique("show");
  const choice = focusable(element("select", { id: identifier, onchange: () => send({ do: "focus", name: choice.value }) }));
  const picture = drawing("The machine", "Picture of the machine",
    element("label", { class: "lk-quiet", htmlFor: identifier, textContent: "Show" }), choice);
  const names = () => {
    const found = model.get("names");
    choice.replaceChildren(element("option", { value: "", textContent: "everything" }),
      ...found.map((name) => element("option", { value: name, textContent: name.length > 40 ? `${name.slice(0, 37)}...` : name })));
    choice.value = model.get("focus");
  };
  return { body: picture.body, updates: { picture: () => picture.show(model.get("picture")), names, focus: names } };
}

/** @param {PlaygroundModel} model @param {Send} send @returns {Part} */
function timeOf(model, send) {
  const undo = button("Undo", () => send({ do: "undo" }));
  const redo = button("Redo", () => send({ do: "redo" }));
  const reset = button("Reset", () => send({ do: "reset" }));
  const slider = focusable(element("input", { type: "range", class: "lk-slider", min: 0, step: 1, "aria-label": "Time: after which input" }));
  const where = element("output", { class: "lk-quiet lk-where" });
  /** @type {number | null} */
  let sent = null; // where Python was asked to go and has not come yet
  const go = () => {
    if (sent !== null) return;
    sent = Number(slider.value);
    if (sent === model.get("place")) sent = null;
    else send({ do: "go", place: sent });
  };
  slider.addEventListener("input", go);
  const show = () => {
    const titles = model.get("titles");
    const place = model.get("place");
    slider.max = String(titles.length);
    const dragged = sent !== null && Number(slider.value) !== sent;
    sent = null;
    if (dragged) go();
    else slider.value = String(place);
    const text = place ? `after input ${place} of ${titles.length}: ${titles[place - 1]}` : `at the start, before ${titles.length} inputs`;
    where.textContent = titles.length ? text : "nothing typed yet";
    slider.setAttribute("aria-valuetext", where.textContent);
    slider.disabled = titles.length === 0;
    able(undo, place > 0, "Nothing was typed yet");
    able(redo, place < titles.length, "This is the last input");
    able(reset, place > 0, "This is the start");
  };
  const body = element("div", { class: "lk-time" },
    element("div", { class: "lk-buttons", role: "group", "aria-label": "Time" }, undo, redo, reset), slider, where);
  return { body, updates: { titles: show, place: show } };
}

/** @param {PlaygroundModel} model */
function eventsOf(model) {
  const list = element("ul", { class: "lk-events" });
  const rest = element("ul", { class: "lk-events" });
  const more = folded("", { class: "lk-fold" }, rest);
  const show = () => {
    const events = model.get("events");
    /** @param {string} text */
    const item = (text) => element("li", { textContent: text });
    list.replaceChildren(...(events.length ? events.slice(0, SHOWN_EVENTS) : [model.get("place") ? QUIET : "nothing yet"]).map(item));
    rest.replaceChildren(...events.slice(SHOWN_EVENTS).map(item));
    more.body.hidden = events.length <= SHOWN_EVENTS;
    more.summary.textContent = `and ${events.length - SHOWN_EVENTS} more`;
  };
  const body = element("section", {}, element("h4", { textContent: "What the engine did at the last input" }), list, more.body);
  return { body, show, updates: { events: show } };
}

/** @param {PlaygroundModel} model @param {Send} send @param {(text: string) => void} say @returns {Part} */
function sharingOf(model, send, say) {
  const identifiers = { text: unique("shared"), open: unique("open"), file: unique("file") };
  const text = focusable(element("textarea", { id: identifiers.text, rows: 3, readOnly: true, spellcheck: false }));
  const script = element("pre", {});
  const other = focusable(element("textarea", { id: identifiers.open, rows: 2, spellcheck: false, placeholder: "labkit:1:…" }));
  const file = focusable(element("input", { id: identifiers.file, type: "file", accept: ".labkit,.txt", onchange: () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    if (chosen.size > 300000) say("That file is too large for a shared machine.");
    else chosen.text().then((found) => send({ do: "open", text: found }));
    file.value = "";
  } }));
  const copy = button("Copy", () => {
    text.select();
    const copied = navigator.clipboard?.writeText(text.value) ?? Promise.reject();
    copied.then(() => say("Copied."), () => say(document.execCommand("copy") ? "Copied." : "Press Ctrl-C to copy it."));
  });
  const back = button("Swap with the machine put aside", () => send({ do: "bring back" }));
  const whole = fold("Share, open, export",
    element("label", { htmlFor: identifiers.text, textContent: "This machine as a text: everything that was typed up to here. Whoever gets it opens it below, or by playground(\"labkit:…\")." }),
    text,
    element("div", { class: "lk-buttons" }, copy, button("Save as a file", () => download("machine.labkit", text.value)),
      button("Save as a script for a real Docker", () => download("machine.sh", script.textContent ?? ""))),
    fold("Look at the script", script),
    element("label", { htmlFor: identifiers.open, textContent: "Open a machine: paste its text" }), other,
    element("div", { class: "lk-buttons" }, button("Open", () => { send({ do: "open", text: other.value }); other.value = ""; }), back),
    element("label", { htmlFor: identifiers.file, textContent: "or choose its file " }), file);
  const fill = () => {
    const shared = model.get("shared");
    text.value = shared.text ?? "";
    script.textContent = shared.script ?? "";
    if (whole.open && !shared.text) send({ do: "share" });
  };
  whole.addEventListener("toggle", fill);
  return { body: whole, updates: { shared: fill, former: () => { back.hidden = !model.get("former"); } } };
}

/** @param {PlaygroundModel} model @param {Send} send @returns {Part} */
function futuresOf(model, send) {
  const list = element("ul", { class: "lk-futures" });
  const whole = folded("", { class: "lk-fold" }, list);
  const show = () => {
    const others = model.get("others");
    whole.body.hidden = others.length === 0;
    whole.summary.textContent = `Other futures (${others.length})`;
    list.replaceChildren(...others.map((each) => element("li", {},
      button("Go there", () => send({ do: "branch", number: each.number }), { "aria-label": `Go to the future ${each.text}` }), " ", each.text)));
  };
  return { body: whole.body, updates: { others: show } };
}

/** @param {import("./shared/model.js").Page<PlaygroundTraits>} page */
function render({ model, el }) {
  const note = element("div", { class: "lk-note-line", role: "status", "aria-live": "polite" });
  /** @param {string} text */
  const say = (text) => { note.textContent = text; };
  const { send } = voice(model);
  const terminal = terminalPart(model, send);
  const time = timeOf(model, send);
  const picture = pictureOf(model, send);
  const events = eventsOf(model);
  const futures = futuresOf(model, send);
  const sharing = sharingOf(model, send, say);
  const root = element("section", { class: "labkit labkit-playground", "aria-label": "Playground" },
    element("div", { class: "lk-heading" }, element("h3", { textContent: "Playground" }),
      element("span", { class: "lk-quiet" }, ...spans("Type commands; the picture follows. `help` says what can be done; Escape and then Tab or Shift+Tab leaves the terminal."))),
    element("div", { class: "lk-columns" },
      element("div", { class: "lk-pictures" }, picture.body, events.body),
      element("div", { class: "lk-work" }, terminal.body, time.body, note)),
    element("div", { class: "lk-folds" }, futures.body, sharing.body));
  clickGoesTo(root, () => terminal.input);
  const unfollow = follow(model, {
    ...time.updates, ...picture.updates, ...events.updates, ...futures.updates, ...sharing.updates,
    note: () => say(model.get("note")),
    log: () => {
      events.show();
      terminal.input.placeholder = model.get("log").length ? "" : "type a command, such as docker pull busybox";
    },
  });
  el.append(root);
  return () => {
    unfollow();
    terminal.stop();
  };
}

export default page(render);
