// The traits that labkit/jupyter/exercise.py keeps.

/** @typedef {import("../shared/drawing.js").Picture} Picture */
/** @typedef {{ ok: boolean, text: string, note: string }} Check */
/** @typedef {{ said: string | null, real: string | null, same: boolean }} Pair a line that was predicted, and what is printed */
/** @typedef {{ rows?: Pair[], row?: number, column?: number }} Compared where the first difference is: in which row, at which character */
/** @typedef {{ tone?: string, title?: string, items?: Check[], reply?: string }} Feedback */
/** @typedef {{ title?: string, items?: Check[] }} Goals */
/** @typedef {{ name: string, text: string }} Route */
/** @typedef {{
 *   title: string, kind: string, points: number, task: string, form: import("../forms/form.js").FormRecord, explore: boolean,
 *   picture: Picture, goal: Picture, reached: Picture & { differs?: string[] }, compared: Compared, goals: Goals,
 *   feedback: Feedback, hints: string[], hints_left: number, solutions: Route[], may_see_solution: boolean, can_undo: boolean,
 *   standing: string, best: string, earlier: number, trouble: string, round: number,
 * }} OwnTraits */
/** @typedef {OwnTraits & import("../forms/form.js").FormTraits & import("../terminal/traits.js").TerminalTraits
 *   & import("../kept/keeping.js").KeptTraits} ExerciseTraits */
/** @typedef {import("../shared/model.js").Model<ExerciseTraits>} ExerciseModel */
/** @typedef {{ body: HTMLElement, updates: import("../shared/model.js").Updates<ExerciseTraits> }} Part what draws some of the traits */

export {};
