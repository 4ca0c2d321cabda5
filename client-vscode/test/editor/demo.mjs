// Serve a VS Code with the extension, the starter model and a copy of the sample folder until Ctrl+C.
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provideStarter, root, startCodeServer } from "./codeServer.ts";

const home = await mkdtemp(join(tmpdir(), "phial-demo-"));
const workspace = join(home, "sample");
let server;
try {
  const end = Promise.race(
    ["SIGINT", "SIGTERM"].map((name) => new Promise((resolve) => process.once(name, resolve))),
  );
  console.error("Fetching the starter model and starting VS Code ...");
  await cp(join(import.meta.dirname, "sample"), workspace, { recursive: true });
  await provideStarter(home);
  const settings = { "phial.server.python": join(root, ".venv", "bin", "python"), "phial.keepAlive": 1 };
  server = await startCodeServer({ home, settings, port: Number(process.env.PORT ?? 0) });
  console.log(`Open ${server.address}/?folder=${workspace}\nCtrl+C ends it.`);
  await end;
} finally {
  await server?.stop();
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
}
