// A terminal: what was typed and what it gave (trait `log`), a line to type in, and a pane for a file that is open.
// `complete(line, asked)`, where it is given, asks Python for what Tab offers; the answer comes in the trait `completion`.

const INTERRUPT = "\u0003";
const END = "\u0004";
const TERMINAL_HELP = "`nano FILE` opens a file to edit. Arrow up brings earlier commands back.";

function terminalForm(model, send, complete = null) {
  const log = focusable(element("div", { class: "lk-log", role: "log", tabIndex: 0, "aria-label": "Terminal output", "aria-live": "polite" }));
  const input = focusable(
    element("input", { class: "lk-input", type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: false, "aria-label": "Command" }),
  );
  const offers = element("div", { class: "lk-offers lk-quiet", role: "status" });
  const history = () => model.get("log").map((entry) => entry.line)
    .filter((line, index, lines) => !line.includes("\n") && line.trim() && line !== lines[index - 1]);
  let place = null;
  let typed = "";
  const write = (text) => {
    input.value = text;
    input.setSelectionRange(text.length, text.length);
  };
  const recall = (step) => {
    const lines = history();
    if (place === null) typed = input.value;
    const next = (place === null ? lines.length : place) + step;
    if (next < 0) return;
    place = next >= lines.length ? null : next;
    write(place === null ? typed : lines[place]);
  };
  // Ctrl-R: the last command that has in it what stands on the line; again, the one before.
  let wanted = null;
  const search = () => {
    const lines = history();
    wanted ??= input.value;
    let found = (place ?? lines.length) - 1;
    while (found >= 0 && !lines[found].includes(wanted)) found -= 1;
    offers.textContent = found < 0 ? `No earlier command has ${wanted || "anything"} in it.` : "";
    if (found < 0) return;
    place = found;
    write(lines[found]);
  };
  const over = () => {
    input.value = "";
    offers.replaceChildren();
    place = wanted = null;
  };
  // Is this the rest of a command, or what a program reads?
  const waits = () => ["> ", ""].includes(model.get("prompt"));
  const run = () => {
    if (input.value.trim() || waits()) send({ do: "run", line: input.value });
    over();
  };
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!text.includes("\n")) return;
    event.preventDefault();
    send({ do: "run", line: input.value + text.replace(/\r\n?/g, "\n").replace(/\n$/, "") });
    over();
  });
  let cleared = 0; // rows that Ctrl-L has put out of sight
  const clear = () => {
    cleared = model.get("log").length;
    shown = null;
    update();
  };
  const interrupt = () => {
    if (waits()) send({ do: "run", line: INTERRUPT });
    over();
  };
  const CONTROL = {
    c: interrupt,
    l: clear,
    r: search,
    d: () => { if (!input.value && model.get("prompt") !== "# ") send({ do: "run", line: END }); },
    u: () => { input.setRangeText("", 0, input.selectionStart, "start"); },
    k: () => { input.setRangeText("", input.selectionStart, input.value.length, "end"); },
    a: () => { input.setSelectionRange(0, 0); },
    e: () => { input.setSelectionRange(input.value.length, input.value.length); },
  };
  let leaving = false; // Escape was pressed: Tab goes on to what comes next
  let asked = 0;
  const offer = () => {
    asked += 1;
    complete(input.value.slice(0, input.selectionStart), asked);
  };
  input.addEventListener("keydown", (event) => {
    const copying = event.key === "c" && (input.selectionStart !== input.selectionEnd || String(document.getSelection()));
    const wasLeaving = leaving;
    leaving = event.key === "Escape";
    if (event.isComposing) return;
    if (event.key === "Enter") run();
    else if (event.key === "ArrowUp" || event.key === "ArrowDown") recall(event.key === "ArrowUp" ? -1 : 1);
    else if (event.key === "Escape") offers.replaceChildren();
    else if (event.key === "Tab" && complete && input.value.trim() && !event.shiftKey && !wasLeaving) offer();
    else if (event.ctrlKey && !event.altKey && !event.metaKey && CONTROL[event.key] && !copying) CONTROL[event.key]();
    else {
      if (!event.ctrlKey && event.key.length === 1) wanted = place = null;
      return;
    }
    event.preventDefault();
  });
  const completed = () => {
    const found = model.get("completion");
    if (!found?.asked || found.asked !== asked) return;
    const rest = input.value.slice(input.selectionStart);
    input.value = found.line + rest;
    input.setSelectionRange(found.line.length, found.line.length);
    offers.replaceChildren(
      ...found.choices.flatMap((choice) => [element("code", { textContent: choice }), " "]),
      ...(found.more ? [`and ${found.more} more`] : []),
    );
  };
  const line = (entry) => [
    element("div", { class: "lk-typed" }, element("span", { textContent: entry.prompt }), element("span", { textContent: entry.line })),
    ...entry.pieces.map((piece) => element("pre", { class: piece.message ? "lk-message" : "", textContent: piece.text })),
    ...(entry.status ? [element("div", { class: "lk-status", textContent: `exit status ${entry.status}` })] : []),
  ];
  let shown = [];
  const update = () => {
    const all = model.get("log");
    cleared = Math.min(cleared, all.length);
    const entries = all.slice(cleared);
    const texts = entries.map((entry) => JSON.stringify(entry));
    const grown = shown !== null && shown.length <= texts.length && shown.every((text, index) => text === texts[index]);
    if (!grown) log.replaceChildren();
    log.append(...entries.slice(grown ? shown.length : 0).flatMap(line));
    shown = texts;
    const toEnd = () => { log.scrollTop = log.scrollHeight; };
    log.isConnected ? toEnd() : requestAnimationFrame(toEnd);
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
  const stop = follow(model, { log: update, prompt: ask, editor: edit, ...(complete ? { completion: completed } : {}) });
  const help = complete ? null : element("p", { class: "lk-help lk-quiet" }, ...spans(TERMINAL_HELP));
  return {
    body: element("div", {}, element("div", { class: "lk-terminal" }, log, row), offers, pane, help),
    input,
    read: () => null,
    stop,
  };
}
