// What is done once the typing pauses.

/** @param {number} pause milliseconds without a key @param {() => void} act */
export function later(pause, act) {
  let timer = 0;
  const stop = () => {
    clearTimeout(timer);
    timer = 0;
  };
  const now = () => {
    stop();
    act();
  };
  const start = () => {
    stop();
    timer = setTimeout(now, pause);
  };
  /** At once, if it is still to be done. */
  const settle = () => { if (timer) now(); };
  return { start, now, settle, stop };
}
