// Draws an exercise from the state that Python keeps (labkit/jupyter/exercise.py) and sends back what the learner does.
// Every text goes in as textContent, every picture as the address of an <img>: nothing that a machine, a file name or an
// exercise says is ever read as markup. Elements that can have the focus carry data-lm-suppress-shortcuts, so that the
// keys pressed there do not reach the notebook.

// A name that no other exercise on the page has (each has its own copy of this module, so a counter would not do).
const unique = (what) => `lk-${what}-${Math.random().toString(36).slice(2)}`;

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && !key.includes("-") && key !== "list") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function focusable(made) {
  made.setAttribute("data-lm-suppress-shortcuts", "true");
  made.addEventListener("keydown", (event) => event.stopPropagation());
  return made;
}

function button(text, action, extra = {}) {
  return focusable(element("button", { type: "button", textContent: text, onclick: action, class: "lk-button", ...extra }));
}

// A little of Markdown, as elements: paragraphs, lists, indented or fenced blocks, `code` and **bold**.
function prose(text) {
  const made = element("div", { class: "lk-prose" });
  let open = null; // the element that the next line may still belong to, and its lines
  const close = () => {
    if (open?.name === "p") made.append(element("p", {}, ...spans(open.lines.join(" "))));
    if (open?.name === "ul") made.append(element("ul", {}, ...open.lines.map((line) => element("li", {}, ...spans(line)))));
    if (open?.name === "pre") made.append(element("pre", {}, element("code", { textContent: open.lines.join("\n").replace(/\s+$/, "") })));
    open = null;
  };
  const into = (name, line) => {
    if (open?.name !== name) {
      close();
      open = { name, lines: [] };
    }
    open.lines.push(line);
  };
  let fenced = false;
  for (const line of text.split("\n")) {
    if (line.startsWith("```")) {
      fenced = !fenced;
      close();
    } else if (fenced) into("pre", line);
    else if (/^ {4}/.test(line) && (open === null || open.name === "pre")) into("pre", line.slice(4));
    else if (!line.trim()) open?.name === "pre" ? open.lines.push("") : close();
    else if (/^[-*] /.test(line)) into("ul", line.slice(2));
    else if (/^\s/.test(line) && open?.name === "ul") open.lines[open.lines.length - 1] += ` ${line.trim()}`;
    else into("p", line.trim());
  }
  close();
  return made;
}

function spans(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.length > 2 && part.startsWith("`") && part.endsWith("`")) return element("code", { textContent: part.slice(1, -1) });
    if (part.length > 4 && part.startsWith("**")) return element("strong", { textContent: part.slice(2, -2) });
    return document.createTextNode(part);
  });
}

function drawing(heading, picture) {
  const image = picture.src
    ? element("img", { src: picture.src, alt: picture.alt, width: picture.width })
    : element("p", { textContent: picture.alt });
  return [
    element("h4", { textContent: heading }),
    element("div", { class: "lk-image" }, image),
    element("details", {}, focusable(element("summary", { textContent: "The same in words" })), element("pre", { textContent: picture.text })),
  ];
}

// The forms: each gives the element to fill in and a function that reads the answer from it.

function terminalForm(model, send) {
  const log = focusable(element("div", { class: "lk-log", role: "log", tabIndex: 0, "aria-label": "Terminal output", "aria-live": "polite" }));
  const input = focusable(
    element("input", { class: "lk-input", type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: false, "aria-label": "Command" }),
  );
  const history = () => model.get("log").map((entry) => entry.line);
  let place = null;
  let typed = "";
  const recall = (step) => {
    const lines = history();
    if (place === null) typed = input.value;
    const next = (place === null ? lines.length : place) + step;
    if (next < 0) return;
    place = next >= lines.length ? null : next;
    input.value = place === null ? typed : lines[place];
    input.setSelectionRange(input.value.length, input.value.length);
  };
  const run = () => {
    if (input.value.trim() || model.get("prompt") === "> ") send({ do: "run", line: input.value });
    input.value = "";
    place = null;
  };
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!text.includes("\n")) return;
    event.preventDefault();
    send({ do: "run", line: input.value + text.replace(/\r\n?/g, "\n").replace(/\n$/, "") });
    input.value = "";
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      run();
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      recall(event.key === "ArrowUp" ? -1 : 1);
    } else if (event.key === "Escape") {
      input.value = "";
    }
  });
  const line = (entry) => [
    element("div", { class: "lk-typed" }, element("span", { textContent: entry.prompt }), element("span", { textContent: entry.line })),
    ...entry.pieces.map((piece) => element("pre", { class: piece.message ? "lk-message" : "", textContent: piece.text })),
    ...(entry.status ? [element("div", { class: "lk-status", textContent: `exit status ${entry.status}` })] : []),
  ];
  let shown = [];
  const update = () => {
    const entries = model.get("log");
    const texts = entries.map((entry) => JSON.stringify(entry));
    const grown = shown.length <= texts.length && shown.every((text, index) => text === texts[index]);
    if (!grown) log.replaceChildren();
    log.append(...entries.slice(grown ? shown.length : 0).flatMap(line));
    shown = texts;
    log.scrollTop = log.scrollHeight;
    log.classList.toggle("lk-empty", entries.length === 0);
  };
  const prompt = element("span", { class: "lk-prompt", "aria-hidden": "true" });
  const ask = () => { prompt.textContent = model.get("prompt"); };
  model.on("change:prompt", ask);
  ask();
  const row = element("div", { class: "lk-row" }, prompt, input, button("Run", () => { run(); input.focus(); }));
  model.on("change:log", update);
  update();
  const pane = element("div", { class: "lk-editor" });
  const edit = () => {
    const open = model.get("editor");
    const wasOpen = pane.firstChild !== null;
    pane.replaceChildren();
    if (!open.path) {
      if (wasOpen) input.focus();
      return;
    }
    const identifier = unique("file");
    const area = focusable(element("textarea", { id: identifier, rows: 10, spellcheck: false, value: open.text }));
    pane.append(
      element("label", { htmlFor: identifier, textContent: `File ${open.path}` }),
      area,
      element("div", { class: "lk-buttons" },
        button("Save", () => send({ do: "save", text: area.value }), { class: "lk-button lk-main" }),
        button("Close without saving", () => send({ do: "close" }))),
    );
    area.focus();
    area.setSelectionRange(0, 0);
  };
  model.on("change:editor", edit);
  edit();
  const help = element("p", { class: "lk-help lk-quiet" }, ...spans("`nano FILE` opens a file to edit. Arrow up brings earlier commands back."));
  return {
    body: element("div", {}, element("div", { class: "lk-terminal" }, log, row), pane, help),
    read: () => null,
    stop: () => { model.off("change:log", update); model.off("change:editor", edit); model.off("change:prompt", ask); },
  };
}

function choiceForm(model, form, draft) {
  const name = unique("choice");
  const radios = form.options.map((option) =>
    focusable(element("input", { type: "radio", name, value: option.value, checked: draft.get() === option.value, onchange: () => draft.set(option.value) })),
  );
  const body = element("fieldset", { class: "lk-choices" }, element("legend", { class: "lk-quiet", textContent: "Choose one" }));
  form.options.forEach((option, index) => {
    body.append(element("label", { class: "lk-choice" }, radios[index], element("span", {}, ...spans(option.text))));
  });
  return {
    body,
    read: () => radios.find((radio) => radio.checked)?.value ?? null,
    clear: () => radios.forEach((radio) => { radio.checked = false; }),
  };
}

function textForm(model, form, draft) {
  const identifier = unique("text");
  const area = focusable(
    element("textarea", { id: identifier, rows: form.rows ?? 2, placeholder: form.placeholder ?? "", spellcheck: false, value: draft.get() ?? "", oninput: () => draft.set(area.value) }),
  );
  const label = element("label", { htmlFor: identifier, textContent: form.label ?? "Your answer" });
  return { body: element("div", { class: "lk-text" }, label, area), read: () => area.value, clear: () => { area.value = ""; } };
}

function orderForm(model, form, draft) {
  let values = draft.get() ?? form.options.map((option) => option.value);
  const texts = new Map(form.options.map((option) => [option.value, option.text]));
  const list = element("ol", { class: "lk-order" });
  const said = element("div", { class: "lk-unseen", role: "status" });
  const move = (index, step) => {
    const other = index + step;
    if (other < 0 || other >= values.length) return;
    values = [...values];
    [values[index], values[other]] = [values[other], values[index]];
    draft.set(values);
    fill();
    const row = list.children[other];
    const wanted = row.querySelector(step < 0 ? ".lk-up" : ".lk-down");
    (wanted.disabled ? row.querySelector("button:not(:disabled)") : wanted)?.focus();
    said.textContent = `${texts.get(values[other])} is now number ${other + 1} of ${values.length}`;
  };
  const fill = () => {
    list.replaceChildren(
      ...values.map((value, index) => {
        const text = texts.get(value);
        const up = button("↑", () => move(index, -1), { class: "lk-button lk-up", disabled: index === 0, "aria-label": `Move up: ${text}` });
        const down = button("↓", () => move(index, 1), { class: "lk-button lk-down", disabled: index === values.length - 1, "aria-label": `Move down: ${text}` });
        return element("li", {}, element("span", { class: "lk-moves" }, up, down), element("code", { textContent: text }));
      }),
    );
  };
  fill();
  return { body: element("div", {}, list, said), read: () => values, clear: () => { values = form.options.map((option) => option.value); fill(); } };
}

function marksForm(model, form, draft) {
  const chosen = { ...(draft.get() ?? {}) };
  const selects = form.items.map((item) => {
    const select = focusable(
      element("select", { "aria-label": item.text, onchange: () => { chosen[item.value] = select.value; draft.set({ ...chosen }); } },
        element("option", { value: "", textContent: "choose…" }),
        ...form.options.map((option) => element("option", { value: option.value, textContent: option.text })),
      ),
    );
    select.value = chosen[item.value] ?? "";
    return select;
  });
  const rows = form.items.map((item, index) =>
    element("li", {}, element("code", { textContent: item.text }), selects[index]),
  );
  return {
    body: element("ul", { class: "lk-marks" }, ...rows),
    read: () => Object.fromEntries(form.items.map((item, index) => [item.value, selects[index].value]).filter(([, value]) => value)),
    clear: () => selects.forEach((select) => { select.value = ""; }),
  };
}

const FORMS = { choice: choiceForm, text: textForm, order: orderForm, marks: marksForm };

const LOST = "The kernel was restarted, so nothing answers here. Run this cell again; what you checked is saved.";

function render({ model, el }) {
  // After a restart of the kernel nobody hears what is sent, and sending throws: say so, where the answer would stand.
  const lost = () => {
    feedback.dataset.tone = "error";
    feedback.replaceChildren(element("p", { class: "lk-verdict", textContent: LOST }));
  };
  const heard = (say) => {
    try {
      Promise.resolve(say()).catch(lost);
    } catch {
      lost();
    }
  };
  const send = (message) => heard(() => model.send(message));
  const draft = {
    get: () => model.get("draft"),
    set: (value) => { model.set("draft", value); heard(() => model.save_changes()); },
  };
  const kind = model.get("form").type;
  const terminal = kind === "terminal" || model.get("explore") ? terminalForm(model, send) : null;
  const form = kind === "terminal" ? terminal : FORMS[kind](model, model.get("form"), draft);
  const around = terminal && terminal !== form
    ? [element("p", { class: "lk-quiet", textContent: "Look around on the machine; what you do here is no part of the answer." }), terminal.body]
    : [];

  const points = model.get("points");
  const standing = element("span", { class: "lk-standing" });
  const heading = element("div", { class: "lk-heading" },
    element("h3", { textContent: model.get("title") }),
    element("span", { class: "lk-quiet", textContent: `${points} point${points === 1 ? "" : "s"}` }),
    standing,
  );
  const feedback = element("div", { class: "lk-feedback", role: "status", "aria-live": "polite" });
  const hints = element("ol", { class: "lk-hints", "aria-live": "polite" });
  const solutions = element("div", { class: "lk-solutions", "aria-live": "polite" });
  const pictures = element("div", { class: "lk-pictures" });

  const check = button("Check", () => send({ do: "check", answer: form.read() }), { class: "lk-button lk-main" });
  const hint = button("Hint", () => send({ do: "hint" }));
  const undo = button("Undo", () => send({ do: "undo" }));
  const reset = button("Reset", () => { form.clear?.(); send({ do: "reset" }); });
  const solution = button("Solution", () => send({ do: "solution" }));
  const earlier = button("Bring back my last answer", () => send({ do: "bring back" }));
  const buttons = element("div", { class: "lk-buttons", role: "group", "aria-label": "What to do" },
    check, hint, ...(terminal ? [undo] : []), reset, solution, earlier);

  // A button that can do nothing now stays where the keyboard finds it and says why.
  const able = (which, can, why) => {
    which.setAttribute("aria-disabled", can ? "false" : "true");
    which.title = can ? "" : why;
  };
  const updates = {
    standing: () => { standing.textContent = model.get("standing"); },
    hints_left: () => {
      const left = model.get("hints_left");
      hint.textContent = left ? `Hint (${left} left)` : "No more hints";
      able(hint, left > 0, "All hints are open");
    },
    hints: () => {
      const open = model.get("hints");
      while (hints.children.length > open.length) hints.lastChild.remove();
      for (const text of open.slice(hints.children.length)) hints.append(element("li", {}, prose(text)));
    },
    earlier: () => { earlier.hidden = !model.get("earlier"); },
    can_undo: () => able(undo, model.get("can_undo"), "Nothing was run yet"),
    may_see_solution: () => able(solution, model.get("may_see_solution"), "Opens after your first try"),
    solutions: () => {
      solutions.replaceChildren(...model.get("solutions").flatMap((route) => [
        element("h4", { textContent: route.name ? `Solution: ${route.name}` : "Solution" }),
        element("pre", { textContent: route.text }),
      ]));
    },
    feedback: () => {
      const said = model.get("feedback");
      feedback.dataset.tone = said.tone ?? "";
      if (!said.title) { feedback.replaceChildren(); return; }
      feedback.replaceChildren(
        element("p", { class: "lk-verdict", textContent: said.title }),
        ...(said.reply ? [prose(said.reply)] : []),
        element("ul", { class: "lk-checks" }, ...said.items.map((item) =>
          element("li", { class: item.ok ? "lk-ok" : "lk-open" },
            element("span", { class: "lk-mark", textContent: item.ok ? "✓ done: " : "○ open: " }),
            ...spans(item.text),
            item.note && !item.ok ? element("div", { class: "lk-note" }, ...spans(item.note)) : null),
        )),
      );
    },
    picture: () => {
      const now = model.get("picture");
      const goal = model.get("goal");
      const wasOpen = [...pictures.querySelectorAll("details")].map((details) => details.open);
      pictures.replaceChildren();
      if (now.text) pictures.append(element("section", {}, ...drawing(kind === "terminal" ? "Your machine" : "The machine", now)));
      if (goal.text) pictures.append(element("section", {}, ...drawing("The goal", goal)));
      pictures.querySelectorAll("details").forEach((details, index) => { details.open = wasOpen[index] ?? false; });
    },
  };
  const root = element("section", { class: "labkit-exercise", "aria-label": `Exercise: ${model.get("title")}` },
    heading,
    element("div", { class: "lk-columns" },
      element("div", { class: "lk-work" }, prose(model.get("task")), ...around, form.body, buttons, feedback, hints, solutions),
      pictures,
    ),
  );
  for (const [trait, update] of Object.entries(updates)) {
    model.on(`change:${trait}`, update);
    update();
  }
  el.append(root);
  return () => {
    for (const [trait, update] of Object.entries(updates)) model.off(`change:${trait}`, update);
    terminal?.stop();
  };
}

export default { render };
