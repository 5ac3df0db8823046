// Draws an exercise from the state that Python keeps (labkit/jupyter/exercise.py) and sends back what the learner does.

function render({ model, el }) {
  const lost = (why) => {
    feedback.dataset.tone = "error";
    feedback.replaceChildren(element("p", { class: "lk-verdict", textContent: why }));
  };
  const { send, set } = voice(model, lost);
  const draft = { get: () => model.get("draft"), set: (value) => set("draft", value) };
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
  const root = element("section", { class: "labkit labkit-exercise", "aria-label": `Exercise: ${model.get("title")}` },
    heading,
    element("div", { class: "lk-columns" },
      element("div", { class: "lk-work" }, prose(model.get("task")), ...around, form.body, buttons, feedback, hints, solutions),
      pictures,
    ),
  );
  const unfollow = follow(model, updates);
  el.append(root);
  return () => {
    unfollow();
    terminal?.stop();
  };
}

export default { render };
