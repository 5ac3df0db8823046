// What a command wrote, as a terminal shows it.
import { element } from "../shared/element.js";

/** @typedef {import("./traits.js").Piece} Piece */

/** @param {Piece[]} pieces */
export const written = (pieces) => pieces.map((piece) => element("pre", { class: piece.message ? "lk-message" : "", textContent: piece.text }));

/** @param {number} status */
export const exitStatus = (status) => (status ? [element("div", { class: "lk-status", textContent: `exit status ${status}` })] : []);
