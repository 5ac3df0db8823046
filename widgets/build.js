// Bundles each widget's entry, src/*.js, into one script and one style sheet in the folder that is named (labkit/jupyter/static).
import { readdirSync } from "node:fs";
import { build } from "esbuild";

const [folder = "../labkit/jupyter/static"] = process.argv.slice(2);
await build({
  entryPoints: readdirSync("src").filter((name) => name.endsWith(".js")).map((name) => `src/${name}`),
  outdir: folder,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  minify: true, // a page gets a widget's script anew with every widget
});
