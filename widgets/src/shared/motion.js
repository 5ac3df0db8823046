// How a picture becomes the next one: what stays travels from its old place to its new one, what is new comes to it from
// above, a copied-up file from its layer and a mount from its source, what goes fades. The picture itself, an <img>, is
// out of sight meanwhile; over it lie copies of both drawings' shapes, which take no click and no key.
import { element } from "./element.js";

const LASTS = 350; // milliseconds
const ABOVE = 28; // from how high something new comes, in the drawing's units
const SHAPES = ["g", "polygon", "polyline", "path", "ellipse", "text"];
const MARK = / \[(NEW|CHANGED)\]/;
const VARIES = /, (running|exited|created|paused|restarting)$|\d[\d.]*[kMGT]?B|\d+ changed paths?/g; // of a row that stays

/** @typedef {{ body: SVGElement, text: string, isNew: boolean, start: number[] }} Row a row of a box, or a line with its label: and where that begins */
/** @typedef {[string, string][]} Moves what a new row says, and what is in the row that it comes from */

/** @param {Element} other of the same language @param {string} name */
const newIn = (other, name) => /** @type {SVGElement} */ (document.createElementNS(other.namespaceURI, name));

/** A copy of an element's shapes, and of nothing else that a drawing could hold. @param {Element} found @returns {SVGElement} */
function copied(found) {
  const made = newIn(found, found.localName);
  for (const { name, value } of found.attributes) if (!/^(on|id$|xml)/.test(name)) made.setAttribute(name, value);
  if (found.localName === "text") made.textContent = found.textContent;
  else made.append(...[...found.children].filter((child) => SHAPES.includes(child.localName)).map(copied));
  return made;
}

/** The drawing of an address `data:image/svg+xml;base64,…`. @param {string} address @param {string} width as the image has it */
function drawingOf(address, width) {
  const bytes = Uint8Array.from(atob(address.slice(address.indexOf(",") + 1)), (char) => char.charCodeAt(0));
  const made = copied(new DOMParser().parseFromString(new TextDecoder().decode(bytes), "image/svg+xml").documentElement);
  made.style.setProperty("--lk-width", width);
  return made;
}

/** @param {string} text of a list of numbers */
const numbers = (text) => (text.match(/-?[\d.]+/g) ?? []).map(Number);

/** The shapes of a box, a <g> for each row; of a line all in one. @param {Element} box @returns {Row[]} */
function rowsOf(box) {
  const path = box.querySelector("path");
  /** @type {Map<number, SVGElement>} */
  const bodies = new Map();
  let top = 0;
  for (const shape of [...box.children]) {
    if (!path && shape.localName === "polygon") top = Math.min(...numbers(shape.getAttribute("points") ?? "").filter((_, at) => at % 2));
    const body = bodies.get(top) ?? newIn(box, "g");
    bodies.set(top, body);
    body.append(shape);
  }
  const made = [...bodies.values()];
  box.append(...made);
  const whole = made[0]?.textContent?.includes("[NEW]"); // the row with the box's name is the first one
  return made.map((body) => {
    const text = body.textContent ?? "";
    return { body, text, isNew: whole || text.includes("[NEW]"), start: path ? numbers(path.getAttribute("d") ?? "").slice(0, 2) : [] };
  });
}

/** Where the marked rows of the drawing at this address are, as shares of its width and height; null: nowhere.
 * @param {string} address */
export function changedIn(address) {
  const svg = drawingOf(address, "");
  const [, , width = 1, height = 1] = numbers(svg.getAttribute("viewBox") ?? "");
  const [left = 0, top = 0] = numbers(/translate\(([^)]*)/.exec(svg.querySelector(".graph")?.getAttribute("transform") ?? "")?.[1] ?? "");
  const points = [...svg.querySelectorAll(".node, .edge")].flatMap(rowsOf).filter(({ text }) => MARK.test(text))
    .map(({ body }) => numbers([...body.querySelectorAll("polygon")].at(-1)?.getAttribute("points") ?? "")).flat();
  if (!points.length) return null;
  const [xs, ys] = [0, 1].map((rest) => points.filter((_, at) => at % 2 === rest));
  return {
    left: (Math.min(...xs ?? []) + left) / width, right: (Math.max(...xs ?? []) + left) / width,
    top: (Math.min(...ys ?? []) + top) / height, bottom: (Math.max(...ys ?? []) + top) / height,
  };
}

/** All rows of a drawing, by what stays of them while their numbers, their state and their mark change. @param {SVGElement} svg */
function named(svg) {
  /** @type {Map<string, Row>} */
  const rows = new Map();
  for (const box of svg.querySelectorAll(".node, .edge")) {
    for (const row of rowsOf(box)) {
      let name = row.text.replace(MARK, "").replace(VARIES, "#");
      while (rows.has(name)) name += "+";
      rows.set(name, row);
    }
  }
  return rows;
}

/** @param {Row} row */
const corner = ({ body }) => {
  const { left, top } = body.getBoundingClientRect();
  return [left, top];
};

/** From where a new row comes, in pixels: from another row, from where its line begins, from above; a row that changed is in its place.
 * @param {Row} row @param {Row | undefined} source @param {number} scale */
function wayOf(row, source, scale) {
  const [left = 0, top = 0] = corner(row);
  if (source) {
    const [x = 0, y = 0] = corner(source);
    return [x - left, y - top];
  }
  if (!row.isNew) return [0, 0];
  const [x, y] = row.start;
  const matrix = x === undefined ? null : /** @type {SVGGElement} */ (row.body).getScreenCTM();
  if (!matrix) return [0, -ABOVE * scale];
  const begins = new DOMPoint(x, y).matrixTransform(matrix);
  return [0, begins.y - top];
}

/** @param {SVGElement} old @param {SVGElement} now @param {Moves} moves @returns {Animation[]} */
function animated(old, now, moves) {
  const options = { duration: LASTS, easing: "ease-out" };
  const scale = now.getBoundingClientRect().width / (numbers(now.getAttribute("viewBox") ?? "")[2] || 1);
  const [before, after] = [named(old), named(now)];
  const sources = new Map(moves);
  /** @type {[Row, Keyframe][]} where each begins */
  const begins = [];
  for (const [name, row] of after) {
    const former = before.get(name);
    const layer = former ? undefined : sources.get(row.text.replace(MARK, ""));
    const source = former ?? (layer ? [...after.values()].find(({ text }) => text.includes(layer)) : undefined);
    const [x = 0, y = 0] = wayOf(row, source, scale);
    const transform = `translate(${x / scale}px, ${y / scale}px)`;
    if (!former) begins.push([row, { transform, opacity: source ? 1 : 0 }]);
    else if (x || y) begins.push([row, { transform, opacity: 1 }]);
  }
  for (const name of after.keys()) before.get(name)?.body.remove();
  return [
    ...begins.map(([{ body }, frame]) => body.animate([frame, { transform: "none", opacity: 1 }], options)),
    old.animate([{ opacity: 1 }, { opacity: 0 }], options),
  ];
}

/** Shows how the image's picture becomes the one at this address, so wide; what still moves from before stops at once.
 * @param {HTMLImageElement} image @param {string} address @param {string} width @param {Moves} moves */
export function move(image, address, width, moves) {
  image.parentElement?.querySelectorAll(".lk-moving").forEach((other) => other.remove());
  image.classList.remove("lk-still");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!image.src || still || !image.getBoundingClientRect().width || !image.src.startsWith("data:")) return;
  const [old, now] = [drawingOf(image.src, image.style.getPropertyValue("--lk-width")), drawingOf(address, width)];
  const layer = element("div", { class: "lk-moving", "aria-hidden": "true" }, now, old);
  image.before(layer);
  image.classList.add("lk-still");
  const running = animated(old, now, moves);
  Promise.allSettled(running.map((each) => each.finished)).then(() => {
    if (!layer.isConnected) return; // the next picture has come
    layer.remove();
    image.classList.remove("lk-still");
  });
}
