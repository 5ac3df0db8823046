// What all widgets draw with. Every text goes in as textContent, every picture as the address of an <img>: nothing that a
// machine, a file name or an exercise says is ever read as markup.
import "./labkit.css";

/** @typedef {Node | string | null | undefined} Child */
/** @typedef {Record<string, string | number | boolean | undefined | ((event: never) => void)>} Properties */

/** A name that nothing else on the page has: each widget has its own copy of this module, so a counter would not do.
 * @param {string} what */
export const unique = (what) => `lk-${what}-${Math.random().toString(36).slice(2)}`;

/** A new element with these properties (attributes where the element has no such property) and listeners (`onclick`).
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Properties} properties
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Name]} */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), /** @type {EventListener} */ (value));
    else if (key === "class") made.className = String(value);
    else if (key in made && !key.includes("-") && key !== "list") Object.assign(made, { [key]: value });
    else made.setAttribute(key, String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** An element that can have the focus: what is pressed there is none of the notebook's shortcuts; see workplace.js.
 * @template {HTMLElement} Made
 * @param {Made} made */
export function focusable(made) {
  made.setAttribute("data-lm-suppress-shortcuts", "true");
  return made;
}

/** @param {string} text @param {() => void} action @param {Properties} extra */
export function button(text, action, extra = {}) {
  return focusable(element("button", { type: "button", textContent: text, onclick: action, class: "lk-button", ...extra }));
}

/** Something to look at on demand; `title` is its summary's text.
 * @param {string} title @param {Properties} properties @param {...Child} children */
export function folded(title, properties, ...children) {
  const summary = focusable(element("summary", { textContent: title }));
  return { summary, body: element("details", properties, summary, ...children) };
}

/** A button that can do nothing now stays where the keyboard finds it and says why.
 * @param {HTMLElement} which @param {boolean} can @param {string} why */
export function able(which, can, why) {
  which.setAttribute("aria-disabled", can ? "false" : "true");
  which.title = can ? "" : why;
}

/** What does `act` on Enter.
 * @param {HTMLElement} where @param {() => void} act */
export function onEnter(where, act) {
  where.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    act();
  });
}

/** A text as a file of the person's.
 * @param {string} name @param {string} text @param {string} type */
export function download(name, text, type = "text/plain") {
  const address = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
