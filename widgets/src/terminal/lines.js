// The lines that were typed before: arrow up and down go through them, Ctrl-R looks for one.

/** Commands, each on one line where backslashes join its lines. @param {import("./traits.js").Entry[]} log */
function whole(log) {
  /** @type {string[]} */
  const lines = [];
  for (const { prompt, line } of log) lines.push(prompt === "> " ? `${lines.pop() ?? ""}\n${line}` : line);
  return lines.map((line) => line.replace(/ *\\\n\s*/g, " "));
}

/** @param {import("./traits.js").TerminalModel} model @param {HTMLInputElement} input */
export function earlierLines(model, input) {
  /** @type {number | null} the line that is shown; null: what is being typed */
  let place = null;
  let typed = "";
  /** @type {string | null} what Ctrl-R looks for */
  let wanted = null;
  const known = () => whole(model.get("log"))
    .filter((line, index, lines) => !line.includes("\n") && line.trim() && line !== lines[index - 1]);
  /** @param {string} text */
  const write = (text) => {
    input.value = text;
    input.setSelectionRange(text.length, text.length);
  };
  return {
    /** One line back (-1) or forth (1). @param {number} step */
    recall: (step) => {
      const lines = known();
      if (place === null) typed = input.value;
      const next = (place ?? lines.length) + step;
      if (next < 0) return;
      place = next >= lines.length ? null : next;
      write(lines[next] ?? typed);
    },
    /** To the last line that has in it what was typed; again, to the one before. Gives what to say where there is none. */
    search: () => {
      const lines = known();
      wanted ??= input.value;
      const searched = wanted;
      const found = lines.slice(0, place ?? lines.length).findLastIndex((line) => line.includes(searched));
      if (found < 0) return `No earlier command has ${searched || "anything"} in it.`;
      place = found;
      write(lines[found] ?? "");
      return "";
    },
    /** Another line is being typed. */
    leave: () => { place = wanted = null; },
  };
}
