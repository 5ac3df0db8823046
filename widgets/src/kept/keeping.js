// The line that offers what the browser has; and what keeps the browser's copy up to date while the widget is there.
import "./kept.css";
import { button, element } from "../shared/element.js";
import { follow } from "../shared/model.js";
import { browserStore } from "./store.js";

/** The traits that labkit/jupyter/panel.py keeps.
 * @typedef {{ course: string, kept: import("./store.js").Progress, asks: boolean, offer: string, returned: string }} KeptTraits */

/** @param {import("../shared/model.js").Model<KeptTraits>} model @param {import("../shared/model.js").Send} send */
export function keeping(model, send) {
  const store = browserStore(model.get("course"));
  const offer = element("div", { class: "lk-offer", role: "status" });
  const told = () => (model.get("returned") ? [element("span", { textContent: model.get("returned") })] : []);
  const stop = follow(model, {
    kept: () => { offer.dataset.kept = String(store.keep(model.get("kept"))); },
    offer: () => {
      const text = model.get("offer");
      offer.replaceChildren(...(text
        ? [element("span", { textContent: `This browser remembers ${text}.` }),
          button("Bring them back", () => send({ do: "bring all back", text: store.all() })),
          button("Not now", () => send({ do: "not now" }))]
        : told()));
    },
    returned: () => { if (model.get("returned")) offer.replaceChildren(...told()); },
  });
  const text = model.get("asks") ? store.all() : "";
  if (text) send({ do: "stored", text });
  return { offer, stop };
}
