// One of several options.
import { element, focusable, unique } from "../shared/element.js";
import { spans } from "../shared/prose.js";

/** @param {import("./form.js").FormRecord} form @param {import("./form.js").Draft} draft @returns {import("./form.js").Form} */
export function choiceForm({ options = [] }, draft) {
  const name = unique("choice");
  const lettered = options.some((option) => option.value !== option.text);
  const radios = options.map(({ value }) =>
    focusable(element("input", { type: "radio", name, value, checked: draft.get() === value, onchange: () => draft.set(value) })));
  const labels = options.map((option, index) => element("label", { class: "lk-choice" }, radios[index],
    element("span", {}, lettered ? element("strong", { textContent: `${option.value}) ` }) : null, ...spans(option.text))));
  return {
    body: element("fieldset", { class: "lk-choices" }, element("legend", { class: "lk-quiet", textContent: "Choose one" }), ...labels),
    read: () => radios.find((radio) => radio.checked)?.value ?? null,
    clear: () => radios.forEach((radio) => { radio.checked = false; }),
  };
}
