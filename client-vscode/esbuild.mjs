import { build } from "esbuild";

const shared = { bundle: true, minify: true, sourcemap: false, logLevel: "warning", legalComments: "none" };

await Promise.all([
  build({
    ...shared,
    entryPoints: ["src/extension.ts"],
    outfile: "dist/extension.cjs",
    platform: "node",
    format: "cjs",
    target: "node20",
    external: ["vscode"],
  }),
  build({
    ...shared,
    entryPoints: ["webview/main.ts", "webview/panel.css"],
    outdir: "dist/webview",
    platform: "browser",
    format: "esm",
    target: "es2022",
    loader: { ".ttf": "file" },
  }),
]);
