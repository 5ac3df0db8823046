// The border between a widget and the notebook: no key that is pressed in a widget is a shortcut of the notebook's, and
// a click that is on nothing in particular puts the cursor where one types.
import { focusable } from "./element.js";
import { goOn } from "./notebook.js";

const OWN_FOCUS = "a, button, input, label, option, select, summary, textarea, [role=treeitem], .lk-order li";

/** Keys stay in the widget, but for Shift+Enter, which goes on to the next cell. @param {HTMLElement} el what the widget is drawn in */
export function keyBorder(el) {
  el.tabIndex = -1; // a click on nothing in particular puts the focus here, not on the notebook
  el.classList.add("lk-place");
  focusable(el);
  for (const kind of ["keypress", "keyup"]) el.addEventListener(kind, (event) => event.stopPropagation());
  el.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" && event.shiftKey && goOn(el)) event.preventDefault();
    if (event.key === "s" && (event.ctrlKey || event.metaKey)) event.preventDefault(); // else the browser saves the page
  });
}

/** A click on nothing in particular, or on output, puts the cursor where one types.
 * @param {HTMLElement} root @param {() => HTMLElement | null} home where one types; null: nowhere */
export function clickGoesTo(root, home) {
  root.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || event.target.closest(OWN_FOCUS) || String(document.getSelection())) return;
    home()?.focus({ preventScroll: true });
  });
}
