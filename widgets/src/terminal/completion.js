// Tab: Python is asked what fits at the cursor; what comes back is put there, and the choices are shown below.
import { element } from "../shared/element.js";

/** @param {import("./traits.js").TerminalModel} model @param {import("../shared/model.js").Send} send @param {HTMLInputElement} input */
export function completion(model, send, input) {
  const offers = element("div", { class: "lk-offers lk-quiet", role: "status" });
  let asked = 0;
  const ask = () => {
    asked += 1;
    send({ do: "complete", line: input.value.slice(0, input.selectionStart ?? input.value.length), asked });
  };
  const update = () => {
    const found = model.get("completion");
    if (!asked || found.asked !== asked) return;
    const [line, rest] = [found.line ?? "", input.value.slice(input.selectionStart ?? input.value.length)];
    input.value = line + rest;
    input.setSelectionRange(line.length, line.length);
    offers.replaceChildren(
      ...(found.choices ?? []).flatMap((choice) => [element("code", { textContent: choice }), " "]),
      found.more ? `and ${found.more} more` : "",
    );
  };
  return { offers, ask, update };
}
