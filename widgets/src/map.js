// Draws the map of the lessons, or one lesson's exercises (labkit/jupyter/map.py).
import "./map.css";
import { keeping } from "./kept/keeping.js";
import { button, download, element, focusable } from "./shared/element.js";
import { follow, voice } from "./shared/model.js";
import { page } from "./shared/page.js";
import { spans } from "./shared/prose.js";

/** @typedef {{ name: string, state: keyof typeof SIGNS, next: boolean, said?: string }} Row */
/** @typedef {Row & { stem: string, done: number, of: number, points: string }} LessonRow */
/** @typedef {Row & { kind: string, points: number }} ExerciseRow */
/** @typedef {import("./kept/keeping.js").KeptTraits & {
 *   whole: boolean, heading: string, whose: string, summary: string, rows: (LessonRow & ExerciseRow)[], note: string,
 *   onward: { text: string, name: string, stem: string, rest?: string }, copy: { name?: string, text?: string, number?: number },
 * }} MapTraits the traits that labkit/jupyter/map.py keeps; the rows are all of lessons or all of exercises */

// The folder of the notebook that is open, as JupyterLab's or Jupyter Notebook's address has it; null where it has none.
function openFolder() {
  const tree = location.pathname.match(/\/(?:tree|notebooks)\/(.*)$/)?.[1];
  const path = tree ? decodeURIComponent(tree) : new URLSearchParams(location.search).get("path");
  return path ? path.split("/").slice(0, -1).map((part) => `${part}/`).join("") : null;
}

// A link to a lesson: relative; in JupyterLab it opens the notebook beside this one.
/** @param {string} stem @param {string} name */
function lessonLink(stem, name) {
  if (!stem) return element("span", { textContent: name });
  const link = focusable(element("a", { href: `${stem}.ipynb`, textContent: name }));
  link.addEventListener("click", () => {
    const folder = openFolder();
    if (folder === null) return;
    link.dataset.commandlinkerCommand = "docmanager:open";
    link.dataset.commandlinkerArgs = JSON.stringify({ path: `${folder}${stem}.ipynb` });
  });
  return link;
}

const SIGNS = { solved: "✓", begun: "◐", "not begun": "○", "no exercises": "" };

/** @param {Row} row */
function stateCell(row) {
  return element("td", { class: "lk-state", "data-state": row.state },
    element("span", { "aria-hidden": "true", textContent: `${SIGNS[row.state]} ` }), row.said ?? row.state);
}

/** @param {LessonRow} row */
function lessonRow(row) {
  const bar = element("span", { class: "lk-bar", "aria-hidden": "true" }, element("span", { style: `width: ${row.of ? (100 * row.done) / row.of : 0}%` }));
  return element("tr", { class: row.next ? "lk-next" : "" },
    element("th", { scope: "row" }, row.next ? element("span", { class: "lk-here", textContent: "▶ " }) : null, lessonLink(row.stem, row.name)),
    stateCell(row),
    element("td", {}, row.of ? bar : null, row.of ? `${row.done} of ${row.of}` : ""),
    element("td", { textContent: row.points }));
}

/** @param {ExerciseRow} row */
function exerciseRow(row) {
  return element("tr", { class: row.next ? "lk-next" : "" },
    element("th", { scope: "row" }, row.next ? element("span", { class: "lk-here", textContent: "▶ " }) : null, row.name),
    stateCell(row),
    element("td", { textContent: row.kind }),
    element("td", { textContent: String(row.points) }));
}

/** @param {import("./shared/model.js").Model<MapTraits>} model @param {import("./shared/model.js").Send} send */
function takeAlong(model, send) {
  const chooser = element("input", { type: "file", accept: ".json,application/json", hidden: true, onchange: async () => {
    const file = chooser.files?.[0];
    if (!file) return;
    send({ do: "import", text: await file.text() });
    chooser.value = "";
  } });
  let number = model.get("copy").number ?? 0;
  const save = () => {
    const copy = model.get("copy");
    if (!copy.number || copy.number === number || !copy.name || !copy.text) return;
    number = copy.number;
    download(copy.name, copy.text, "application/json");
  };
  const row = element("div", { class: "lk-buttons", role: "group", "aria-label": "Your progress as a file" },
    button("Save my progress as a file", () => send({ do: "export" })),
    button("Add progress from a file", () => chooser.click()), chooser);
  return { row, save };
}

/** @param {import("./shared/model.js").Page<MapTraits>} page */
function render({ model, el }) {
  const note = element("p", { class: "lk-map-note", role: "status" });
  const { send } = voice(model);
  const kept = keeping(model, send);
  const whole = model.get("whole");
  const heading = element("h3");
  const whose = element("span", { class: "lk-quiet" });
  const summary = element("p", { class: "lk-summary" });
  const onward = element("p", { class: "lk-onward" });
  const body = element("tbody");
  const names = whole ? ["Lesson", "State", "Exercises", "Points"] : ["Exercise", "State", "Kind", "Points"];
  const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col", textContent: name })));
  const file = whole ? takeAlong(model, send) : null;
  const where = kept.offer.dataset.kept === "true" ? "beside the notebooks and in this browser" : "beside the notebooks";
  const help = element("p", { class: "lk-quiet" }, ...spans(
    `Each answer is saved ${where}. The exercises vary with the learner's name; \`%labkit learner NAME\` in a cell sets it.`));
  const table = element("table", { class: "lk-map" }, element("thead", {}, head), body);
  const root = element("section", { class: "labkit labkit-map" },
    element("div", { class: "lk-heading" }, heading, whose), kept.offer, summary, onward,
    element("div", { class: "lk-wide" }, table), ...(file ? [file.row, note, help] : [note]));
  const unfollow = follow(model, {
    heading: () => { heading.textContent = model.get("heading"); root.setAttribute("aria-label", `Progress: ${model.get("heading")}`); },
    whose: () => { whose.textContent = `learner: ${model.get("whose")}`; },
    summary: () => { summary.textContent = `${model.get("summary")}.`; },
    rows: () => body.replaceChildren(...model.get("rows").map(whole ? lessonRow : exerciseRow)),
    onward: () => {
      const to = model.get("onward");
      onward.replaceChildren(...(to.text ? [`${to.name ? "▶ " : ""}${to.text} `] : []), ...(to.name ? [lessonLink(to.stem, to.name)] : []),
        to.rest ? `: ${to.rest}.` : to.name ? "." : "");
    },
    note: () => { note.textContent = model.get("note"); },
    copy: () => file?.save(),
  });
  el.append(root);
  return () => {
    unfollow();
    kept.stop();
    root.remove();
  };
}

export default page(render);
