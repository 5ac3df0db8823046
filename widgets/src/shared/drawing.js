// A picture that can be folded, with the same in words below it. It keeps a size that can be read, and scrolls.
import { changedIn, move } from "./motion.js";
import { button, element, focusable, folded } from "./element.js";

const MARGIN = 12; // pixels around what changed

/** @typedef {{ src?: string, alt?: string, text?: string, width?: number, moves?: import("./motion.js").Moves }} Picture {} where there is none */
/** @typedef {import("./element.js").Child} Child */

/** The picture in the whole window. @param {string} heading @param {HTMLImageElement} image */
function inWindow(heading, image) {
  const close = button("Close", () => whole.close());
  const whole = focusable(element("dialog", { class: "labkit lk-window", "aria-label": heading },
    element("div", { class: "lk-heading" }, element("h4", { textContent: heading }), close),
    focusable(element("div", { class: "lk-window-image", role: "group", "aria-label": image.alt, tabIndex: 0 },
      element("img", { src: image.src, alt: "", width: image.width })))));
  whole.addEventListener("close", () => whole.remove());
  document.body.append(whole);
  whole.showModal();
}

/** Scrolls to what changed, where it is out of sight. @param {HTMLElement} frame @param {HTMLImageElement} image */
function showChanged(frame, image) {
  const found = image.src.startsWith("data:") ? changedIn(image.src) : null;
  if (!found) return;
  /** @param {number} from @param {number} to @param {number} whole @param {number} at @param {number} room */
  const scrolled = (from, to, whole, at, room) => {
    const [start, end] = [from * whole - MARGIN, to * whole + MARGIN];
    if (start >= at && end <= at + room) return at;
    return end - start > room || start < at ? start : end - room;
  };
  frame.scrollTo(scrolled(found.left, found.right, image.width, frame.scrollLeft, frame.clientWidth),
    scrolled(found.top, found.bottom, image.height, frame.scrollTop, frame.clientHeight));
}

/** @param {string} heading @param {string} label the frame's @param {...Child} controls beside "Full size" */
export function drawing(heading, label, ...controls) {
  const image = element("img", {});
  image.addEventListener("load", () => showChanged(frame, image));
  const missing = element("p", {}); // what is said where nothing can draw
  const frame = focusable(element("div", { class: "lk-image", role: "group", "aria-label": label, tabIndex: 0 }, image, missing));
  const between = element("div", {});
  const words = element("pre", {});
  const whole = button("Full size", () => inWindow(heading, image), { class: "lk-button lk-small" });
  const { body } = folded("", { class: "lk-picture", open: true }, between, frame,
    element("div", { class: "lk-picture-foot" }, ...controls, whole, folded("The same in words", { class: "lk-fold" }, words).body));
  body.querySelector("summary")?.append(element("h4", { textContent: heading }));
  /** @param {Picture} picture @param {Child} extra stands above it */
  const show = ({ src = "", alt = "", text = "", width = 0, moves = [] }, extra = null) => {
    body.hidden = !text;
    between.replaceChildren(...(extra ? [extra] : []));
    if (src && image.src !== src) {
      move(image, src, `${width}px`, moves);
      image.src = src;
    }
    image.style.setProperty("--lk-width", `${width}px`);
    Object.assign(image, { alt, width, hidden: !src });
    missing.textContent = src ? "" : alt;
    whole.hidden = !src;
    words.textContent = text;
  };
  return { body, show };
}
