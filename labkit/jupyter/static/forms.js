// The forms of exercises: each gives the element to fill in and a function that reads the answer from it.

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
