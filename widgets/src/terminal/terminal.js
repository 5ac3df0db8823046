// A terminal, as exercises and the playground have it: a screen, a line to type in, a pane for a file that is open.
import "./terminal.css";
import { element } from "../shared/element.js";
import { follow } from "../shared/model.js";
import { editor } from "./editor.js";
import { help } from "./help.js";
import { promptLine } from "./prompt.js";
import { screen } from "./screen.js";

/** @param {import("./traits.js").TerminalModel} model @param {import("../shared/model.js").Send} send */
export function terminal(model, send) {
  const above = screen(model);
  const guide = help();
  const below = promptLine(model, send, above, guide.open);
  const pane = editor(model, send, below.input);
  const stop = follow(model, { log: above.update, ...below.updates, editor: pane.update });
  const body = element("div", {}, element("div", { class: "lk-terminal" }, above.body, below.waiting, below.row), below.offers, pane.body, guide.body);
  return { body, input: below.input, stop };
}
