// What every widget is on its page: no key that is pressed in it reaches the notebook.
import { keyBorder } from "./workplace.js";

/** A widget's module. @template {object} Traits @param {(page: import("./model.js").Page<Traits>) => () => void} draw gives what stops it */
export const page = (draw) => ({
  /** @param {import("./model.js").Page<Traits>} place */
  render({ model, el }) {
    keyBorder(el);
    return draw({ model, el });
  },
});
