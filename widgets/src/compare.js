// Draws the comparison of storage drivers from the state that Python keeps (labkit/jupyter/compare.py).
import "./compare.css";
import { element, focusable, unique } from "./shared/element.js";
import { follow, voice } from "./shared/model.js";
import { page } from "./shared/page.js";

/** @typedef {{ name: string, title: string }} Named */
/** @typedef {Named & { short: string }} Quantity */
/** @typedef {{ driver: string, about: string, length: number, value: string, numbers: Record<string, string>, exact: Record<string, string> }} Row */
/** @typedef {{
 *   parts: Named[], quantities: Quantity[], part: string, quantity: string, scale: string, order: { by?: string, down?: boolean },
 *   rows: Row[], waiting: number, title: string, means: string, said: string, scale_note: string, axis: { at: number, text: string }[], steps: boolean, left_out: string, trouble: string,
 * }} CompareTraits the traits that labkit/jupyter/compare.py keeps */
/** @typedef {import("./shared/model.js").Send} Send */

/** @param {string} label @param {Send} send @param {string} what @param {Named[]} options */
function chooser(label, send, what, options) {
  const identifier = unique(what);
  const select = focusable(element("select", { id: identifier, onchange: () => send({ do: "choose", what, value: select.value }) },
    ...options.map((option) => element("option", { value: option.name, textContent: option.title }))));
  return { select, body: element("div", { class: "lk-field" }, element("label", { htmlFor: identifier, textContent: label }), select) };
}

/** @param {Row[]} rows */
function barRows(rows) {
  return rows.map((row) => element("li", {},
    element("span", { class: "lk-bar-name", textContent: row.driver }),
    element("span", { class: "lk-bar-line" },
      element("span", { class: "lk-bar", "aria-hidden": "true", style: `width: ${row.length * 100}%` }),
      element("span", { class: "lk-bar-value", textContent: row.value }))));
}

/** The axis below the bars. @param {{ at: number, text: string }[]} ticks */
const axisOf = (ticks) => ticks.map(({ at, text }) => element("span", { class: "lk-tick", style: `left: ${at * 100}%` }, element("span", { textContent: text })));

/** All numbers. @param {import("./shared/model.js").Model<CompareTraits>} model @param {Send} send */
function tableOf(model, send) {
  const columns = [{ name: "driver", short: "Driver" }, ...model.get("quantities")];
  const heads = columns.map((column) => {
    const arrow = element("span", { "aria-hidden": "true" });
    const press = focusable(element("button", { type: "button", class: "lk-sort", onclick: () => send({ do: "sort", by: column.name }) }, column.short, arrow));
    return { column, arrow, cell: element("th", { scope: "col" }, press) };
  });
  const rowsOf = element("tbody");
  const body = focusable(element("div", { class: "lk-scroll", tabIndex: 0, role: "group", "aria-label": "Table of the numbers" },
    element("table", { class: "lk-numbers" },
      element("caption", { textContent: "All numbers of this part; a heading sorts by its column, and again the other way round" }),
      element("thead", {}, element("tr", {}, ...heads.map((head) => head.cell))), rowsOf)));
  const order = () => {
    const { by, down } = model.get("order");
    for (const { column, arrow, cell } of heads) {
      arrow.textContent = column.name === by ? (down ? " ↓" : " ↑") : "";
      if (column.name === by) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
  };
  /** @param {Row[]} rows */
  const fill = (rows) => rowsOf.replaceChildren(...rows.map((row) => element("tr", {},
  element("th", { scope: "row" }, row.driver, row.about ? element("span", { class: "lk-quiet lk-about", textContent: row.about }) : null),
  ...Object.entries(row.numbers).map(([name, text]) => element("td", { textContent: text, title: row.exact[name] ?? "" })))));
  return { body, order, fill };
}

/** @param {import("./shared/model.js").Page<CompareTraits>} page */
function render({ model, el }) {
  /** @param {string} text */
  const say = (text) => { trouble.textContent = text; };
  const { send } = voice(model);
  const part = chooser("Part of the workload", send, "part", model.get("parts"));
  const quantity = chooser("What is compared", send, "quantity", model.get("quantities"));
  const scale = chooser("Scale of the bars", send, "scale", ["fitting", "linear", "logarithmic"].map((name) => ({ name, title: name })));
  const trouble = element("p", { class: "lk-trouble", role: "status" });
  const heading = element("h4");
  const bars = element("ul", { class: "lk-bars" });
  const axis = element("div", { class: "lk-axis-line", "aria-hidden": "true" });
  const chart = element("div", { class: "lk-chart" }, bars, element("div", { class: "lk-axis" }, axis));
  const said = element("p", { class: "lk-said-words", role: "status" });
  const note = element("p", { class: "lk-quiet" });
  const means = element("p", {});

  const table = tableOf(model, send);
  const unfollow = follow(model, {
    part: () => { part.select.value = model.get("part"); },
    quantity: () => { quantity.select.value = model.get("quantity"); },
    scale: () => { scale.select.value = model.get("scale"); },
    title: () => { heading.textContent = model.get("title"); },
    means: () => { means.textContent = model.get("means"); },
    said: () => { said.textContent = model.get("waiting") ? "" : model.get("said"); },
    scale_note: () => { note.textContent = model.get("scale_note"); },
    axis: () => axis.replaceChildren(...axisOf(model.get("axis"))),
    steps: () => { chart.classList.toggle("lk-dots", model.get("steps")); },
    trouble: () => say(model.get("trouble")),
    order: table.order,
    rows: () => {
      const rows = model.get("rows");
      bars.replaceChildren(...barRows(rows));
      table.fill(rows);
    },
    waiting: () => {
      const left = model.get("waiting");
      said.textContent = left ? `The workload is running, driver by driver: ${left} left.` : model.get("said");
      if (left) send({ do: "measure" });
    },
  });
  el.append(element("section", { class: "labkit labkit-compare", "aria-label": "Comparison of storage drivers" },
    element("h3", { textContent: "One workload on every storage driver" }),
    element("div", { class: "lk-choosers" }, part.body, quantity.body, scale.body),
    trouble, heading, chart, said, note, means, table.body,
    element("p", { class: "lk-quiet", textContent: model.get("left_out") })));
  return unfollow;
}

export default page(render);
