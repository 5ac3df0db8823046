// The forms of exercises: each gives the element to fill in and a function that reads the answer from it.

function choiceForm(model, form, draft) {
  const name = unique("choice");
  const lettered = form.options.some((option) => option.value !== option.text);
  const radios = form.options.map((option) =>
    focusable(element("input", { type: "radio", name, value: option.value, checked: draft.get() === option.value, onchange: () => draft.set(option.value) })),
  );
  const body = element("fieldset", { class: "lk-choices" }, element("legend", { class: "lk-quiet", textContent: "Choose one" }));
  form.options.forEach((option, index) => {
    body.append(element("label", { class: "lk-choice" }, radios[index], element("span", {}, ...(lettered ? [element("strong", { textContent: `${option.value}) ` })] : []), ...spans(option.text))));
  });
  return {
    body,
    read: () => radios.find((radio) => radio.checked)?.value ?? null,
    clear: () => radios.forEach((radio) => { radio.checked = false; }),
  };
}

// A text; what is typed is sent once the typing pauses. Below a mount flag stands what each part of it is.
function textForm(model, form, draft) {
  const identifier = unique("text");
  let waiting = null;
  const settle = () => {
    if (waiting === null) return;
    clearTimeout(waiting);
    waiting = null;
    draft.set(area.value);
  };
  const typed = () => {
    clearTimeout(waiting);
    waiting = setTimeout(settle, 250);
  };
  const area = focusable(
    element("textarea", { id: identifier, rows: form.rows ?? 2, placeholder: form.placeholder ?? "", spellcheck: false, value: draft.get() ?? "", oninput: typed, onblur: settle }),
  );
  const label = element("label", { htmlFor: identifier, textContent: form.label ?? "Your answer" });
  const parts = element("div", { class: "lk-parts", role: "status" });
  const stop = follow(model, {
    parts: () => {
      const now = model.get("parts");
      parts.replaceChildren(
        ...(now.parts ?? []).map((part) => element("span", { class: "lk-part", "data-part": part.name },
          element("span", { class: "lk-quiet", textContent: `${part.name} ` }), element("code", { textContent: part.text }))),
        ...(now.message ? [element("p", { class: "lk-note", textContent: `Docker would say: ${now.message}` })] : []));
    },
  });
  return {
    body: element("div", { class: "lk-text" }, label, area, parts),
    read: () => area.value,
    clear: () => { clearTimeout(waiting); waiting = null; area.value = ""; },
    settle,
    stop,
  };
}

// Lines to bring into order: with the mouse a line is drawn to its place; with the keyboard its buttons, or the arrows on them.
function orderForm(model, form, draft) {
  const first = () => form.options.map((option) => option.value);
  let values = draft.get() ?? first();
  const texts = new Map(form.options.map((option) => [option.value, option.text]));
  const list = element("ol", { class: "lk-order" });
  const said = element("div", { class: "lk-unseen", role: "status" });
  const moveTo = (from, to) => {
    if (to < 0 || to >= values.length || to === from) return false;
    values = [...values];
    values.splice(to, 0, ...values.splice(from, 1));
    return true;
  };
  const tell = (index) => {
    draft.set(values);
    said.textContent = `${texts.get(values[index])} is now number ${index + 1} of ${values.length}`;
  };
  const move = (index, step) => {
    if (!moveTo(index, index + step)) return;
    fill();
    tell(index + step);
    const row = list.children[index + step];
    const wanted = row.querySelector(step < 0 ? ".lk-up" : ".lk-down");
    (wanted.disabled ? row.querySelector("button:not(:disabled)") : wanted)?.focus();
  };
  const drag = (event, started) => {
    if (event.button !== 0 || event.target.closest("button")) return;
    event.preventDefault();
    const origin = started;
    let at = started;
    const over = (moved) => {
      const rows = [...list.children];
      const below = rows.findIndex((row) => moved.clientY < row.getBoundingClientRect().bottom);
      const to = below < 0 ? rows.length - 1 : below;
      if (moveTo(at, to)) {
        at = to;
        fill();
      }
      list.children[at].classList.add("lk-dragged");
    };
    const end = (dropped) => {
      list.removeEventListener("pointermove", over);
      for (const name of ["pointerup", "pointercancel"]) list.removeEventListener(name, end);
      if (dropped.type === "pointercancel") moveTo(at, origin);
      else if (at !== origin) tell(at);
      fill();
    };
    list.setPointerCapture(event.pointerId);
    list.addEventListener("pointermove", over);
    for (const name of ["pointerup", "pointercancel"]) list.addEventListener(name, end);
  };
  const step = (value, by, name, sign, disabled) => button(sign, () => move(values.indexOf(value), by), {
    class: `lk-button ${name}`,
    disabled,
    "aria-label": `Move ${by < 0 ? "up" : "down"}: ${texts.get(value)}`,
    onkeydown: (event) => {
      const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!way) return;
      event.preventDefault();
      move(values.indexOf(value), way);
    },
  });
  const fill = () => {
    list.replaceChildren(...values.map((value, index) => element("li", { onpointerdown: (event) => drag(event, index) },
      element("span", { class: "lk-line" },
        element("span", { class: "lk-moves" },
          step(value, -1, "lk-up", "↑", index === 0),
          step(value, 1, "lk-down", "↓", index === values.length - 1)),
        element("code", { textContent: texts.get(value) })))));
  };
  fill();
  return {
    body: element("div", {}, element("p", { class: "lk-help lk-quiet", textContent: "Draw a line to its place, or use its buttons; on them the arrow keys work too." }), list, said),
    read: () => values,
    clear: () => { values = first(); fill(); },
  };
}

const WIDEST = 60; // characters of all marks together, where there is a column for each

function marksForm(model, form, draft) {
  const chosen = { ...(draft.get() ?? {}) };
  const mark = (item, value) => {
    chosen[item.value] = value;
    draft.set({ ...chosen });
  };
  const wide = form.options.reduce((length, option) => length + option.text.length + 3, 0) > WIDEST;
  const [head, row] = (wide ? marksBySelect : marksByRadio)(form, chosen, mark);
  const rows = form.items.map((item) => element("tr", {}, element("th", { scope: "row" }, element("code", { textContent: item.text })), ...row(item)));
  const body = element("tbody", {}, ...rows);
  return {
    body: element("div", { class: "lk-wide" }, element("table", { class: "lk-marks" }, element("thead", {}, element("tr", {}, ...head)), body)),
    read: () => Object.fromEntries(Object.entries(chosen).filter(([, value]) => value)),
    clear: () => {
      for (const name of Object.keys(chosen)) delete chosen[name];
      body.querySelectorAll("input").forEach((input) => { input.checked = false; });
      body.querySelectorAll("select").forEach((select) => { select.value = ""; });
    },
  };
}

function marksByRadio(form, chosen, mark) {
  const head = [element("td", {}), ...form.options.map((option) => element("th", { scope: "col" }, ...spans(option.text)))];
  return [head, (item) => {
    const name = unique("mark");
    return form.options.map((option) => element("td", {}, element("label", { class: "lk-mark-place" },
      focusable(element("input", {
        type: "radio", name, value: option.value, checked: chosen[item.value] === option.value,
        "aria-label": `${item.text}: ${option.text}`, onchange: () => mark(item, option.value),
      })))));
  }];
}

function marksBySelect(form, chosen, mark) {
  const head = [element("td", {}), element("th", { scope: "col", textContent: "Mark" })];
  return [head, (item) => {
    const select = focusable(element("select", { "aria-label": item.text, onchange: () => mark(item, select.value) },
      element("option", { value: "", textContent: "choose…" }),
      ...form.options.map((option) => element("option", { value: option.value, textContent: option.text }))));
    select.value = chosen[item.value] ?? "";
    return [element("td", {}, select)];
  }];
}

const FORMS = { choice: choiceForm, text: textForm, order: orderForm, marks: marksForm };
