// A mark for each line: a column of buttons for each mark, or a list to choose from where the columns would be too wide.
import { element, focusable, unique } from "../shared/element.js";
import { spans } from "../shared/prose.js";

/** @typedef {import("./form.js").Option} Option */
/** @typedef {(item: Option, value: string) => void} Mark */
/** @typedef {(options: Option[], chosen: Record<string, string>, mark: Mark) => { head: HTMLElement[], row: (item: Option) => HTMLElement[] }} Columns */

const WIDEST = 60; // characters of all marks together, where there is a column for each

/** @param {import("./form.js").FormRecord} form @param {import("./form.js").Draft} draft @returns {import("./form.js").Form} */
export function marksForm({ options = [], items = [] }, draft) {
  const drafted = draft.get();
  /** @type {Record<string, string>} */
  const chosen = drafted !== null && typeof drafted === "object" && !Array.isArray(drafted) ? { ...drafted } : {};
  /** @type {Mark} */
  const mark = (item, value) => {
    chosen[item.value] = value;
    draft.set({ ...chosen });
  };
  const wide = options.reduce((length, option) => length + option.text.length + 3, 0) > WIDEST;
  const { head, row } = (wide ? bySelect : byRadio)(options, chosen, mark);
  const body = element("tbody", {}, ...items.map((item) =>
    element("tr", {}, element("th", { scope: "row" }, element("code", { textContent: item.text })), ...row(item))));
  return {
    body: element("div", { class: "lk-wide" },
      element("table", { class: "lk-marks" }, element("thead", {}, element("tr", {}, element("td"), ...head)), body)),
    read: () => Object.fromEntries(Object.entries(chosen).filter(([, value]) => value)),
    clear: () => {
      for (const name of Object.keys(chosen)) delete chosen[name];
      body.querySelectorAll("input").forEach((input) => { input.checked = false; });
      body.querySelectorAll("select").forEach((select) => { select.value = ""; });
    },
  };
}

/** @type {Columns} */
const byRadio = (options, chosen, mark) => ({
  head: options.map((option) => element("th", { scope: "col" }, ...spans(option.text))),
  row: (item) => {
    const name = unique("mark");
    return options.map(({ value, text }) => element("td", {}, element("label", { class: "lk-mark-place" }, focusable(element("input", {
      type: "radio", name, value, checked: chosen[item.value] === value, "aria-label": `${item.text}: ${text}`, onchange: () => mark(item, value),
    })))));
  },
});

/** @type {Columns} */
const bySelect = (options, chosen, mark) => ({
  head: [element("th", { scope: "col", textContent: "Mark" })],
  row: (item) => {
    const select = focusable(element("select", { "aria-label": item.text, onchange: () => mark(item, select.value) },
      element("option", { value: "", textContent: "choose…" }),
      ...options.map(({ value, text }) => element("option", { value, textContent: text }))));
    select.value = chosen[item.value] ?? "";
    return [element("td", {}, select)];
  },
});
