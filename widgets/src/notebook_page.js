// What the course does on a notebook's page beside its widgets. Python opens it where labkit.jupyter is loaded; it shows nothing.
import "./notebook_page.css";
import { following } from "./shared/notebook.js";

const MESSAGES = '[data-mime-type="application/vnd.jupyter.stderr"]';
const PROGRESS = [ // lines that say how far a build, a pull or a copy has come
  /^$/,
  /^#\d+ (?!ERROR)/,
  /^Unable to find image '.*' locally$/,
  /^[^ ]+: (Pulling from|Pulling fs layer|Waiting|Verifying Checksum|Download complete|Pull complete|Already exists)/,
  /^(Digest|Status): /,
  /^\d+\+\d+ records (in|out)$/,
];
const EXERCISE = ".labkit-exercise";
const PATIENCE = 10000; // milliseconds in which a cell that was run may bring its exercise
const HERE = "labkitPage"; // the page has this already, from a kernel before

/** Marks the messages that only tell of progress: JupyterLab gives whatever came on stderr the ground of an error.
 * @param {Element} output */
function mark(output) {
  const lines = (output.textContent ?? "").split("\n");
  output.classList.toggle("lk-progress-only", lines.every((line) => PROGRESS.some((each) => each.test(line))));
}

/** @param {MutationRecord[]} records */
function markNew(records) {
  /** @type {Set<Element>} */
  const found = new Set();
  for (const { target, addedNodes } of records) {
    if (!(target instanceof Element)) continue;
    const around = target.closest(MESSAGES);
    if (around) found.add(around);
    for (const node of addedNodes) {
      if (!(node instanceof Element)) continue;
      if (node.matches(MESSAGES)) found.add(node);
      node.querySelectorAll(MESSAGES).forEach((each) => found.add(each));
    }
  }
  found.forEach(mark);
}

/** Brings an exercise's top into view, unless something else was done meanwhile.
 * @param {Element} cell the exercise's @param {boolean} anew it was run, so the exercise is still to come */
function bring(cell, anew) {
  const over = new AbortController();
  const watch = new MutationObserver(() => show());
  const stop = () => {
    watch.disconnect();
    over.abort();
  };
  const before = anew ? cell.querySelector(EXERCISE) : null;
  const show = () => {
    const found = cell.querySelector(EXERCISE);
    if (!found || found === before) return;
    stop();
    requestAnimationFrame(() => setTimeout(() => found.scrollIntoView({ block: "start" })));
  };
  for (const kind of ["keydown", "pointerdown", "wheel"]) addEventListener(kind, stop, { capture: true, signal: over.signal });
  watch.observe(cell, { childList: true, subtree: true });
  setTimeout(stop, PATIENCE);
  show();
}

/** Shift+Enter in a cell: the exercise that the cell shows, or that comes after it. @param {KeyboardEvent} event */
function onRun(event) {
  const where = event.target;
  if (event.key !== "Enter" || !event.shiftKey || !(where instanceof Element) || where.closest(".labkit")) return;
  const cell = where.closest(".jp-Cell") ?? where.querySelector(".jp-Cell.jp-mod-active");
  if (!cell) return;
  const runs = /^\s*exercise\(/m.test(cell.querySelector(".cm-content")?.textContent ?? "");
  const next = runs ? cell : following(cell).next().value;
  if (next) setTimeout(() => bring(next, runs));
}

export default {
  initialize() {
    if (HERE in document.body.dataset) return;
    document.body.dataset[HERE] = "";
    document.querySelectorAll(MESSAGES).forEach(mark);
    new MutationObserver(markNew).observe(document.body, { childList: true, subtree: true });
    document.addEventListener("keydown", onRun, true);
  },
  render() {},
};
