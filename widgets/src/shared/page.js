// What every widget is on its page: no key that is pressed in it reaches the notebook, and after a restart of the kernel
// one press makes it anew.
import { isLost, madeAnew } from "./anew.js";
import { button, element } from "./element.js";
import { heard } from "./model.js";
import { keyBorder } from "./workplace.js";

const OWN_ID = /** @type {never} */ ("own_id"); // a trait of every panel
const LOST = "The kernel was restarted, so nothing answers here any more. What you checked is saved. ";

/** What is said where the kernel has no more of the widget. @param {() => Promise<void>} again */
function lostNotice(again) {
  const text = element("span", { textContent: LOST });
  const press = button("Start it again", () => {
    press.textContent = "Starting…";
    again().then(() => { body.hidden = true; }, (/** @type {Error} */ error) => {
      text.textContent = `It could not be started here (${error.message}). Run the notebook's first cell, and then this one. `;
    }).finally(() => { press.textContent = "Start it again"; });
  });
  const body = element("div", { class: "lk-lost", role: "alert", hidden: true }, text, press);
  return body;
}

/** A widget's module. @template {object} Traits
 * @param {(page: import("./model.js").Page<Traits>) => (() => void) | undefined} draw gives what stops it */
export const page = (draw) => ({
  /** @param {import("./model.js").Page<Traits>} place */
  render({ model, el }) {
    const { widget_manager: manager } = model;
    /** @type {(() => void) | undefined} */
    let stop;
    const lost = () => { notice.hidden = false; };
    const notice = lostNotice(async () => {
      const found = await madeAnew(manager, el);
      stop?.();
      inside.replaceChildren();
      stop = draw({ model: heard(found, lost), el: inside });
    });
    const inside = element("div", { class: "lk-inside" });
    keyBorder(el);
    el.append(notice, inside);
    stop = draw({ model: heard(model, lost), el: inside });
    isLost(manager, String(model.get(OWN_ID))).then((gone) => { if (gone) lost(); });
    return () => stop?.();
  },
});
