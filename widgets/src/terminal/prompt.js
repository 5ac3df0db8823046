// The line to type in, and what its keys do.
import { button, element, focusable } from "../shared/element.js";
import { completion } from "./completion.js";
import { earlierLines } from "./lines.js";

const INTERRUPT = "\u0003";
const END = "\u0004";
const OF_ROOT = "# ";
const WAITING = ["> ", ""]; // prompts of who waits for the rest of a command, or for what a program reads

/** @param {import("./traits.js").TerminalModel} model @param {import("../shared/model.js").Send} send @param {() => void} clear the screen */
export function promptLine(model, send, clear) {
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
    if (input.value.trim() || waits()) type(input.value);
    over();
  };
  const place = () => input.selectionStart ?? 0;
  /** @type {Record<string, () => void>} */
  const withControl = {
    a: () => input.setSelectionRange(0, 0),
    c: () => {
      if (waits()) type(INTERRUPT);
      over();
    },
    d: () => { if (!input.value && model.get("prompt") !== OF_ROOT) type(END); },
    e: () => input.setSelectionRange(input.value.length, input.value.length),
    k: () => input.setRangeText("", place(), input.value.length, "end"),
    l: clear,
    r: () => { tab.offers.textContent = earlier.search(); },
    u: () => input.setRangeText("", 0, place(), "start"),
  };
  /** @type {Record<string, () => void>} */
  const alone = {
    Enter: run,
    ArrowUp: () => earlier.recall(-1),
    ArrowDown: () => earlier.recall(1),
    Escape: () => tab.offers.replaceChildren(),
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
  const prompt = element("span", { class: "lk-prompt", "aria-hidden": "true" });
  const row = element("div", { class: "lk-row" }, prompt, input, button("Run", () => { run(); input.focus(); }));
  return { row, input, offers: tab.offers, updates: { prompt: () => { prompt.textContent = model.get("prompt"); }, completion: tab.update } };
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
