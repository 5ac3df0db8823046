// Draws the mount composer from the state that Python keeps (labkit/jupyter/composer.py).
import "./composer.css";
import { able, button, element, focusable, folded, onEnter, unique } from "./shared/element.js";
import { later } from "./shared/later.js";
import { follow, voice } from "./shared/model.js";
import { page } from "./shared/page.js";
import { exitStatus, written } from "./terminal/written.js";

const TYPING = { class: "lk-typing", spellcheck: false, autocomplete: "off", autocapitalize: "off" };
const NEEDED = ["type", "source", "target", "readonly"]; // by most mounts
const QUIET = 150; // milliseconds without a key after which what was typed is sent

/** @typedef {"-v" | "--mount"} FlagName */
/** @typedef {{ text: string, number: number, wrong: boolean }} Piece the number of its part; 0: of none */
/** @typedef {{
 *   text: string, pieces: Piece[], tone: string, verdict: string, message: string, cause: string, notes: string[], shell: string,
 *   replaced: number,
 * }} Flag */
/** @typedef {{ name: string, title: string, kind: string, choices: string[], types: string[], always: boolean, key: string }} Field */
/** @typedef {Record<string, string | boolean>} Values of the form's fields */
/** @typedef {{ number: number, title: string, what: string, "-v": string, "--mount": string, "-v none": string, "--mount none": string }} LegendRow */
/** @typedef {{
 *   line?: string, pieces: import("./terminal/traits.js").Piece[], status: number, did: string[], kept: boolean,
 * }} Tried */
/** @typedef {{
 *   fields: Field[], form: Values, flags: Record<FlagName, Flag>, legend: LegendRow[], differences: string[], image: string,
 *   command: string, tried: Tried, trouble: string,
 * }} ComposerTraits the traits that labkit/jupyter/composer.py keeps */
/** @typedef {import("./shared/model.js").Model<ComposerTraits>} ComposerModel */
/** @typedef {import("./shared/model.js").Send} Send */

/** @type {FlagName[]} */
const FLAGS = ["-v", "--mount"];

// What is being typed into is left alone: the state that comes back may be older.
/** @param {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} where @param {string | boolean | undefined} value */
function put(where, value) {
  if (where.matches(":focus")) return;
  if (where instanceof HTMLInputElement && where.type === "checkbox") where.checked = Boolean(value);
  else if (where.value !== value) where.value = String(value);
}

/** @param {HTMLElement} where @param {string} text */
function say(where, text) {
  if (where.textContent !== text) where.textContent = text;
}

/** @param {{ number: number }} piece */
function partClass(piece) {
  return `lk-part lk-part-${((piece.number - 1) % 8) + 1}`;
}

// The characters of a flag: its parts with their numbers, the wrong ones marked.
/** @param {Piece[]} pieces */
function pieceSpans(pieces) {
  return pieces.map((piece) => {
    if (!piece.number && !piece.wrong) return element("span", { textContent: piece.text });
    const made = element("span", { class: piece.number ? partClass(piece) : "lk-part" }, element("bdi", { textContent: piece.text }));
    if (piece.number) made.append(element("sup", { textContent: String(piece.number) }));
    if (piece.wrong) {
      made.classList.add("lk-wrong");
      made.prepend(element("span", { class: "lk-cross", textContent: "✗\u00a0" }));
    }
    return made;
  });
}

/** @param {FlagName} name @param {Send} send */
function flagBlock(name, send) {
  const identifier = unique("flag");
  const area = focusable(element("textarea", { id: identifier, rows: 2, spellcheck: false, autocomplete: "off", autocapitalize: "off" }));
  const typed = later(QUIET, () => send({ do: "write", flag: name, text: area.value }));
  area.addEventListener("input", typed.start);
  area.addEventListener("change", typed.now);
  onEnter(area, typed.now);
  const parts = element("div", { class: "lk-flag-parts" });
  const verdict = element("p", { class: "lk-verdict", role: "status" });
  const message = element("pre", { class: "lk-said" });
  const cause = element("p", { class: "lk-cause" });
  const notes = element("ul", { class: "lk-flag-notes" });
  const body = element("section", { class: "lk-flag", "aria-label": `The flag ${name}` },
    element("label", { htmlFor: identifier }, element("code", { textContent: name })), area, parts, verdict, message, cause, notes);
  let replaced = 0;
  /** @param {Flag} flag */
  const update = (flag) => {
    if (flag.replaced !== replaced) area.value = flag.text;
    replaced = flag.replaced;
    put(area, flag.text);
    parts.replaceChildren(element("code", {}, ...(flag.pieces.length ? [`${name} `, ...pieceSpans(flag.pieces)] : [])));
    body.dataset.tone = flag.tone;
    say(verdict, flag.verdict);
    say(message, flag.message);
    message.hidden = !flag.message;
    say(cause, flag.cause);
    const told = flag.shell ? [...flag.notes, `In a shell: ${flag.shell}`] : flag.notes;
    notes.replaceChildren(...told.map((note) => element("li", { textContent: note })));
  };
  return { body, update, stop: typed.stop };
}

/** @param {Field} field @param {string} identifier @param {(value: string | boolean) => void} fill */
function control(field, identifier, fill) {
  if (field.kind === "switch") {
    const box = focusable(element("input", { type: "checkbox", id: identifier, onchange: () => fill(box.checked) }));
    return box;
  }
  if (field.kind === "choice") {
    const options = field.name === "type" ? field.choices : ["", ...field.choices];
    const select = focusable(element("select", { id: identifier, onchange: () => fill(select.value) },
      ...options.map((choice) => element("option", { value: choice, textContent: choice || "not given" }))));
    return select;
  }
  const typing = { ...TYPING, id: identifier };
  const made = focusable(field.kind === "lines" ? element("textarea", { ...typing, rows: 2 }) : element("input", { ...typing, type: "text" }));
  const typed = later(QUIET, () => fill(made.value));
  made.addEventListener("input", typed.start);
  made.addEventListener("change", typed.now);
  return made;
}

/** @param {ComposerModel} model @param {Send} send */
function formRows(model, send) {
  const rows = model.get("fields").map((field) => {
    const identifier = unique(field.name);
    const input = control(field, identifier, (value) => send({ do: "fill", name: field.name, value }));
    const hint = field.kind === "lines" ? ", one NAME=VALUE a line" : "";
    const label = element("label", { htmlFor: identifier, textContent: field.title + hint });
    return { field, input, row: element("div", { class: `lk-field lk-field-${field.kind}` }, label, input) };
  });
  const update = () => {
    const form = model.get("form");
    for (const { field, input, row } of rows) {
      const value = form[field.name];
      if (input instanceof HTMLSelectElement) {
        const text = String(value);
        if (![...input.options].some((option) => option.value === text)) input.append(element("option", { value: text, textContent: text }));
        input.value = text;
      } else put(input, value);
      row.hidden = !field.always && !field.types.includes(String(form.type));
    }
  };
  const [first, more] = [true, false].map((needed) => element("div", { class: "lk-fields" },
    ...rows.filter(({ field }) => NEEDED.includes(field.name) === needed).map((each) => each.row)));
  const rest = folded("More fields", { class: "lk-fold" }, more);
  const asked = () => rows.some(({ field }) => !NEEDED.includes(field.name) && model.get("form")[field.name]);
  return { body: element("div", {}, first, rest.body), update: () => {
    update();
    rest.body.open ||= asked();
  } };
}

/** @param {LegendRow[]} rows */
function legendTable(rows) {
  const headings = ["No.", "Part", "-v", "--mount", "What it says"];
  /** @param {LegendRow} row @param {FlagName} flag */
  const cell = (row, flag) => row[flag]
    ? element("td", {}, element("code", {}, element("bdi", { textContent: row[flag] })))
    : element("td", { class: "lk-quiet", textContent: row[`${flag} none`] });
  return element("table", { class: "lk-legend" },
    element("thead", {}, element("tr", {}, ...headings.map((text) => element("th", { scope: "col", textContent: text })))),
    element("tbody", {}, ...rows.map((row) => element("tr", {},
      element("td", {}, element("span", { class: partClass(row), textContent: String(row.number) })),
      element("th", { scope: "row", textContent: row.title }),
      cell(row, "-v"), cell(row, "--mount"), element("td", { textContent: row.what })))));
}

/** @param {ComposerModel} model @param {Send} send */
function trying(model, send) {
  const [imageId, commandId, keepId] = [unique("image"), unique("command"), unique("keep")];
  const text = { ...TYPING, type: "text" };
  const image = focusable(element("input", { ...text, id: imageId, value: model.get("image") }));
  const command = focusable(element("input", { ...text, id: commandId, value: model.get("command") }));
  const keep = focusable(element("input", { type: "checkbox", id: keepId }));
  let usual = model.get("command");
  /** @param {FlagName} flag */
  const run = (flag) => () => {
    if (!flags[flag].matches('[aria-disabled="true"]')) send({ do: "try", flag, image: image.value, command: command.value, keep: keep.checked });
  };
  const flags = { "-v": button("Try it with -v", run("-v")), "--mount": button("Try it with --mount", run("--mount")) };
  const result = element("div", { class: "lk-tried", role: "status" });
  const updates = {
    command: () => {
      if (command.value === usual) command.value = model.get("command");
      usual = model.get("command");
    },
    flags: () => {
      for (const name of FLAGS) able(flags[name], model.get("flags")[name].tone !== "none", `${name} cannot say this mount`);
    },
    tried: () => {
      const tried = model.get("tried");
      if (!tried.line) return;
      const did = tried.did.length ? tried.did : ["made no folder on the host, and no volume"];
      result.replaceChildren(
        element("pre", { class: "lk-typed", textContent: `# ${tried.line}` }),
        ...written(tried.pieces),
        ...exitStatus(tried.status),
        element("ul", {}, ...did.map((each) => element("li", { textContent: each })),
          element("li", { textContent: tried.kept ? "the machine is now so" : "that was on a copy: the machine is as it was" })));
    },
  };
  const body = element("section", { class: "lk-try", "aria-label": "Try it" },
    element("h4", { textContent: "Try it: what does a container see?" }),
    element("div", { class: "lk-fields" },
      element("div", { class: "lk-field" }, element("label", { htmlFor: imageId, textContent: "Image" }), image),
      element("div", { class: "lk-field lk-wide" }, element("label", { htmlFor: commandId, textContent: "Command in the container" }), command)),
    element("div", { class: "lk-buttons" }, flags["-v"], flags["--mount"],
      element("span", { class: "lk-keep" }, keep, element("label", { htmlFor: keepId, textContent: "keep what it does to the machine" }))),
    result);
  return { body, updates };
}

/** @param {import("./shared/model.js").Page<ComposerTraits>} page */
function render({ model, el }) {
  const trouble = element("p", { class: "lk-trouble", role: "status" });
  const { send } = voice(model);
  const blocks = { "-v": flagBlock("-v", send), "--mount": flagBlock("--mount", send) };
  const form = formRows(model, send);
  const attempt = trying(model, send);
  const legend = element("div", { class: "lk-scroll", tabIndex: 0, role: "group", "aria-label": "Table of the parts" });
  focusable(legend);
  const differences = element("ul", { class: "lk-differences" });
  const unfollow = follow(model, {
    form: form.update,
    legend: () => legend.replaceChildren(legendTable(model.get("legend"))),
    differences: () => differences.replaceChildren(...model.get("differences").map((text) => element("li", { textContent: text }))),
    trouble: () => say(trouble, model.get("trouble")),
    command: attempt.updates.command,
    tried: attempt.updates.tried,
    flags: () => {
      for (const name of FLAGS) blocks[name].update(model.get("flags")[name]);
      attempt.updates.flags();
    },
  });
  el.append(element("section", { class: "labkit labkit-composer", "aria-label": "Mount composer" },
    element("h3", { textContent: "One mount, two ways to write it" }),
    element("p", { class: "lk-quiet", textContent: "Fill in the form or type into a flag: the others follow. A number and a colour mark the same part in both." }),
    trouble, form.body,
    element("div", { class: "lk-flags" }, blocks["-v"].body, blocks["--mount"].body),
    element("h4", { textContent: "The parts" }), legend,
    element("h4", { textContent: "What the two do" }), differences,
    attempt.body));
  return () => {
    unfollow();
    Object.values(blocks).forEach((block) => block.stop());
  };
}

export default page(render);
