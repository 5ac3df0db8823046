// The widget's state, which Python keeps: to be read, followed, and talked to.

/** What the page needs of anywidget's model; Traits has the type of each trait.
 * @template {object} Traits
 * @typedef {{
 *   get<Name extends keyof Traits & string>(name: Name): Traits[Name],
 *   set<Name extends keyof Traits & string>(name: Name, value: Traits[Name]): void,
 *   save_changes(): void,
 *   send(message: Message): void,
 *   on(event: string, update: () => void): void,
 *   off(event: string, update: () => void): void,
 *   widget_manager: import("./anew.js").Manager,
 * }} Model */

/** What is to be done, with what else Python needs for it.
 * @typedef {{ do: string, [name: string]: unknown }} Message */
/** @typedef {(message: Message) => void} Send */
/** @template {object} Traits @typedef {{ [Name in keyof Traits]?: () => void }} Updates */
/** @template {object} Traits @typedef {{ model: Model<Traits>, el: HTMLElement }} Page */

/** The same model; where the kernel has no more of it, so that sending fails, `lost` is told.
 * @template {object} Traits
 * @param {Model<Traits>} model
 * @param {() => void} lost
 * @returns {Model<Traits>} */
export function heard(model, lost) {
  /** @param {() => unknown} say */
  const said = (say) => {
    try {
      Promise.resolve(say()).catch(lost);
    } catch {
      lost();
    }
  };
  return {
    get: (name) => model.get(name),
    set: (name, value) => model.set(name, value),
    save_changes: () => said(() => model.save_changes()),
    send: (message) => said(() => model.send(message)),
    on: (event, update) => model.on(event, update),
    off: (event, update) => model.off(event, update),
    widget_manager: model.widget_manager,
  };
}

/** What a widget says to Python. @template {object} Traits @param {Model<Traits>} model */
export const voice = (model) => ({
  send: /** @type {Send} */ ((message) => model.send(message)),
  /** @template {keyof Traits & string} Name @param {Name} name @param {Traits[Name]} value */
  set: (name, value) => {
    model.set(name, value);
    model.save_changes();
  },
});

/** Calls each function now and whenever the trait of its name changes; gives back what stops that.
 * @template {object} Traits
 * @param {Model<Traits>} model
 * @param {Updates<Traits>} updates */
export function follow(model, updates) {
  const rows = /** @type {[string, () => void][]} */ (Object.entries(updates));
  for (const [trait, update] of rows) {
    model.on(`change:${trait}`, update);
    update();
  }
  return () => {
    for (const [trait, update] of rows) model.off(`change:${trait}`, update);
  };
}
