// The goal, the machine, and what a form's answer led to.
import { drawing } from "../shared/drawing.js";
import { element } from "../shared/element.js";

/** @param {import("./traits.js").ExerciseModel} model @param {string} machine what the machine is called @returns {import("./traits.js").Part} */
export function pictures(model, machine) {
  const [goal, now, after] = ["The goal", machine, "After your answer"].map((heading) => drawing(heading, `Picture: ${heading}`));
  const body = element("div", { class: "lk-pictures" }, goal?.body, now?.body, after?.body);
  const reached = () => {
    const found = model.get("reached");
    const differs = (found.differs ?? []).map((text) => element("li", { textContent: text }));
    const list = differs.length ? element("ul", { class: "lk-differences", "aria-label": "What differs from the machine" }, ...differs) : null;
    after?.show(found, list);
  };
  return { body, updates: { picture: () => now?.show(model.get("picture")), goal: () => goal?.show(model.get("goal")), reached } };
}
