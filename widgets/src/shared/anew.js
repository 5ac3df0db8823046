// A widget whose kernel has no more of it, since it was restarted: one press runs in the new kernel what is needed (the
// import, and the cell again) and draws the new widget in the old one's place.

const VIEW = "application/vnd.jupyter.widget-view+json";
const IMPORT = "import labkit.jupyter\nget_ipython().run_line_magic('load_ext', 'labkit.jupyter')\n";

/** What is used of the widgets' manager in JupyterLab.
 * @typedef {{ content: { data?: Record<string, { model_id: string }>, ename?: string, evalue?: string } }} Reply
 * @typedef {{ done: Promise<unknown>, onIOPub: (reply: Reply) => void }} Future
 * @typedef {{ requestExecute: (what: { code: string, store_history: boolean }) => Future }} Kernel
 * @typedef {{ kernel: Kernel | null, get_model: (id: string) => Promise<any> }} Manager */

/** The text of the cell that this is in. @param {Element} where */
function sourceOf(where) {
  const lines = where.closest(".jp-Cell")?.querySelectorAll(".jp-InputArea-editor .cm-line") ?? [];
  return [...lines].map((line) => line.textContent).join("\n");
}

/** Runs the cell in the kernel that there is now. @param {Manager} manager @param {Element} where @returns its widget's model */
export async function madeAnew(manager, where) {
  const source = sourceOf(where);
  if (!manager.kernel || !source) throw new Error("there is no kernel, or no cell to run");
  const future = manager.kernel.requestExecute({ code: IMPORT + source, store_history: false });
  let [id, error] = ["", ""];
  future.onIOPub = ({ content }) => {
    id = content.data?.[VIEW]?.model_id ?? id;
    error = content.ename ? `${content.ename}: ${content.evalue}` : error;
  };
  await future.done;
  if (!id) throw new Error(error || "the cell shows no widget");
  return manager.get_model(id);
}

/** Is the kernel's end of it gone? @param {Manager} manager @param {string} id the model's */
export async function isLost(manager, id) {
  try {
    return !(await manager.get_model(id)).comm_live;
  } catch {
    return true;
  }
}
