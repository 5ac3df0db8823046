// What is said of the answer, of the checks as they are now, and what helps.
import { able, button, element } from "../shared/element.js";
import { prose, spans } from "../shared/prose.js";
import { ABOUT_A_MACHINE, checkList } from "./checks.js";
import { comparison } from "./comparison.js";

/** @typedef {import("./traits.js").ExerciseModel} ExerciseModel */
/** @typedef {import("./traits.js").Part} Part */
/** @typedef {import("../shared/model.js").Send} Send */

/** @type {Record<string, string>} */
const SIGNS = { right: "✓ ", "not yet": "○ " };

/** @param {ExerciseModel} model */
export function goalsOf(model) {
  const body = element("div", { class: "lk-goals" });
  let checked = false; // until then the task says what is asked for, and the checks' own words would give it away
  const title = element("p", { class: "lk-goals-title", role: "status", "aria-live": "polite" });
  const goals = () => {
    const now = model.get("goals");
    body.hidden = !now.title;
    if (!now.title) return;
    title.textContent = `${now.title}.`;
    checked ||= Boolean(model.get("feedback").title);
    body.replaceChildren(title, ...(checked ? [checkList((now.items ?? []).map((item) => ({ ...item, note: "" })), ABOUT_A_MACHINE)] : []));
  };
  return { body, update: goals, updates: { goals } };
}

/** @param {ExerciseModel} model @param {import("./checks.js").Words | null} words null: the checks are among the goals @param {() => void} then */
export function feedbackOf(model, words, then) {
  const body = element("div", { class: "lk-feedback", role: "status", "aria-live": "polite" });
  /** @param {import("./traits.js").Feedback} said */
  const tell = ({ tone = "", title = "", items = [], reply = "" }) => {
    body.dataset.tone = tone;
    body.replaceChildren();
    if (!title) return;
    body.append(element("p", { class: "lk-verdict" }, ...spans((SIGNS[tone] ?? "") + title)));
    if (reply) body.append(prose(reply));
    if (words) body.append(checkList(items, words));
  };
  return { body, updates: { feedback: () => { tell(model.get("feedback")); then(); } } };
}

/** @param {ExerciseModel} model @returns {Part} */
export function comparedOf(model) {
  const body = element("div", { class: "lk-outcome" });
  return { body, updates: { compared: () => body.replaceChildren(...comparison(model.get("compared"))) } };
}

/** @param {ExerciseModel} model @param {Send} send */
export function hintsOf(model, send) {
  const press = button("Hint", () => send({ do: "hint" }));
  const body = element("ol", { class: "lk-hints", "aria-live": "polite" });
  /** @type {Part["updates"]} */
  const updates = {
    hints_left: () => {
      const left = model.get("hints_left");
      press.textContent = left ? `Hint (${left} left)` : "No more hints";
      able(press, left > 0, "All hints are open");
    },
    hints: () => {
      const open = model.get("hints");
      while (body.children.length > open.length) body.lastChild?.remove();
      for (const text of open.slice(body.children.length)) body.append(element("li", {}, prose(text)));
    },
  };
  return { press, body, updates };
}

/** @param {ExerciseModel} model @param {Send} send */
export function solutionsOf(model, send) {
  const press = button("Solution", () => send({ do: "solution" }));
  const body = element("div", { class: "lk-solutions", "aria-live": "polite" });
  /** @type {Part["updates"]} */
  const updates = {
    may_see_solution: () => {
      const may = model.get("may_see_solution");
      press.textContent = may ? "Solution" : "Solution (after a try)";
      able(press, may, "Check an answer of your own first; then it opens");
    },
    solutions: () => body.replaceChildren(...model.get("solutions").flatMap((route) => [
      element("h4", { textContent: route.name ? `Solution: ${route.name}` : "Solution" }),
      element("pre", { textContent: route.text }),
    ])),
  };
  return { press, body, updates };
}
