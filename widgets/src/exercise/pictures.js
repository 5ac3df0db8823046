// The goal, the machine, and what a form's answer led to, below each other.
import { drawing } from "../shared/drawing.js";
import { element } from "../shared/element.js";

/** @param {import("./traits.js").ExerciseModel} model @param {string} machine what the machine is called @returns {import("./traits.js").Part} */
export function pictures(model, machine) {
  const body = element("div", { class: "lk-pictures" });
  const show = () => {
    const wasOpen = [...body.querySelectorAll("details")].map((details) => details.open);
    const reached = model.get("reached");
    const differs = (reached.differs ?? []).map((text) => element("li", { textContent: text }));
    const list = differs.length ? element("ul", { class: "lk-differences", "aria-label": "What differs from the machine" }, ...differs) : null;
    body.replaceChildren(
      ...drawing("The goal", model.get("goal")), ...drawing(machine, model.get("picture")), ...drawing("After your answer", reached, list));
    body.querySelectorAll("details").forEach((details, index) => { details.open = wasOpen[index] ?? false; });
  };
  return { body, updates: { picture: show, goal: show, reached: show } };
}
