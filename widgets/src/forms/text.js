// A text; what is typed is sent once the typing pauses. Below a mount flag stands what each part of it is.
import { element, focusable, unique } from "../shared/element.js";
import { later } from "../shared/later.js";
import { follow } from "../shared/model.js";

const PAUSE = 250;

/** @param {import("./form.js").FormRecord} form @param {import("./form.js").Draft} draft
 * @param {import("../shared/model.js").Model<import("./form.js").FormTraits>} model @returns {import("./form.js").Form} */
export function textForm(form, draft, model) {
  const identifier = unique("text");
  const area = focusable(element("textarea", {
    id: identifier, rows: form.rows ?? 2, placeholder: form.placeholder ?? "", spellcheck: false, value: String(draft.get() ?? ""),
  }));
  const typed = later(PAUSE, () => draft.set(area.value));
  area.addEventListener("input", typed.start);
  area.addEventListener("blur", typed.settle);
  const parts = element("div", { class: "lk-parts", role: "status" });
  const unfollow = follow(model, {
    parts: () => {
      const now = model.get("parts");
      parts.replaceChildren(
        ...(now.parts ?? []).map((part) => element("span", { class: "lk-part", "data-part": part.name },
          element("span", { class: "lk-quiet", textContent: `${part.name} ` }), element("code", { textContent: part.text }))),
        now.message ? element("p", { class: "lk-note", textContent: `Docker would say: ${now.message}` }) : "");
    },
  });
  return {
    body: element("div", { class: "lk-text" }, element("label", { htmlFor: identifier, textContent: form.label ?? "Your answer" }), area, parts),
    read: () => area.value,
    clear: () => {
      typed.stop();
      area.value = "";
    },
    stop: () => {
      typed.settle();
      unfollow();
    },
  };
}
