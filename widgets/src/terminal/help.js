// What `help` shows: what can be done in a terminal here, and its keys.
import { element, folded } from "../shared/element.js";
import { spans } from "../shared/prose.js";

/** @type {[string, string][]} */
const HELP = [
  ["docker …", "every command of Docker's client; `docker --help` lists them, `docker run --help` one command's flags."],
  ["ls, cat, grep …", "the shell of a small Linux machine, as root: pipes, loops, here-documents. `\\` at a line's end goes on on the next one."],
  ["nano FILE", "opens a file to edit."],
  ["clear", "clears the screen, as Ctrl-L does."],
  ["Tab", "completes commands, flags, names, ids and paths. With an empty line it goes on to the next control."],
  ["Escape, then Tab", "goes on to the next control whatever stands on the line. Shift+Tab goes back."],
  ["Arrow up, arrow down", "earlier commands. Ctrl-R looks for the last one that has in it what you typed."],
  ["Ctrl-C", "ends what runs, or gives the line up, and a command that is not complete. Ctrl-D ends what reads it."],
  ["Ctrl-A, E, U, K", "go to the line's ends; clear it before and after the cursor."],
  ["Shift+Enter", "goes on to the notebook's next cell."],
];

export function help() {
  const { body } = folded("Help and keys", { class: "lk-fold" }, element("dl", { class: "lk-keys" },
    ...HELP.flatMap(([key, what]) => [element("dt", {}, element("code", { textContent: key })), element("dd", {}, ...spans(what))])));
  const open = () => {
    body.open = true;
    body.scrollIntoView({ block: "nearest" });
  };
  return { body, open };
}
