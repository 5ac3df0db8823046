// The browser's copy of the progress: a key an exercise and learner, so that tabs do not write over each other, under
// the name of the course, since other courses may have the same origin. It only ever grows better, as the file does.

/** @typedef {Record<string, unknown>} Entry an answer or a draft; read back, it may be anything */
/** @typedef {Record<string, Record<string, Entry>>} Table learner -> exercise -> entry */
/** @typedef {{ learner?: Entry, answers?: Table, drafts?: Table }} Progress */

const VERSION = 1;
const LARGEST = 100000; // characters of one entry

/** @param {unknown} value */
const wholeNumber = (value) => (typeof value === "number" && Number.isSafeInteger(value) ? value : -1);

/** @param {Entry} entry */
const rank = (entry) => [entry.passed === true ? 1 : 0, wholeNumber(entry.at), wholeNumber(entry.points)];

/** Is this one the better answer, or the same? @param {Entry} one @param {Entry} other */
function wins(one, other) {
  const [a, b] = [rank(one), rank(other)];
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 || (a[at] ?? 0) > (b[at] ?? 0);
}

/** @type {{ what: "answers" | "drafts", join: (now: Entry, old: Entry) => Entry }[]} */
const TABLES = [
  {
    what: "answers",
    join: (now, old) => {
      const best = [now.best, old.best].map(wholeNumber).filter((value) => value >= 0);
      const tries = Math.max(wholeNumber(now.tries), wholeNumber(old.tries));
      return { ...(wins(now, old) ? now : old), tries, ...(best.length ? { best: Math.min(...best) } : {}) };
    },
  },
  { what: "drafts", join: (now, old) => (wholeNumber(now.at) >= wholeNumber(old.at) ? now : old) },
];

/** @param {string} key @returns {Entry} */
function read(key) {
  try {
    const found = JSON.parse(localStorage.getItem(key) ?? "");
    return found !== null && typeof found === "object" ? found : {};
  } catch {
    return {};
  }
}

/** @param {string} key @param {Entry} value */
function write(key, value) {
  const text = JSON.stringify(value);
  if (text.length < LARGEST && text !== localStorage.getItem(key)) localStorage.setItem(key, text);
}

/** @param {string} course */
export function browserStore(course) {
  const start = `labkit/${course}/${VERSION}/`;
  /** @param {Progress} known */
  const keepAll = (known) => {
    if (known.learner && wholeNumber(known.learner.at) > wholeNumber(read(`${start}learner`).at)) write(`${start}learner`, known.learner);
    for (const { what, join } of TABLES) {
      for (const [learner, table] of Object.entries(known[what] ?? {})) {
        for (const [exercise, entry] of Object.entries(table)) {
          const key = `${start}${what}/${encodeURIComponent(learner)}/${exercise}`;
          write(key, join(entry, read(key)));
        }
      }
    }
  };
  /** Returns false where this browser keeps nothing (forbidden, or full). @param {Progress} known */
  const keep = (known) => {
    try {
      keepAll(known);
      return true;
    } catch {
      return false;
    }
  };
  /** All that is kept, as a progress file; "" where that is nothing. */
  const all = () => {
    const found = { "labkit-progress": VERSION, learner: /** @type {Entry} */ ({ name: "", seed: "", at: 0 }), answers: /** @type {Table} */ ({}), drafts: /** @type {Table} */ ({}) };
    let number = 0;
    try {
      for (const key of Object.keys(localStorage).filter((name) => name.startsWith(start))) {
        const [name = "", learner = "", exercise] = key.slice(start.length).split("/");
        const entry = read(key);
        const table = TABLES.find(({ what }) => what === name);
        if (name === "learner") found.learner = entry;
        else if (table && exercise && "answer" in entry) {
          (found[table.what][decodeURIComponent(learner)] ??= {})[exercise] = entry;
          number += 1;
        }
      }
    } catch {
      return "";
    }
    return number ? JSON.stringify(found) : "";
  };
  return { keep, all };
}
