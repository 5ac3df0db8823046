// Draws an exercise from the state that Python keeps (labkit/jupyter/exercise.py) and sends back what the learner does.

function render({ model, el }) {
  let stop = draw(model, el);
  const again = () => {
    const hadFocus = el.contains(document.activeElement);
    stop();
    stop = draw(model, el);
    if (hadFocus) el.querySelector(".labkit").focus();
  };
  model.on("change:round", again);
  return () => { model.off("change:round", again); stop(); };
}

// A check's line: a sign and a word, so that the colour is not all.
const ABOUT_A_MACHINE = ["○ open: ", "✓ done: "];
const ABOUT_AN_ANSWER = ["✗ wrong: ", "✓ right: "];
function checkLine(item, words = ABOUT_A_MACHINE) {
  return element("li", { class: item.ok ? "lk-ok" : "lk-open" },
    element("span", { class: "lk-mark", textContent: words[Number(item.ok)] }),
    ...spans(item.text),
    item.note && !item.ok ? element("div", { class: "lk-note" }, ...spans(item.note)) : null);
}

// What was predicted beside what is printed; the first line that differs has a sign, the first character a mark.
function comparison(found) {
  const cell = (row, index, text) => {
    if (text === null) return element("td", {}, element("span", { class: "lk-quiet", textContent: "(no line)" }));
    const split = index === found.row ? [text.slice(0, found.column), text.slice(found.column)] : [text, ""];
    return element("td", {}, element("code", {}, split[0], split[1] ? element("mark", { textContent: split[1] }) : null));
  };
  const sign = (row, index) => {
    if (row.same) return ["=", "the same"];
    return index === found.row ? ["▶", "first difference"] : ["≠", "different"];
  };
  const rows = found.rows.map((row, index) => {
    const [mark, word] = sign(row, index);
    return element("tr", { class: row.same ? "" : "lk-differs" },
      element("th", { scope: "row", title: word }, element("span", { "aria-hidden": "true", textContent: mark }), element("span", { class: "lk-unseen", textContent: word })),
      cell(row, index, row.said), cell(row, index, row.real));
  });
  const head = ["", "You said", "It prints"].map((text) => (text ? element("th", { scope: "col", textContent: text }) : element("td", {})));
  const note = found.row < 0 ? "The same." : "▶ is the first line that differs; what differs in it is underlined.";
  return [
    element("table", { class: "lk-compared" }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows)),
    element("p", { class: "lk-quiet", textContent: note }),
  ];
}

function draw(model, el) {
  const lost = (why) => {
    feedback.dataset.tone = "error";
    feedback.replaceChildren(element("p", { class: "lk-verdict", textContent: why }));
  };
  const { send, set } = voice(model, lost, "; what you checked is saved");
  const words = ["mark", "predict", "choose"].includes(model.get("kind")) ? ABOUT_AN_ANSWER : ABOUT_A_MACHINE;
  const draft = { get: () => model.get("draft"), set: (value) => set("draft", value) };
  const kind = model.get("form").type;
  const terminal = kind === "terminal" || model.get("explore") ? terminalForm(model, send) : null;
  const form = kind === "terminal" ? terminal : FORMS[kind](model, model.get("form"), draft);
  const undo = button("Undo", () => send({ do: "undo" }));
  const around = terminal && terminal !== form
    ? [element("details", { class: "lk-around" },
      focusable(element("summary", { textContent: "Look around on the machine (no part of the answer)" })), terminal.body, undo)]
    : [];

  const points = model.get("points");
  const standing = element("span", { class: "lk-standing" });
  const heading = element("div", { class: "lk-heading" },
    element("h3", { textContent: model.get("title") }),
    element("span", { class: "lk-quiet", textContent: `${points} point${points === 1 ? "" : "s"}` }),
    standing,
  );
  const part = (name, extra = {}) => element("div", { class: name, ...extra });
  const feedback = part("lk-feedback", { role: "status", "aria-live": "polite" });
  const goals = part("lk-goals");
  const title = element("p", { class: "lk-goals-title", role: "status", "aria-live": "polite" });
  const compared = part("lk-outcome");
  const hints = element("ol", { class: "lk-hints", "aria-live": "polite" });
  const solutions = part("lk-solutions", { "aria-live": "polite" });
  const pictures = part("lk-pictures");
  const best = element("p", { class: "lk-best lk-quiet" });
  const trouble = element("p", { class: "lk-trouble", role: "status" });
  const kept = keeping(model, send);

  const check = button("Check", () => { form.settle?.(); send({ do: "check", answer: form.read() }); }, { class: "lk-button lk-main" });
  const hint = button("Hint", () => send({ do: "hint" }));
  const reset = button("Reset", () => { form.clear?.(); send({ do: "reset" }); });
  const solution = button("Solution", () => send({ do: "solution" }));
  const earlier = button("", () => send({ do: "bring back" }));
  const buttons = element("div", { class: "lk-buttons", role: "group", "aria-label": "What to do" },
    check, hint, ...(terminal === form ? [undo] : []), reset, solution, earlier);

  const updates = {
    standing: () => { standing.textContent = model.get("standing") === "Solved" ? "✓ Solved" : model.get("standing"); },
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
    earlier: () => {
      const number = model.get("earlier");
      earlier.hidden = !number;
      earlier.textContent = `Bring back my ${number} command${number === 1 ? "" : "s"}`;
    },
    can_undo: () => able(undo, model.get("can_undo"), "Nothing was run yet"),
    may_see_solution: () => {
      const may = model.get("may_see_solution");
      solution.textContent = may ? "Solution" : "Solution (after a try)";
      able(solution, may, "Check an answer of your own first; then it opens");
    },
    solutions: () => {
      solutions.replaceChildren(...model.get("solutions").flatMap((route) => [
        element("h4", { textContent: route.name ? `Solution: ${route.name}` : "Solution" }),
        element("pre", { textContent: route.text }),
      ]));
    },
    best: () => { best.textContent = model.get("best"); },
    trouble: () => { trouble.textContent = model.get("trouble"); },
    goals: () => {
      const now = model.get("goals");
      goals.hidden = !now.title;
      if (!now.title) return;
      title.textContent = now.missing ? `${now.title}. Still open: ${now.missing}.` : `${now.title}.`;
      goals.replaceChildren(title, element("ul", { class: "lk-checks" }, ...now.items.map((item) => checkLine({ ...item, note: "" }))));
    },
    feedback: () => {
      const said = model.get("feedback");
      feedback.dataset.tone = said.tone ?? "";
      const sign = { right: "✓ ", "not yet": "○ " }[said.tone] ?? "";
      feedback.replaceChildren(...(said.title ? [
        element("p", { class: "lk-verdict", textContent: sign + said.title }),
        ...(said.reply ? [prose(said.reply)] : []),
        ...(kind === "terminal" ? [] : [element("ul", { class: "lk-checks" }, ...said.items.map((item) => checkLine(item, words)))]),
      ] : []));
    },
    compared: () => {
      const found = model.get("compared");
      compared.replaceChildren(...(found.rows ? comparison(found) : []));
    },
    picture: () => show(),
  };
  const show = () => {
    const [now, goal, reached] = ["picture", "goal", "reached"].map((name) => model.get(name));
    const wasOpen = [...pictures.querySelectorAll("details")].map((details) => details.open);
    const differs = (reached.differs ?? []).map((text) => element("li", { textContent: text }));
    const section = (heading, picture, ...more) => {
      if (!picture.text) return [];
      const [title, ...rest] = drawing(heading, picture);
      return [element("section", {}, title, ...more, ...rest)];
    };
    pictures.replaceChildren(
      ...section("The goal", goal),
      ...section(kind === "terminal" ? "Your machine" : "The machine", now),
      ...section("After your answer", reached, differs.length ? element("ul", { class: "lk-differences", "aria-label": "What differs from the machine" }, ...differs) : null));
    pictures.querySelectorAll("details").forEach((details, index) => { details.open = wasOpen[index] ?? false; });
  };
  updates.goal = updates.reached = updates.picture;
  const root = element("section", { class: "labkit labkit-exercise", tabIndex: -1, "aria-label": `Exercise: ${model.get("title")}` },
    heading, kept.offer,
    element("div", { class: "lk-columns" },
      element("div", { class: "lk-work" }, prose(model.get("task")), ...around, form.body, goals, buttons, trouble, feedback, compared, best, hints, solutions),
      pictures,
    ),
  );
  const unfollow = follow(model, updates);
  el.append(root);
  return () => {
    unfollow();
    kept.stop();
    form.settle?.();
    form.stop?.();
    if (terminal !== form) terminal?.stop();
    root.remove();
  };
}

export default { render };
