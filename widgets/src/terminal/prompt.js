// The line to type in, and what its keys do.
import { button, element, focusable } from "../shared/element.js";
import { spans } from "../shared/prose.js";
import { completion } from "./completion.js";
import { earlierLines } from "./lines.js";

const INTERRUPT = "\u0003";
const END = "\u0004";
const OF_ROOT = "# ";
const WAITING = ["> ", ""]; // prompts of who waits for the rest of a command, or for what a program reads

/** @param {import("./traits.js").TerminalModel} model @param {import("../shared/model.js").Send} send @param {{ clear: () => void, wrap: HTMLElement }} screen @param {() => void} help */
export function promptLine(model, send, { clear, wrap }, help) {
  const input = focusable(
    element("input", { class: "lk-input", type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: false, "aria-label": "Command" }),
  );
  const earlier = earlierLines(model, input);
  const tab = completion(model, send, input);
  const waits = () => WAITING.includes(model.get("prompt"));
  /** @param {string} line */
  const type = (line) => send({ do: "run", line });
  const over = () => {
    input.value = "";
    tab.offers.replaceChildren();
    earlier.leave();
  };
  const run = () => {
    const own = waits() ? undefined : { clear, help }[input.value.trim()];
    if (own) own();
    else if (input.value.trim() || waits()) type(input.value);
    over();
  };
  const withControl = controls(input, { clear, over, search: () => { tab.offers.textContent = earlier.search(); }, waits, type, root: () => model.get("prompt") === OF_ROOT });
  /** @type {Record<string, () => void>} */
  const alone = {
    Enter: run,
    ArrowUp: () => earlier.recall(-1),
    ArrowDown: () => earlier.recall(1),
    Escape: () => { tab.offers.textContent = "Tab or Shift+Tab leaves the terminal now."; },
  };
  let leaving = false; // Escape was pressed: Tab goes on to what comes next
  /** What a key does; nothing where it is the browser's. @param {KeyboardEvent} event */
  const action = (event) => {
    const selected = input.selectionStart !== input.selectionEnd || String(document.getSelection());
    if (event.key === "Tab") return input.value.trim() && !event.shiftKey && !leaving ? tab.ask : undefined;
    if (!event.ctrlKey || event.altKey || event.metaKey) return alone[event.key];
    return event.key === "c" && selected ? undefined : alone[event.key] ?? withControl[event.key];
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.shiftKey) return; // the workplace's
    if (leaving) tab.offers.replaceChildren();
    const does = event.isComposing ? undefined : action(event);
    leaving = event.key === "Escape";
    if (does) {
      event.preventDefault();
      does();
    } else if (!event.isComposing && !event.ctrlKey && event.key.length === 1) earlier.leave();
  });
  onPastedLines(input, (text) => {
    type(input.value + text);
    over();
  });
  const { row, prompt } = rowOf(model, input, run, wrap);
  const waiting = waitingOf(model, (key) => {
    type(key);
    over();
    input.focus();
  });
  return { row, input, offers: tab.offers, waiting: waiting.body, updates: { prompt, waits: waiting.update, completion: tab.update } };
}

/** What the terminal waits for, and its keys for who has none. @param {import("./traits.js").TerminalModel} model @param {(key: string) => void} press */
function waitingOf(model, press) {
  const body = element("div", { class: "lk-waits", role: "status" });
  const keys = [["Ctrl-C", INTERRUPT], ["Ctrl-D", END]]
    .map(([name = "", key = ""]) => button(name, () => press(key), { class: "lk-button lk-small" }));
  const update = () => {
    const text = model.get("waits");
    body.replaceChildren(...(text ? [element("span", {}, ...spans(text)), ...keys.filter((each) => text.includes(each.textContent ?? ""))] : []));
  };
  return { body, update };
}

/** What letters do with Ctrl.
 * @param {HTMLInputElement} input
 * @param {{ clear: () => void, over: () => void, search: () => void, waits: () => boolean, type: (line: string) => void, root: () => boolean }} acts
 * @returns {Record<string, () => void>} */
function controls(input, { clear, over, search, waits, type, root }) {
  const place = () => input.selectionStart ?? 0;
  return {
    a: () => input.setSelectionRange(0, 0),
    c: () => {
      if (waits()) type(INTERRUPT);
      over();
    },
    d: () => { if (!input.value && !root()) type(END); },
    e: () => input.setSelectionRange(input.value.length, input.value.length),
    k: () => input.setRangeText("", place(), input.value.length, "end"),
    l: clear,
    r: search,
    u: () => input.setRangeText("", 0, place(), "start"),
  };
}

/** What is seen of it. @param {import("./traits.js").TerminalModel} model @param {HTMLInputElement} input @param {() => void} run @param {HTMLElement} wrap */
function rowOf(model, input, run, wrap) {
  const before = element("span", { class: "lk-prompt", "aria-hidden": "true" });
  const press = button("Run", () => {
    run();
    input.focus();
  }, { class: "lk-button lk-small" });
  return { row: element("div", { class: "lk-row" }, before, input, press, wrap), prompt: () => { before.textContent = model.get("prompt"); } };
}

/** Several lines that are pasted are typed at once. @param {HTMLInputElement} input @param {(text: string) => void} act */
function onPastedLines(input, act) {
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!text.includes("\n")) return;
    event.preventDefault();
    act(text.replace(/\r\n?/g, "\n").replace(/\n$/, ""));
  });
}
