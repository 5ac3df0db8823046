// The pane for a file that is open (`nano FILE`), with the keys that nano and vi save with.
import { button, element, focusable, unique } from "../shared/element.js";
import { spans } from "../shared/prose.js";

const HELP = "Ctrl+S, Ctrl+O or Ctrl+X saves and closes, and so does a line `:wq`; `:q!` closes without saving.";
const SAVING = ["s", "o", "x"];
/** @type {Record<string, "save" | "close">} */
const OF_VI = { ":wq": "save", ":x": "save", ":w": "save", ":q": "close", ":q!": "close" };

/** The line that the cursor is in: where it begins and ends. @param {HTMLTextAreaElement} area @returns {[number, number]} */
function lineAt(area) {
  const [text, at] = [area.value, area.selectionStart];
  const end = text.indexOf("\n", at);
  return [text.lastIndexOf("\n", at - 1) + 1, end < 0 ? text.length : end];
}

/** What a key does in the pane. @param {HTMLTextAreaElement} area @param {{ save: () => void, close: () => void }} acts */
function onKeys(area, acts) {
  area.addEventListener("keydown", (event) => {
    const [start, end] = lineAt(area);
    const line = area.value.slice(start, end);
    const held = event.ctrlKey && !event.altKey && SAVING.includes(event.key);
    const act = held ? "save" : event.key === "Enter" ? OF_VI[line] : undefined;
    if (!act || (event.key === "x" && area.selectionStart !== area.selectionEnd)) return;
    event.preventDefault();
    if (!held) area.value = area.value.slice(0, start) + area.value.slice(end + 1);
    acts[act]();
  });
}

/** @param {import("./traits.js").TerminalModel} model @param {import("../shared/model.js").Send} send @param {HTMLElement} after has the focus then */
export function editor(model, send, after) {
  const body = element("div", { class: "lk-editor" });
  const update = () => {
    const open = model.get("editor");
    const wasOpen = body.firstChild !== null;
    body.replaceChildren();
    if (!open.path) {
      if (wasOpen) after.focus();
      return;
    }
    const identifier = unique("file");
    const area = focusable(element("textarea", { id: identifier, rows: 10, spellcheck: false, value: open.text }));
    const save = () => send({ do: "save", text: area.value });
    const close = () => send({ do: "close" });
    onKeys(area, { save, close });
    body.append(
      element("label", { htmlFor: identifier, textContent: `File ${open.path}` }),
      area,
      element("div", { class: "lk-buttons" },
        button("Save", save, { class: "lk-button lk-main" }),
        button("Close without saving", close)),
      element("p", { class: "lk-help lk-quiet" }, ...spans(HELP)),
    );
    area.focus();
    area.setSelectionRange(0, 0);
  };
  return { body, update };
}
