// A terminal: what was typed and what it gave (trait `log`), a line to type in, and a pane for a file that is open.

function terminalForm(model, send) {
  const log = focusable(element("div", { class: "lk-log", role: "log", tabIndex: 0, "aria-label": "Terminal output", "aria-live": "polite" }));
  const input = focusable(
    element("input", { class: "lk-input", type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: false, "aria-label": "Command" }),
  );
  const history = () => model.get("log").map((entry) => entry.line);
  let place = null;
  let typed = "";
  const recall = (step) => {
    const lines = history();
    if (place === null) typed = input.value;
    const next = (place === null ? lines.length : place) + step;
    if (next < 0) return;
    place = next >= lines.length ? null : next;
    input.value = place === null ? typed : lines[place];
    input.setSelectionRange(input.value.length, input.value.length);
  };
  const run = () => {
    if (input.value.trim() || model.get("prompt") === "> ") send({ do: "run", line: input.value });
    input.value = "";
    place = null;
  };
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!text.includes("\n")) return;
    event.preventDefault();
    send({ do: "run", line: input.value + text.replace(/\r\n?/g, "\n").replace(/\n$/, "") });
    input.value = "";
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      run();
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      recall(event.key === "ArrowUp" ? -1 : 1);
    } else if (event.key === "Escape") {
      input.value = "";
    }
  });
  const line = (entry) => [
    element("div", { class: "lk-typed" }, element("span", { textContent: entry.prompt }), element("span", { textContent: entry.line })),
    ...entry.pieces.map((piece) => element("pre", { class: piece.message ? "lk-message" : "", textContent: piece.text })),
    ...(entry.status ? [element("div", { class: "lk-status", textContent: `exit status ${entry.status}` })] : []),
  ];
  let shown = [];
  const update = () => {
    const entries = model.get("log");
    const texts = entries.map((entry) => JSON.stringify(entry));
    const grown = shown.length <= texts.length && shown.every((text, index) => text === texts[index]);
    if (!grown) log.replaceChildren();
    log.append(...entries.slice(grown ? shown.length : 0).flatMap(line));
    shown = texts;
    log.scrollTop = log.scrollHeight;
    log.classList.toggle("lk-empty", entries.length === 0);
  };
  const prompt = element("span", { class: "lk-prompt", "aria-hidden": "true" });
  const ask = () => { prompt.textContent = model.get("prompt"); };
  const row = element("div", { class: "lk-row" }, prompt, input, button("Run", () => { run(); input.focus(); }));
  const pane = element("div", { class: "lk-editor" });
  const edit = () => {
    const open = model.get("editor");
    const wasOpen = pane.firstChild !== null;
    pane.replaceChildren();
    if (!open.path) {
      if (wasOpen) input.focus();
      return;
    }
    const identifier = unique("file");
    const area = focusable(element("textarea", { id: identifier, rows: 10, spellcheck: false, value: open.text }));
    pane.append(
      element("label", { htmlFor: identifier, textContent: `File ${open.path}` }),
      area,
      element("div", { class: "lk-buttons" },
        button("Save", () => send({ do: "save", text: area.value }), { class: "lk-button lk-main" }),
        button("Close without saving", () => send({ do: "close" }))),
    );
    area.focus();
    area.setSelectionRange(0, 0);
  };
  const stop = follow(model, { log: update, prompt: ask, editor: edit });
  const help = element("p", { class: "lk-help lk-quiet" }, ...spans("`nano FILE` opens a file to edit. Arrow up brings earlier commands back."));
  return {
    body: element("div", {}, element("div", { class: "lk-terminal" }, log, row), pane, help),
    read: () => null,
    stop,
  };
}
