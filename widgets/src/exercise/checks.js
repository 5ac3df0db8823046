// Checks as lines: a sign and a word, so that the colour is not all.
import { element } from "../shared/element.js";
import { spans } from "../shared/prose.js";

/** @typedef {import("./traits.js").Check} Check */
/** @typedef {{ open: string, done: string }} Words */

/** @type {Words} */
export const ABOUT_A_MACHINE = { open: "○ open: ", done: "✓ done: " };
/** @type {Words} */
export const ABOUT_AN_ANSWER = { open: "✗ wrong: ", done: "✓ right: " };

/** @param {Check[]} items @param {Words} words */
export const checkList = (items, words) => element("ul", { class: "lk-checks" }, ...items.map((item) =>
  element("li", { class: item.ok ? "lk-ok" : "lk-open" },
    element("span", { class: "lk-mark", textContent: item.ok ? words.done : words.open }),
    ...spans(item.text),
    item.note && !item.ok ? element("div", { class: "lk-note" }, ...spans(item.note)) : null)));
