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
 * }} Model */

/** What is to be done, with what else Python needs for it.
 * @typedef {{ do: string, [name: string]: unknown }} Message */
/** @typedef {(message: Message) => void} Send */
/** @template {object} Traits @typedef {{ [Name in keyof Traits]?: () => void }} Updates */
/** @template {object} Traits @typedef {{ model: Model<Traits>, el: HTMLElement }} Page */

const LOST = "The kernel was restarted, so nothing answers here. Run this cell again";

/** What a widget says to Python. After a restart of the kernel nobody hears it, and sending throws: then `lost` is told,
 * with what of the work is `kept`.
 * @template {object} Traits
 * @param {Model<Traits>} model
 * @param {(why: string) => void} lost */
export function voice(model, lost, kept = "") {
  /** @param {() => unknown} say */
  const heard = (say) => {
    const failed = () => lost(`${LOST}${kept}.`);
    try {
      Promise.resolve(say()).catch(failed);
    } catch {
      failed();
    }
  };
  return {
    send: /** @type {Send} */ ((message) => heard(() => model.send(message))),
    /** @template {keyof Traits & string} Name @param {Name} name @param {Traits[Name]} value */
    set: (name, value) => {
      model.set(name, value);
      heard(() => model.save_changes());
    },
  };
}

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
