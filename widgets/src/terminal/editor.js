// The pane for a file that is open (`nano FILE`).
import { button, element, focusable, unique } from "../shared/element.js";

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
    body.append(
      element("label", { htmlFor: identifier, textContent: `File ${open.path}` }),
      area,
      element("div", { class: "lk-buttons" },
        button("Save", () => send({ do: "save", text: area.value }), { class: "lk-button lk-main" }),
        button("Close without saving", () => send({ do: "close" }))),
    );
    area.focus();
    area.setSelectionRange(0, 0);
  };
  return { body, update };
}
