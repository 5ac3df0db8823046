// What the forms of exercises have in common. Each is in a file of its own, and gives the element to fill in and what
// reads the answer from it.

/** @typedef {{ value: string, text: string }} Option */
/** @typedef {string | string[] | Record<string, string> | null} Answer */
/** @typedef {{ type: string, options?: Option[], items?: Option[], label?: string, placeholder?: string, rows?: number }} FormRecord */
/** @typedef {{ parts?: { name: string, text: string }[], message?: string }} FlagParts what a mount flag says, part by part */
/** @typedef {{ draft: Answer, parts: FlagParts }} FormTraits */
/** @typedef {{ get: () => Answer, set: (answer: Answer) => void }} Draft what is filled in, not yet checked */
/** @typedef {object} Form
 * @property {HTMLElement} body
 * @property {() => Answer} read
 * @property {() => void} clear
 * @property {() => void} [stop] when the widget goes
 */

export {};
