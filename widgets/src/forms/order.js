// Lines to bring into order: with the mouse a line is drawn to its place; with the keyboard its buttons, or the arrows on them.
import { button, element } from "../shared/element.js";

/** @typedef {{ by: number, name: string, sign: string, word: string }} Way */
/** @type {Way[]} */
const WAYS = [{ by: -1, name: "lk-up", sign: "↑", word: "up" }, { by: 1, name: "lk-down", sign: "↓", word: "down" }];
const HELP = "Draw a line to its place, or use its buttons; on them the arrow keys work too.";

/** @param {import("./form.js").FormRecord} form @param {import("./form.js").Draft} draft @returns {import("./form.js").Form} */
export function orderForm({ options = [] }, draft) {
  const first = () => options.map((option) => option.value);
  const drafted = draft.get();
  let values = Array.isArray(drafted) ? drafted : first();
  const texts = new Map(options.map((option) => [option.value, option.text]));
  const list = element("ol", { class: "lk-order" });
  const said = element("div", { class: "lk-unseen", role: "status" });
  /** @param {number} from @param {number} to */
  const put = (from, to) => {
    if (to < 0 || to >= values.length || to === from) return false;
    values = [...values];
    values.splice(to, 0, ...values.splice(from, 1));
    fill();
    return true;
  };
  /** @param {number} index */
  const tell = (index) => {
    draft.set(values);
    said.textContent = `${texts.get(values[index] ?? "")} is now number ${index + 1} of ${values.length}`;
  };
  /** @param {string} value @param {number} by */
  const move = (value, by) => {
    const to = values.indexOf(value) + by;
    if (!put(to - by, to)) return;
    tell(to);
    const buttons = [...(list.children[to]?.querySelectorAll("button:not(:disabled)") ?? [])];
    const wanted = buttons.find((each) => each.classList.contains(by < 0 ? "lk-up" : "lk-down")) ?? buttons[0];
    if (wanted instanceof HTMLElement) wanted.focus();
  };
  /** @param {string} value @param {number} index @param {Way} way */
  const step = (value, index, way) => button(way.sign, () => move(value, way.by), {
    class: `lk-button ${way.name}`,
    disabled: index + way.by < 0 || index + way.by >= values.length,
    "aria-label": `Move ${way.word}: ${texts.get(value)}`,
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      move(value, by);
    },
  });
  const fill = () => list.replaceChildren(...values.map((value, index) => element("li", {},
    element("span", { class: "lk-line" },
      element("span", { class: "lk-moves" }, ...WAYS.map((way) => step(value, index, way))),
      element("code", { textContent: texts.get(value) })))));
  fill();
  draggable(list, put, tell, fill);
  return {
    body: element("div", {}, element("p", { class: "lk-help lk-quiet", textContent: HELP }), list, said),
    read: () => values,
    clear: () => {
      values = first();
      fill();
    },
  };
}

/** Rows that a mouse draws to their place: `put` moves one, `dropped` is told where it came to lie, `redraw` takes the sign off it.
 * @param {HTMLElement} list @param {(from: number, to: number) => boolean} put @param {(at: number) => void} dropped @param {() => void} redraw */
function draggable(list, put, dropped, redraw) {
  list.addEventListener("pointerdown", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const origin = [...list.children].findIndex((row) => row.contains(target));
    if (event.button !== 0 || origin < 0 || target?.closest("button")) return;
    event.preventDefault();
    let at = origin;
    /** @param {PointerEvent} moved */
    const over = (moved) => {
      const rows = [...list.children];
      const below = rows.findIndex((row) => moved.clientY < row.getBoundingClientRect().bottom);
      const to = below < 0 ? rows.length - 1 : below;
      if (put(at, to)) at = to;
      list.children[at]?.classList.add("lk-dragged");
    };
    const stop = new AbortController();
    /** @param {PointerEvent} ended */
    const end = (ended) => {
      stop.abort();
      if (ended.type === "pointercancel") put(at, origin);
      else if (at !== origin) dropped(at);
      redraw();
    };
    list.setPointerCapture(event.pointerId);
    list.addEventListener("pointermove", over, { signal: stop.signal });
    list.addEventListener("pointerup", end, { signal: stop.signal });
    list.addEventListener("pointercancel", end, { signal: stop.signal });
  });
}
