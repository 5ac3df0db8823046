// What was predicted beside what is printed; the first line that differs has a sign, the first character a mark.
import { element } from "../shared/element.js";

/** @typedef {import("./traits.js").Pair} Pair */

const SAME = ["=", "the same"];
const FIRST = ["▶", "first difference"];
const OTHER = ["≠", "different"];

/** @param {string | null} text @param {number} from where the mark begins; -1: nowhere */
function cell(text, from) {
  if (text === null) return element("td", {}, element("span", { class: "lk-quiet", textContent: "(no line)" }));
  const marked = from < 0 ? "" : text.slice(from);
  return element("td", {}, element("code", {}, text.slice(0, text.length - marked.length), marked ? element("mark", { textContent: marked }) : null));
}

/** @param {Pair} pair @param {boolean} first does this line differ first? @param {number} column */
function row(pair, first, column) {
  const [sign, word] = pair.same ? SAME : first ? FIRST : OTHER;
  const from = first ? column : -1;
  return element("tr", { class: pair.same ? "" : "lk-differs" },
    element("th", { scope: "row", title: word }, element("span", { "aria-hidden": "true", textContent: sign }), element("span", { class: "lk-unseen", textContent: word })),
    cell(pair.said, from), cell(pair.real, from));
}

/** @param {import("./traits.js").Compared} found */
export function comparison({ rows = [], row: first = -1, column = 0 }) {
  if (!rows.length) return [];
  const heads = ["You said", "It prints"].map((text) => element("th", { scope: "col", textContent: text }));
  const note = first < 0 ? "The same." : "▶ is the first line that differs; what differs in it is underlined.";
  return [
    element("table", { class: "lk-compared" },
      element("thead", {}, element("tr", {}, element("td"), ...heads)),
      element("tbody", {}, ...rows.map((pair, index) => row(pair, index === first, column)))),
    element("p", { class: "lk-quiet", textContent: note }),
  ];
}
