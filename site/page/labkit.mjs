// What the page's kernels take for Pyodide: Pyodide with all of the course's Python in it, and Graphviz beside it.
// The kernel imports it in its worker (jupyter-lite.json names it as pyodideUrl); so does the playground's page.
import { loadPyodide as load } from "./pyodide.mjs";
import { instance } from "./viz.js";

const packed = fetch(new URL("./course.tar.zst", import.meta.url)).then((answer) => answer.arrayBuffer());
const BLOCK = 512;

/** Writes the files of a tar archive below /. */
function unpack(archive, FS) {
  const text = new TextDecoder();
  const field = (at, start, length) => text.decode(archive.subarray(at + start, at + start + length)).split("\0")[0];
  const made = new Set();
  for (let at = 0; archive[at];) {
    const size = parseInt(field(at, 124, 12), 8);
    const path = `/${[field(at, 345, 155), field(at, 0, 100)].filter(Boolean).join("/")}`;
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!made.has(folder)) FS.mkdirTree(folder);
    made.add(folder);
    FS.writeFile(path, archive.subarray(at + BLOCK, at + BLOCK + size), { canOwn: false });
    at += BLOCK * (1 + Math.ceil(size / BLOCK));
  }
}

// The kernel's plugin names packages that are not to be installed any more; all of them are in the archive.
export async function loadPyodide({ packages, env, ...options }) {
  const [python, bytes, graphviz] = await Promise.all([
    load({ ...options, env: { HOME: "/home/pyodide", LABKIT_HOME: "/drive/.labkit", ...env } }), packed, instance()]);
  const decompress = python.runPython("from _zstd import ZstdDecompressor\nlambda data: ZstdDecompressor().decompress(data.to_bytes())");
  const whole = decompress(new Uint8Array(bytes));
  const view = whole.getBuffer("u8");
  unpack(view.data, python.FS);
  view.release();
  whole.destroy();
  decompress.destroy();
  // The rest of Python's own library is no zip; and nothing of the archive was there when the paths were first read.
  python.runPython("import sys\nsys.path.insert(1, '/lib/python3.14')\nsys.path_importer_cache.clear()");
  globalThis.labkitDraw = (dot) => graphviz.renderString(dot, { format: "svg" });
  return python;
}
