// Draws the layers of an image or container from the rows that Python keeps (labkit/jupyter/layers.py).

const SIGNS = { added: "+", changed: "~", deleted: "−" };

// The tree: one element a row. Arrows, Home, End and letters move in it, Enter and a click open, Space only looks.
function layerTree(model, send) {
  const tree = element("div", { class: "lk-tree", role: "tree", "aria-label": "Layers and their files, the topmost layer first" });
  const nodes = new Map(); // key -> element
  let rows = [];
  let current = null; // the key of the row that has the focus, or would have it

  const look = (row) => (row.kind === "more" ? send({ do: "more", key: row.key }) : send({ do: "pick", key: row.key }));
  const open = (row) => {
    look(row);
    if (row.open !== null) send({ do: "toggle", key: row.key });
  };
  const move = (index) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (!row) return;
    if (current !== null) nodes.get(current)?.setAttribute("tabindex", "-1");
    current = row.key;
    nodes.get(current).setAttribute("tabindex", "0");
    nodes.get(current).focus();
  };
  const parent = (index) => {
    for (let above = index - 1; above >= 0; above -= 1) if (rows[above].level < rows[index].level) return above;
    return index;
  };
  const find = (letter, index) => {
    const order = [...rows.keys()].map((step) => (index + 1 + step) % rows.length);
    return order.find((place) => rows[place].name.toLowerCase().startsWith(letter.toLowerCase())) ?? index;
  };
  const press = (event) => {
    const index = rows.findIndex((row) => row.key === current);
    const row = rows[index];
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = {
      ArrowDown: () => move(index + 1),
      ArrowUp: () => move(index - 1),
      Home: () => move(0),
      End: () => move(rows.length - 1),
      ArrowRight: () => (row.open === false ? send({ do: "toggle", key: row.key }) : row.open && move(index + 1)),
      ArrowLeft: () => (row.open ? send({ do: "toggle", key: row.key }) : move(parent(index))),
      Enter: () => open(row),
      " ": () => look(row),
    };
    if (keys[event.key]) keys[event.key]();
    else if (event.key.length === 1) move(find(event.key, index));
    else return;
    event.preventDefault();
  };
  const fill = (node, row) => {
    const twist = row.open === null ? "" : row.open ? "▾" : "▸";
    node.className = `lk-treerow lk-kind-${row.kind}${row.mark ? ` lk-${row.mark}` : ""}`;
    node.style.setProperty("--lk-level", row.level - 1);
    const about = { "aria-level": row.level, "aria-posinset": row.place, "aria-setsize": row.of, "aria-selected": row.picked };
    for (const [name, value] of Object.entries(about)) node.setAttribute(name, value);
    if (row.open === null) node.removeAttribute("aria-expanded");
    else node.setAttribute("aria-expanded", row.open);
    const mark = row.mark ? `${SIGNS[row.mark]} ${row.mark}` : "";
    node.replaceChildren(
      element("span", { class: "lk-twist", "aria-hidden": "true", textContent: twist }),
      element("span", { class: "lk-name", textContent: `${row.name} ` }),
      element("span", { class: "lk-change", textContent: mark ? `${mark} ` : "" }),
      element("span", { class: "lk-size", textContent: row.size ? `${row.size} ` : "" }),
      element("span", { class: "lk-about", textContent: row.note }),
    );
  };
  const made = (row) => {
    const node = focusable(element("div", { role: "treeitem", tabindex: "-1" }));
    node.addEventListener("keydown", press);
    node.addEventListener("focus", () => { if (current !== row.key) move(rows.findIndex((each) => each.key === row.key)); });
    node.addEventListener("click", () => {
      const index = rows.findIndex((each) => each.key === row.key);
      move(index);
      open(rows[index]);
    });
    return node;
  };
  const update = () => {
    const before = rows.findIndex((row) => row.key === current);
    const focused = tree.contains(document.activeElement);
    rows = model.get("rows");
    const wanted = new Set(rows.map((row) => row.key));
    for (const [key, node] of nodes) {
      if (!wanted.has(key)) {
        node.remove();
        nodes.delete(key);
      }
    }
    let place = tree.firstChild;
    for (const row of rows) {
      if (!nodes.has(row.key)) nodes.set(row.key, made(row));
      const node = nodes.get(row.key);
      const text = JSON.stringify(row);
      if (node.dataset.row !== text) fill(node, row);
      node.dataset.row = text;
      if (node === place) place = place.nextSibling;
      else tree.insertBefore(node, place);
    }
    if (!wanted.has(current)) current = rows[Math.max(0, Math.min(before, rows.length - 1))]?.key ?? null;
    if (current === null) return;
    nodes.get(current).setAttribute("tabindex", "0");
    if (focused) nodes.get(current).focus();
  };
  return { body: tree, update };
}

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

function render({ model, el }) {
  const said = element("p", { class: "lk-layersaid", role: "status" });
  const { send } = voice(model, (why) => { said.textContent = why; });
  const tree = layerTree(model, send);
  const title = element("h3");
  const numbers = element("dl", { class: "lk-numbers" });
  const savings = element("details", { class: "lk-savings", open: true });
  const details = element("div", { class: "lk-details", "aria-live": "polite" });
  const identifier = unique("path");
  const path = focusable(element("input", { id: identifier, type: "text", class: "lk-path", spellcheck: false, autocomplete: "off", placeholder: "/etc/passwd" }));
  const trace = () => { if (path.value.trim()) send({ do: "trace", path: path.value }); };
  path.addEventListener("keydown", (event) => { if (event.key === "Enter") trace(); });

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

export default { render };
