// Runs compile.py in Pyodide, with the folder that is named as /source: node compile.mjs FOLDER.
import { readFileSync } from "node:fs";
import { loadPyodide } from "pyodide";

const python = await loadPyodide({ env: { HOME: "/home/pyodide", PYTHONNODEBUGRANGES: "1", PYTHONDONTWRITEBYTECODE: "1" } });
python.mountNodeFS("/source", process.argv[2]);
try {
  python.runPython(readFileSync(new URL("compile.py", import.meta.url), "utf8"));
} catch (error) {
  console.error(error.message || String(error)); // without the source of Pyodide, which Node prints before what is not caught
  process.exit(1);
}
