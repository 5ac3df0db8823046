// Draws the mount composer from the state that Python keeps (labkit/jupyter/composer.py).

const QUIET = 150; // milliseconds without a key after which what was typed is sent

// What is being typed into is left alone: the state that comes back may be older.
function put(control, value) {
  if (control.matches(":focus")) return;
  if (control.type === "checkbox") control.checked = Boolean(value);
  else if (control.value !== value) control.value = value;
}

function say(where, text) {
  if (where.textContent !== text) where.textContent = text;
}

function later(act) {
  let timer = null;
  const stop = () => clearTimeout(timer);
  return { start: () => { stop(); timer = setTimeout(act, QUIET); }, now: () => { stop(); act(); }, stop };
}

function partClass(piece) {
  return `lk-part lk-part-${((piece.number - 1) % 8) + 1}`;
}

// The characters of a flag: its parts with their numbers, the wrong ones marked.
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

function flagBlock(name, send) {
  const identifier = unique("flag");
  const area = focusable(element("textarea", { id: identifier, rows: 2, spellcheck: false, autocomplete: "off", autocapitalize: "off" }));
  const typed = later(() => send({ do: "write", flag: name, text: area.value }));
  area.addEventListener("input", typed.start);
  area.addEventListener("change", typed.now);
  area.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); typed.now(); } });
  const parts = element("div", { class: "lk-flag-parts" });
  const verdict = element("p", { class: "lk-verdict", role: "status" });
  const message = element("pre", { class: "lk-said" });
  const cause = element("p", { class: "lk-cause" });
  const notes = element("ul", { class: "lk-flag-notes" });
  const body = element("section", { class: "lk-flag", "aria-label": `The flag ${name}` },
    element("label", { htmlFor: identifier }, element("code", { textContent: name })), area, parts, verdict, message, cause, notes);
  let replaced = 0;
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

function control(field, identifier, fill) {
  if (field.kind === "switch") {
    return focusable(element("input", { type: "checkbox", id: identifier, onchange: (event) => fill(event.target.checked) }));
  }
  if (field.kind === "choice") {
    const options = field.name === "type" ? field.choices : ["", ...field.choices];
    return focusable(element("select", { id: identifier, onchange: (event) => fill(event.target.value) },
      ...options.map((choice) => element("option", { value: choice, textContent: choice || "not given" }))));
  }
  const tag = field.kind === "lines" ? ["textarea", { rows: 2 }] : ["input", { type: "text" }];
  const made = focusable(element(tag[0], { ...tag[1], id: identifier, class: "lk-typing", spellcheck: false, autocomplete: "off", autocapitalize: "off" }));
  const typed = later(() => fill(made.value));
  made.addEventListener("input", typed.start);
  made.addEventListener("change", typed.now);
  return made;
}

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
      if (field.kind === "choice" && ![...input.options].some((option) => option.value === value)) {
        input.append(element("option", { value, textContent: value }));
      }
      put(input, value);
      if (field.kind === "choice") input.value = value;
      row.hidden = !field.always && !field.types.includes(form.type);
    }
  };
  return { body: element("div", { class: "lk-fields" }, ...rows.map((each) => each.row)), update };
}

function legendTable(rows) {
  const headings = ["No.", "Part", "-v", "--mount", "What it says"];
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

function trying(model, send) {
  const [imageId, commandId, keepId] = ["image", "command", "keep"].map(unique);
  const text = { type: "text", class: "lk-typing", spellcheck: false, autocomplete: "off", autocapitalize: "off" };
  const image = focusable(element("input", { ...text, id: imageId, value: model.get("image") }));
  const command = focusable(element("input", { ...text, id: commandId, value: model.get("command") }));
  const keep = focusable(element("input", { type: "checkbox", id: keepId }));
  let usual = model.get("command");
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
      for (const name of Object.keys(flags)) able(flags[name], model.get("flags")[name].tone !== "none", `${name} cannot say this mount`);
    },
    tried: () => {
      const tried = model.get("tried");
      if (!tried.line) return;
      const did = tried.did.length ? tried.did : ["made no folder on the host, and no volume"];
      result.replaceChildren(
        element("pre", { class: "lk-typed", textContent: `# ${tried.line}` }),
        ...tried.pieces.map((piece) => element("pre", { class: piece.message ? "lk-message" : "", textContent: piece.text })),
        ...(tried.status ? [element("p", { class: "lk-status", textContent: `exit status ${tried.status}` })] : []),
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

function render({ model, el }) {
  const trouble = element("p", { class: "lk-trouble", role: "status" });
  const { send } = voice(model, (why) => say(trouble, why));
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
      for (const name of Object.keys(blocks)) blocks[name].update(model.get("flags")[name]);
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

export default { render };
