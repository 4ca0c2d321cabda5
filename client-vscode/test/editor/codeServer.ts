/** A real VS Code that is served to a browser: everything it writes is below one folder, and it ends as a whole. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

export interface Options {
  /** An empty folder for all that is written: profile, extensions, models, logs. */
  home: string;
  settings?: Record<string, unknown>;
  /** Changes to the environment variables; undefined takes one away. */
  env?: Record<string, string | undefined>;
  port?: number;
}

export interface CodeServer {
  address: string;
  stop(): Promise<void>;
}

/** Install the extension's VSIX into a new VS Code and serve that on 127.0.0.1. */
export async function startCodeServer(options: Options): Promise<CodeServer> {
  await writeProfile(options);
  const env = environment(options);
  const [node, entry] = await program();
  const place = [
    ...["--user-data-dir", join(options.home, "user-data")],
    ...["--extensions-dir", join(options.home, "extensions")],
  ];
  await promisify(execFile)(node, [entry, ...place, "--install-extension", await builtVsix()], { env });
  const child = spawn(node, [entry, ...place, "--bind-addr", `127.0.0.1:${options.port ?? 0}`, ...quiet], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a group of its own, which is ended as a whole
  });
  const stop = () => stopAll(child, options.home);
  try {
    const address = await listening(child);
    return { address, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Put the starter model where the server of this VS Code looks for it; it is fetched once and kept. */
export async function provideStarter(home: string): Promise<void> {
  const kept = join(root, ".phial");
  const python = join(root, ".venv", "bin", "python");
  const env = { ...process.env, PHIAL_HOME: kept };
  await promisify(execFile)(python, ["-m", "phial", "models", "pull", "starter"], { env });
  await cp(join(kept, "models", "starter"), join(home, "phial", "models", "starter"), { recursive: true });
}

const quiet = [
  ...["--auth", "none", "--disable-telemetry", "--disable-update-check"],
  ...["--disable-workspace-trust", "--disable-getting-started-override"],
];

const defaults = {
  "editor.quickSuggestions": { other: "off", comments: "off", strings: "off" }, // it would take Tab
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "files.hotExit": "off",
  "phial.keepAlive": 0, // the model's process ends with the editor
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
};

async function writeProfile({ home, settings }: Options): Promise<void> {
  const text = JSON.stringify({ ...defaults, ...settings }, undefined, 2);
  // To the browser this is a remote machine, whose settings of the scope `machine` stand in a file of their own.
  for (const scope of ["User", "Machine"]) {
    const folder = join(home, "user-data", scope);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "settings.json"), text);
  }
}

function environment({ home, env }: Options): NodeJS.ProcessEnv {
  const nowhere = "http://127.0.0.1:9";
  return {
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(PHIAL|XDG|VSCODE|VIRTUAL_ENV)/.test(name)),
    ),
    HOME: home,
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_DATA_HOME: join(home, "data"),
    XDG_STATE_HOME: join(home, "state"),
    PHIAL_HOME: join(home, "phial"),
    // pip knows the user's package index from here.
    PIP_CONFIG_FILE: process.env.PIP_CONFIG_FILE ?? join(homedir(), ".config", "pip", "pip.conf"),
    EXTENSIONS_GALLERY: JSON.stringify({
      serviceUrl: nowhere,
      itemUrl: nowhere,
      resourceUrlTemplate: nowhere,
    }),
    VSCODE_CLI: "1", // else it would ask a login shell for the variables
    ...env,
  };
}

async function program(): Promise<[string, string]> {
  const entry = join(root, ".phial", "code-server", "node_modules", "code-server", "out", "node", "entry.js");
  await readFile(entry).catch(() => {
    throw new Error("VS Code is missing: run scripts/setup-editor");
  });
  // The one in `.venv/bin` is a script that stands between us and Node, and ends without it.
  const script = join(root, ".venv", "bin", "node");
  const { stdout } = await promisify(execFile)(script, ["--print", "process.execPath"]);
  return [stdout.trim(), entry];
}

async function builtVsix(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, "client-vscode", "package.json"), "utf8"));
  const name = `phial-${version}.vsix`;
  const built = await readdir(join(root, "dist")).catch((): string[] => []);
  if (!built.includes(name)) {
    throw new Error(`dist/${name} is missing: run scripts/build-vsix`);
  }
  return join(root, "dist", name);
}

async function listening(child: ChildProcess): Promise<string> {
  const heard: string[] = [];
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    heard.push(line);
    const [, address] = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line) ?? [];
    if (address) {
      child.stdout?.resume();
      child.stderr?.resume();
      return address;
    }
  }
  throw new Error(`VS Code did not start:\n${heard.join("\n")}`);
}

/** End the server, and then whatever has its HOME and does not end by itself. */
async function stopAll(child: ChildProcess, home: string): Promise<void> {
  signal(-(child.pid ?? 0), "SIGTERM");
  for (let patience = 50; patience > 0 && (await startedBelow(home)).length > 0; patience -= 1) {
    await setTimeout(100);
  }
  for (const pid of await startedBelow(home)) {
    signal(pid, "SIGKILL");
  }
}

async function startedBelow(home: string): Promise<number[]> {
  const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const own = await Promise.all(
    pids.map(async (pid) => {
      const variables = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return variables.split("\0").includes(`HOME=${home}`);
    }),
  );
  return pids.filter((_, index) => own[index]);
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error; // else it has ended by itself
    }
  }
}
