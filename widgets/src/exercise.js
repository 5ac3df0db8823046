// Draws an exercise from the state that Python keeps (labkit/jupyter/exercise.py) and sends back what the learner does.
import "./exercise.css";
import { ABOUT_A_MACHINE, ABOUT_AN_ANSWER } from "./exercise/checks.js";
import { comparedOf, feedbackOf, goalsOf, hintsOf, solutionsOf } from "./exercise/outcome.js";
import { pictures } from "./exercise/pictures.js";
import { choiceForm } from "./forms/choice.js";
import { marksForm } from "./forms/marks.js";
import { orderForm } from "./forms/order.js";
import { textForm } from "./forms/text.js";
import { keeping } from "./kept/keeping.js";
import { able, button, element, folded } from "./shared/element.js";
import { follow, voice } from "./shared/model.js";
import { page } from "./shared/page.js";
import { goToNext } from "./shared/notebook.js";
import { prose, spans } from "./shared/prose.js";
import { clickGoesTo } from "./shared/workplace.js";
import { terminal } from "./terminal/terminal.js";

/** @typedef {import("./exercise/traits.js").ExerciseTraits} ExerciseTraits */
/** @typedef {import("./exercise/traits.js").ExerciseModel} ExerciseModel */
/** @typedef {import("./forms/form.js").Form} Form */

/** @type {Record<string, (form: import("./forms/form.js").FormRecord, draft: import("./forms/form.js").Draft, model: ExerciseModel) => Form>} */
const FORMS = { choice: choiceForm, text: textForm, order: orderForm, marks: marksForm };
const ANSWERED_BY_MARKS = ["mark", "predict", "choose"];
const TERMINAL_HELP = "`help` says what can be done here. Escape and then Tab or Shift+Tab leaves the terminal; Shift+Enter goes on to the next cell.";

/** @param {import("./shared/model.js").Page<ExerciseTraits>} page */
function render({ model, el }) {
  let stop = draw(model, el);
  const again = () => {
    const hadFocus = el.contains(document.activeElement);
    stop();
    stop = draw(model, el);
    const drawn = el.querySelector(".labkit");
    if (hadFocus && drawn instanceof HTMLElement) drawn.focus();
  };
  model.on("change:round", again);
  return () => {
    model.off("change:round", again);
    stop();
  };
}

/** What the answer is given in: a form, the terminal, or a form with a terminal to look around.
 * @param {ExerciseModel} model @param {ReturnType<typeof voice<ExerciseTraits>>} said */
function answering(model, { send, set }) {
  const record = model.get("form");
  const make = FORMS[record.type];
  const line = !make || model.get("explore") ? terminal(model, send) : null;
  const form = make?.(record, { get: () => model.get("draft"), set: (answer) => set("draft", answer) }, model);
  const undo = button("Undo", () => {
    send({ do: "undo" });
    line?.input.focus();
  });
  const help = element("p", { class: "lk-help lk-quiet" }, ...spans(TERMINAL_HELP));
  const typed = line ? [line.body, help] : [];
  const around = folded("Look around on the machine (no part of the answer)", { class: "lk-around" }, ...typed, undo).body;
  return {
    parts: form ? [...(line ? [around] : []), form.body] : typed,
    undo: form ? [] : [undo],
    home: () => (form ? null : line?.input ?? null),
    read: () => form?.read() ?? null,
    clear: () => form?.clear(),
    updates: { can_undo: () => able(undo, model.get("can_undo"), "Nothing was run yet") },
    stop: () => {
      form?.stop?.();
      line?.stop();
    },
  };
}

/** @param {ExerciseModel} model */
function headingOf(model) {
  const points = model.get("points");
  const standing = element("span", { class: "lk-standing" });
  const body = element("div", { class: "lk-heading" },
    element("h3", { textContent: model.get("title") }),
    element("span", { class: "lk-quiet", textContent: `${points} point${points === 1 ? "" : "s"}` }),
    standing);
  return { body, updates: { standing: () => { standing.textContent = model.get("standing") === "Solved" ? "✓ Solved" : model.get("standing"); } } };
}

/** @param {ExerciseModel} model @param {HTMLElement} el */
function draw(model, el) {
  const inTerminal = model.get("form").type === "terminal";
  const words = ANSWERED_BY_MARKS.includes(model.get("kind")) ? ABOUT_AN_ANSWER : ABOUT_A_MACHINE;
  const goals = goalsOf(model);
  const feedback = feedbackOf(model, inTerminal ? null : words, goals.update);
  const said = voice(model);
  const { send } = said;
  const answer = answering(model, said);
  const [heading, compared] = [headingOf(model), comparedOf(model)];
  const [hints, solutions] = [hintsOf(model, send), solutionsOf(model, send)];
  const seen = pictures(model, inTerminal ? "Your machine" : "The machine");
  const kept = keeping(model, send);
  const best = element("p", { class: "lk-best lk-quiet" });
  const trouble = element("p", { class: "lk-trouble", role: "status" });
  const toPrompt = () => answer.home()?.focus({ preventScroll: true });
  const check = button("Check", () => {
    send({ do: "check", answer: answer.read() });
    toPrompt();
  }, { class: "lk-button lk-main" });
  hints.press.addEventListener("click", toPrompt);
  const next = button("Next", () => { if (!goToNext(root)) next.textContent = "This is the last one"; }, { title: "On to the next exercise or section" });
  const reset = button("Reset", () => {
    answer.clear();
    send({ do: "reset" });
  });
  const earlier = button("", () => send({ do: "bring back" }));
  const buttons = element("div", { class: "lk-buttons", role: "group", "aria-label": "What to do" },
    check, hints.press, ...answer.undo, reset, solutions.press, earlier, next);
  const root = element("section", { class: "labkit labkit-exercise", tabIndex: -1, "aria-label": `Exercise: ${model.get("title")}` },
    heading.body, kept.offer,
    prose(model.get("task")),
    element("div", { class: "lk-columns" },
      seen.body,
      element("div", { class: "lk-work" }, ...answer.parts, goals.body, buttons, trouble,
        feedback.body, compared.body, best, hints.body, solutions.body)));
  clickGoesTo(root, answer.home);
  const unfollow = follow(model, {
    ...heading.updates, ...hints.updates, ...answer.updates, ...solutions.updates, ...goals.updates, ...feedback.updates,
    ...compared.updates, ...seen.updates,
    earlier: () => {
      const number = model.get("earlier");
      earlier.hidden = !number;
      earlier.textContent = `Bring back my ${number} command${number === 1 ? "" : "s"}`;
    },
    best: () => { best.textContent = model.get("best"); },
    trouble: () => { trouble.textContent = model.get("trouble"); },
  });
  el.append(root);
  return () => {
    unfollow();
    kept.stop();
    answer.stop();
    root.remove();
  };
}

export default page(render);
