// A picture with the same in words below it.
import { element, folded } from "./element.js";

/** @typedef {{ src?: string, alt?: string, text?: string, width?: number }} Picture {} where there is none */

/** The picture, or what is said in its place where nothing can draw. @param {Picture} picture */
const imageOf = ({ src = "", alt = "", width = 0 }) => (src ? element("img", { src, alt, width }) : element("p", { textContent: alt }));

/** A section with a picture; `between` stands below its heading. Nothing where there is no picture.
 * @param {string} heading @param {Picture} picture @param {import("./element.js").Child} between */
export function drawing(heading, picture, between = null) {
  if (!picture.text) return [];
  return [element("section", {},
    element("h4", { textContent: heading }),
    between,
    element("div", { class: "lk-image" }, imageOf(picture)),
    folded("The same in words", {}, element("pre", { textContent: picture.text })).body)];
}
