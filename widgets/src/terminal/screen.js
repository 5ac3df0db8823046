// The screen: what was typed and what it gave, the newest at its end.
import { button, element, focusable } from "../shared/element.js";
import { exitStatus, written } from "./written.js";

/** @param {import("./traits.js").Entry} entry */
const rows = (entry) => [
  entry.clears ? "" : element("div", { class: "lk-typed" }, element("span", { textContent: entry.prompt }), element("span", { textContent: entry.line })),
  ...written(entry.pieces),
  ...exitStatus(entry.status),
];

const WRAPS = "labkit/terminal/wraps"; // "no": long lines are scrolled to

/** Whether long lines wrap: a button, whose choice the browser keeps. @param {HTMLElement} body */
function wrapping(body) {
  /** @param {boolean} wraps */
  const show = (wraps) => {
    body.classList.toggle("lk-wraps", wraps);
    press.setAttribute("aria-pressed", String(wraps));
  };
  const press = button("Wrap lines", () => {
    const wraps = !body.classList.contains("lk-wraps");
    localStorage.setItem(WRAPS, wraps ? "yes" : "no");
    show(wraps);
  }, { class: "lk-button lk-small" });
  show(localStorage.getItem(WRAPS) !== "no");
  return press;
}

/** @param {import("./traits.js").TerminalModel} model */
export function screen(model) {
  const body = focusable(element("div", { class: "lk-log", role: "log", tabIndex: 0, "aria-label": "Terminal output", "aria-live": "polite" }));
  let cleared = 0; // rows that Ctrl-L has put out of sight
  /** @type {string[]} */
  let shown = [];
  const toEnd = () => { body.scrollTop = body.scrollHeight; };
  const update = () => {
    const all = model.get("log");
    cleared = Math.min(cleared, all.length);
    const entries = all.slice(Math.max(cleared, all.findLastIndex((entry) => entry.clears)));
    const texts = entries.map((entry) => JSON.stringify(entry));
    const kept = shown.every((text, index) => text === texts[index]) ? shown.length : 0;
    if (!kept) body.replaceChildren();
    body.append(...entries.slice(kept).flatMap(rows));
    shown = texts;
    if (body.isConnected) toEnd();
    else requestAnimationFrame(toEnd);
    body.classList.toggle("lk-empty", entries.length === 0);
  };
  const clear = () => {
    cleared = model.get("log").length;
    update();
  };
  return { body, wrap: wrapping(body), update, clear };
}
