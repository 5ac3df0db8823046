// The notebook around a widget, as far as the page shows it: its cells, and the way on to the next one.

const CELL = ".jp-Cell";
const TARGET = ".labkit-exercise, .jp-RenderedMarkdown :is(h1, h2, h3)"; // where the course goes on
const CALL = /\bexercise\(/; // in a cell that has not run yet

/** The cells after the one that this is in. @param {Element} where */
export function* following(where) {
  let cell = where.closest(CELL)?.nextElementSibling ?? null;
  for (; cell; cell = cell.nextElementSibling) if (cell.matches(CELL) && cell instanceof HTMLElement) yield cell;
}

/** Makes it the notebook's cell, its top in view. @param {HTMLElement} cell */
function goTo(cell) {
  cell.tabIndex = -1;
  cell.focus({ preventScroll: true });
  cell.scrollIntoView({ block: "start" });
}

/** On to the next cell. @param {Element} where @returns {boolean} is there one? */
export function goOn(where) {
  const { value } = following(where).next();
  if (value) goTo(value);
  return Boolean(value);
}

/** On to the next exercise or section. @param {Element} where @returns {boolean} is there one? */
export function goToNext(where) {
  for (const cell of following(where)) {
    if (!cell.querySelector(TARGET) && !CALL.test(cell.querySelector(".cm-content")?.textContent ?? "")) continue;
    goTo(cell);
    return true;
  }
  return false;
}
