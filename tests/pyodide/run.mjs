// Runs the Python file that is named first, in Pyodide, with the source tree that is named second as /labkit.
// Prints what it prints; exits with 1 where it fails.
import { readFileSync } from "node:fs";
import { loadPyodide } from "../../site/node_modules/pyodide/pyodide.mjs";

const [program, tree] = process.argv.slice(2);
const pyodide = await loadPyodide();
pyodide.mountNodeFS("/labkit", tree);
pyodide.runPython("import sys; sys.path.insert(0, '/labkit'); sys.dont_write_bytecode = True");
try {
  await pyodide.runPythonAsync(readFileSync(program, "utf8"), { filename: program });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
