// The browser's copy of the progress: a key an exercise and learner, so that tabs do not write over each other, under
// the name of the course, since other courses may have the same origin. It only ever grows better, as the file does.

const VERSION = 1;
const wholeNumber = (value) => (Number.isSafeInteger(value) ? value : -1);
const rank = (entry) => [entry?.passed === true ? 1 : 0, wholeNumber(entry?.at), wholeNumber(entry?.points)];
const wins = (one, other) => {
  const [a, b] = [rank(one), rank(other)];
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 || a[at] > b[at];
};
const JOINED = {
  answers: (now, old) => {
    const best = [now.best, old.best].filter(Number.isSafeInteger);
    return { ...(wins(now, old) ? now : old), tries: Math.max(now.tries, wholeNumber(old.tries)), ...(best.length ? { best: Math.min(...best) } : {}) };
  },
  drafts: (now, old) => (now.at >= wholeNumber(old.at) ? now : old),
};
const LARGEST = 100000; // characters of one entry

function browserStore(course) {
  const start = `labkit/${course}/${VERSION}/`;
  const read = (key) => {
    try {
      const found = JSON.parse(localStorage.getItem(key));
      return found !== null && typeof found === "object" ? found : {};
    } catch {
      return {};
    }
  };
  const write = (key, value) => {
    const text = JSON.stringify(value);
    if (text.length < LARGEST && text !== localStorage.getItem(key)) localStorage.setItem(key, text);
  };
  // Returns false where this browser keeps nothing (forbidden, or full).
  const keep = (known) => {
    try {
      if (known.learner && known.learner.at > wholeNumber(read(`${start}learner`).at)) write(`${start}learner`, known.learner);
      for (const what of Object.keys(JOINED)) {
        for (const [learner, table] of Object.entries(known[what] ?? {})) {
          for (const [exercise, entry] of Object.entries(table)) {
            const key = `${start}${what}/${encodeURIComponent(learner)}/${exercise}`;
            write(key, JOINED[what](entry, read(key)));
          }
        }
      }
      return true;
    } catch {
      return false;
    }
  };
  // All that is kept, as a progress file; "" where that is nothing.
  const all = () => {
    const found = { "labkit-progress": VERSION, learner: { name: "", seed: "", at: 0 }, answers: {}, drafts: {} };
    let number = 0;
    try {
      for (const key of Object.keys(localStorage).filter((name) => name.startsWith(start))) {
        const [what, learner, exercise] = key.slice(start.length).split("/");
        if (what === "learner") found.learner = read(key);
        else if (what in JOINED && exercise) {
          const entry = read(key);
          if (!("answer" in entry)) continue;
          (found[what][decodeURIComponent(learner)] ??= {})[exercise] = entry;
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

// The line that offers what the browser has; and what keeps the browser's copy up to date while the widget is there.
function keeping(model, send) {
  const store = browserStore(model.get("course"));
  const offer = element("div", { class: "lk-offer", role: "status" });
  const unfollow = follow(model, {
    kept: () => { offer.dataset.kept = String(store.keep(model.get("kept"))); },
    offer: () => {
      const text = model.get("offer");
      offer.replaceChildren(...(text
        ? [element("span", { textContent: `This browser remembers ${text}.` }),
          button("Bring them back", () => send({ do: "bring all back", text: store.all() })),
          button("Not now", () => send({ do: "not now" }))]
        : model.get("returned") ? [element("span", { textContent: model.get("returned") })] : []));
    },
    returned: () => { if (model.get("returned")) offer.replaceChildren(element("span", { textContent: model.get("returned") })); },
  });
  if (model.get("asks")) {
    const text = store.all();
    if (text) send({ do: "stored", text });
  }
  return { offer, stop: unfollow };
}
