// A little of Markdown, as elements: paragraphs, lists, indented or fenced blocks, `code` and **bold**. Where no kernel
// runs labkit/jupyter/panel.py writes the same as HTML.
import { element } from "./element.js";

/** @typedef {"p" | "ul" | "pre"} Block */

const BLOCKS = {
  /** @param {string[]} lines */
  p: (lines) => element("p", {}, ...spans(lines.join(" "))),
  /** @param {string[]} lines */
  ul: (lines) => element("ul", {}, ...lines.map((line) => element("li", {}, ...spans(line)))),
  /** @param {string[]} lines */
  pre: (lines) => element("pre", {}, element("code", { textContent: lines.join("\n").replace(/\s+$/, "") })),
};

/** @param {string} text */
export function prose(text) {
  const made = element("div", { class: "lk-prose" });
  /** @type {{ name: Block, lines: string[] } | null} what the next line may still belong to */
  let open = null;
  const close = () => {
    if (open) made.append(BLOCKS[open.name](open.lines));
    open = null;
  };
  /** @param {Block} name @param {string} line */
  const into = (name, line) => {
    if (open?.name !== name) {
      close();
      open = { name, lines: [] };
    }
    open.lines.push(line);
  };
  let fenced = false;
  for (const line of text.split("\n")) {
    const before = /** @type {{ name: Block, lines: string[] } | null} */ (open);
    if (line.startsWith("```")) {
      fenced = !fenced;
      close();
    } else if (fenced) into("pre", line);
    else if (/^ {4}/.test(line) && (before === null || before.name === "pre")) into("pre", line.slice(4));
    else if (!line.trim()) {
      if (before?.name === "pre") into("pre", "");
      else close();
    } else if (/^[-*] /.test(line)) into("ul", line.slice(2));
    else if (/^\s/.test(line) && before?.name === "ul") before.lines.push(`${before.lines.pop()} ${line.trim()}`);
    else into("p", line.trim());
  }
  close();
  return made;
}

/** `code` and **bold** in a line.
 * @param {string} text @returns {(Node | string)[]} */
export function spans(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.length > 2 && part.startsWith("`") && part.endsWith("`")) return element("code", { textContent: part.slice(1, -1) });
    if (part.length > 4 && part.startsWith("**")) return element("strong", { textContent: part.slice(2, -2) });
    return part;
  });
}
