/** Run a language server, and keep what it says in a file: node recorder.mjs FILE COMMAND... */
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";

const [file, command, ...args] = process.argv.slice(2);
const server = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
const kept = createWriteStream(file, { flags: "a" });
process.stdin.pipe(server.stdin);
server.stdout.on("data", (data) => {
  kept.write(data);
  process.stdout.write(data);
});
server.on("exit", (code) => process.exit(code ?? 1));
