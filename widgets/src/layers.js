// Draws the layers of an image or container from the rows that Python keeps (labkit/jupyter/layers.py).
import "./layers.css";
import { button, element, focusable, onEnter, unique } from "./shared/element.js";
import { follow, voice } from "./shared/model.js";
import { page } from "./shared/page.js";
import { spans } from "./shared/prose.js";

const SIGNS = { added: "+", changed: "~", deleted: "−" };

/** @typedef {object} Row
 * @property {string} key
 * @property {string} name
 * @property {string} kind
 * @property {number} level
 * @property {number} place
 * @property {number} of
 * @property {boolean | null} open null: there is nothing below it
 * @property {boolean} picked
 * @property {keyof typeof SIGNS | ""} mark
 * @property {string} size
 * @property {string} note */
/** @typedef {{ title?: string, lines: string[], trace: { layer: string, text: string, seen: boolean }[], content: { head: string, text: string } }} Picked */
/** @typedef {{
 *   title: string, facts: { name: string, value: string, note: string }[], findings: { text: string, fix: string }[],
 *   rows: Row[], said: string, picked: Picked,
 * }} LayersTraits the traits that labkit/jupyter/layers.py keeps */
/** @typedef {import("./shared/model.js").Model<LayersTraits>} LayersModel */
/** @typedef {import("./shared/model.js").Send} Send */

/** A row as it looks and as it is read out. @param {HTMLElement} node @param {Row} row */
function fill(node, row) {
  const text = JSON.stringify(row);
  if (node.dataset.row === text) return;
  node.dataset.row = text;
  const twist = row.open === null ? "" : row.open ? "▾" : "▸";
  node.className = `lk-treerow lk-kind-${row.kind}${row.mark ? ` lk-${row.mark}` : ""}`;
  node.style.setProperty("--lk-level", String(row.level - 1));
  const about = { "aria-level": row.level, "aria-posinset": row.place, "aria-setsize": row.of, "aria-selected": row.picked };
  for (const [name, value] of Object.entries(about)) node.setAttribute(name, String(value));
  if (row.open === null) node.removeAttribute("aria-expanded");
  else node.setAttribute("aria-expanded", String(row.open));
  const mark = row.mark ? `${SIGNS[row.mark]} ${row.mark}` : "";
  node.replaceChildren(
    element("span", { class: "lk-twist", "aria-hidden": "true", textContent: twist }),
    element("span", { class: "lk-name", textContent: `${row.name} ` }),
    element("span", { class: "lk-change", textContent: mark ? `${mark} ` : "" }),
    element("span", { class: "lk-size", textContent: row.size ? `${row.size} ` : "" }),
    element("span", { class: "lk-about", textContent: row.note }),
  );
}

/** @param {Map<string, HTMLElement>} nodes @param {string} key */
function drop(nodes, key) {
  nodes.get(key)?.remove();
  nodes.delete(key);
}

/** The row above to which this one belongs. @param {Row[]} rows @param {number} index */
function parentOf(rows, index) {
  const above = rows.slice(0, index).findLastIndex((row) => row.level < (rows[index]?.level ?? 0));
  return above < 0 ? index : above;
}

/** The next row whose name begins so. @param {Row[]} rows @param {number} index @param {string} letter */
function nextNamed(rows, index, letter) {
  const order = [...rows.keys()].map((step) => (index + 1 + step) % rows.length);
  return order.find((place) => rows[place]?.name.toLowerCase().startsWith(letter.toLowerCase())) ?? index;
}

/** @typedef {{ rows: Row[], move: (index: number) => void, open: (row: Row) => void, look: (row: Row) => void, toggle: (row: Row) => void }} Tree */

/** What a key does on this row. @param {string} key @param {Row} row @param {number} index @param {Tree} tree */
function keyAction(key, row, index, { rows, move, open, look, toggle }) {
  const down = () => move(index + 1);
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowDown: down,
    ArrowUp: () => move(index - 1),
    Home: () => move(0),
    End: () => move(rows.length - 1),
    ArrowRight: { true: down, false: () => toggle(row) }[String(row.open)] ?? (() => {}),
    ArrowLeft: row.open ? () => toggle(row) : () => move(parentOf(rows, index)),
    Enter: () => open(row),
    " ": () => look(row),
  };
  return keys[key] ?? (key.length === 1 ? () => move(nextNamed(rows, index, key)) : null);
}

// The tree: one element a row. Arrows, Home, End and letters move in it, Enter and a click open, Space only looks.
/** @param {LayersModel} model @param {Send} send */
function layerTree(model, send) {
  const tree = element("div", { class: "lk-tree", role: "tree", "aria-label": "Layers and their files, the topmost layer first" });
  /** @type {Map<string, HTMLElement>} */
  const nodes = new Map(); // by their rows' keys
  /** @type {Row[]} */
  let rows = [];
  /** @type {string | null} */
  let current = null; // the key of the row that has the focus, or would have it

  /** @param {Row} row */
  const look = (row) => (row.kind === "more" ? send({ do: "more", key: row.key }) : send({ do: "pick", key: row.key }));
  /** @param {Row} row */
  const toggle = (row) => send({ do: "toggle", key: row.key });
  /** @param {Row} row */
  const open = (row) => {
    look(row);
    if (row.open !== null) toggle(row);
  };
  /** @param {number} index */
  const move = (index) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (!row) return;
    if (current !== null) nodes.get(current)?.setAttribute("tabindex", "-1");
    current = row.key;
    focusOn(nodes.get(current), true);
  };
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    const index = rows.findIndex((row) => row.key === current);
    const row = rows[index];
    const does = row && !event.ctrlKey && !event.metaKey && !event.altKey ? keyAction(event.key, row, index, { rows, move, open, look, toggle }) : null;
    if (!does) return;
    does();
    event.preventDefault();
  };
  /** @param {Row} row */
  const made = (row) => {
    const node = focusable(element("div", { role: "treeitem", tabindex: "-1" }));
    node.addEventListener("keydown", press);
    node.addEventListener("focus", () => { if (current !== row.key) move(rows.findIndex((each) => each.key === row.key)); });
    node.addEventListener("click", () => {
      const index = rows.findIndex((each) => each.key === row.key);
      const now = rows[index];
      move(index);
      if (now) open(now);
    });
    return node;
  };
  const update = () => {
    const before = rows.findIndex((row) => row.key === current);
    const focused = tree.contains(document.activeElement);
    rows = model.get("rows");
    const wanted = new Set(rows.map((row) => row.key));
    for (const key of nodes.keys()) if (!wanted.has(key)) drop(nodes, key);
    let place = tree.firstChild;
    for (const row of rows) {
      const node = nodes.get(row.key) ?? made(row);
      nodes.set(row.key, node);
      fill(node, row);
      if (node === place) place = place.nextSibling;
      else tree.insertBefore(node, place);
    }
    if (current === null || !wanted.has(current)) current = rows[Math.max(0, Math.min(before, rows.length - 1))]?.key ?? null;
    if (current === null) return;
    focusOn(nodes.get(current), focused);
  };
  return { body: tree, update };
}

/** Tab comes to this row. @param {HTMLElement | undefined} node @param {boolean} now is it to have the focus already? */
function focusOn(node, now) {
  node?.setAttribute("tabindex", "0");
  if (now) node?.focus();
}

/** @param {Picked} about */
function layerDetails(about) {
  if (!about.title) return [];
  const traced = about.trace.length
    ? [element("h4", { textContent: "Layer by layer, from the top" }),
      element("ol", { class: "lk-trace" }, ...about.trace.map((row) =>
        element("li", { class: row.seen ? "lk-seen" : "" },
          element("strong", { textContent: `${row.layer}: ` }), row.text, row.seen ? element("span", { class: "lk-badge", textContent: "seen" }) : null)))]
    : [];
  const content = about.content.head
    ? [element("h4", { textContent: about.content.head }),
      ...(about.content.text ? [focusable(element("pre", { class: "lk-content", tabIndex: 0, role: "region", "aria-label": "Content of the file", textContent: about.content.text }))] : [])]
    : [];
  return [
    element("h4", { class: "lk-picked", textContent: about.title }),
    ...about.lines.map((line) => element("p", { textContent: line })),
    ...traced,
    ...content,
  ];
}

/** @param {import("./shared/model.js").Page<LayersTraits>} page */
function render({ model, el }) {
  const said = element("p", { class: "lk-layersaid", role: "status" });
  const { send } = voice(model);
  const tree = layerTree(model, send);
  const title = element("h3");
  const numbers = element("dl", { class: "lk-numbers" });
  const savings = element("details", { class: "lk-savings", open: true });
  const details = element("div", { class: "lk-details", "aria-live": "polite" });
  const identifier = unique("path");
  const path = focusable(element("input", { id: identifier, type: "text", class: "lk-path", spellcheck: false, autocomplete: "off", placeholder: "/etc/passwd" }));
  const trace = () => { if (path.value.trim()) send({ do: "trace", path: path.value }); };
  onEnter(path, trace);

  const root = element("section", { class: "labkit labkit-layers" },
    element("div", { class: "lk-heading" }, title, button("Look again", () => send({ do: "refresh" }), { title: "Read the layers as they are now" })),
    numbers,
    savings,
    said,
    element("div", { class: "lk-explorer" },
      tree.body,
      element("div", { class: "lk-side" },
        element("div", { class: "lk-asked" },
          element("label", { htmlFor: identifier, textContent: "Where does this path come from?" }),
          element("div", { class: "lk-tracerow" }, path, button("Trace", trace))),
        details)),
  );
  const unfollow = follow(model, {
    title: () => {
      title.textContent = model.get("title");
      root.setAttribute("aria-label", model.get("title"));
    },
    facts: () => numbers.replaceChildren(...model.get("facts").map((row) =>
      element("div", {}, element("dt", { textContent: row.name }), element("dd", {}, element("strong", { textContent: row.value }), element("span", { class: "lk-quiet", textContent: ` ${row.note}` }))))),
    findings: () => {
      const found = model.get("findings");
      const head = found.length ? `What would make it smaller (${found.length})` : "Nothing here is stored for nothing.";
      savings.replaceChildren(
        focusable(element("summary", { textContent: head })),
        element("ul", {}, ...found.map((row) => element("li", {}, ...spans(row.text), row.fix ? element("div", { class: "lk-fix" }, "→ ", ...spans(row.fix)) : null))),
      );
    },
    rows: tree.update,
    said: () => { said.textContent = model.get("said"); },
    picked: () => details.replaceChildren(...layerDetails(model.get("picked"))),
  });
  el.append(root);
  return unfollow;
}

export default page(render);
