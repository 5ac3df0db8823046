// What a terminal shows: the traits that TerminalPanel in labkit/jupyter/panel.py keeps.

/** @typedef {{ message: boolean, text: string }} Piece what was written; a message came on stderr */
/** @typedef {{ prompt: string, line: string, pieces: Piece[], status: number, clears?: boolean }} Entry an input and what it gave; did that clear the screen? */
/** @typedef {{ path?: string, text?: string }} OpenFile {} where none is open */
/** @typedef {{ asked?: number, line?: string, choices?: string[], more?: number }} Completion what Tab found */
/** @typedef {{ log: Entry[], prompt: string, waits: string, editor: OpenFile, completion: Completion }} TerminalTraits */
/** @typedef {import("../shared/model.js").Model<TerminalTraits>} TerminalModel */

export {};
