/**
 * The environment that the extension makes for the server, in a folder of its own.
 *
 * A virtual environment cannot be moved, so it is made where it stays: in a folder named for the version and the
 * content of the wheel. A stamp, written last, tells that it is whole; without one it does not exist.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Ended, Problem, type Python, pythonEnv, type Run } from "./environment";
import { explainFailure, lastLine, pipStep } from "./pipOutput";

/** Which environment goes with which wheel. */
export interface Installation {
  folder: string;
  /** The environment's interpreter. */
  python: string;
}

/** The environment of the wheel that this extension brings. */
export interface Wanted extends Installation {
  wheel: string;
  version: string;
}

/** Return the environment that goes with the wheel in a folder, or undefined where there is no wheel. */
export async function wantedInstallation(storage: string, wheels: string): Promise<Wanted | undefined> {
  const name = (await readdir(wheels).catch(() => [])).find((file) => file.endsWith(".whl"));
  if (!name) {
    return undefined;
  }
  const wheel = join(wheels, name);
  const version = name.split("-")[1] ?? "";
  const hash = createHash("sha256")
    .update(await readFile(wheel))
    .digest("hex");
  return { ...installation(join(storage, `server-${version}-${hash.slice(0, 12)}`)), wheel, version };
}

/** Return whole environments, the latest first. */
export async function installations(storage: string): Promise<Installation[]> {
  const names = (await readdir(storage).catch(() => [])).filter((name) => name.startsWith("server-"));
  const found = await Promise.all(
    names.map(async (name) => {
      const made = installation(join(storage, name));
      const stamp = await stat(stampOf(made)).catch(() => undefined);
      return { made, time: (await exists(made.python)) ? stamp?.mtimeMs : undefined };
    }),
  );
  return found
    .filter(({ time }) => time !== undefined)
    .sort((one, other) => (other.time ?? 0) - (one.time ?? 0))
    .map(({ made }) => made);
}

/** Tell whether the environment is whole. */
export async function isInstalled(wanted: Installation): Promise<boolean> {
  return (await exists(stampOf(wanted))) && (await exists(wanted.python));
}

/**
 * Make the environment, telling what is being done. Throws a Problem.
 *
 * Whatever ends this half-way, nothing is left that looks installed.
 */
export async function install(
  wanted: Wanted,
  python: Python,
  run: Run,
  told: (step: string) => void,
): Promise<void> {
  const step = async (command: string, args: string[], line?: (text: string) => void) => {
    const { code, output } = await run(command, args, line);
    if (code !== 0) {
      throw new Problem(explainFailure(output, python, wanted.folder));
    }
    return output;
  };
  await discard(wanted);
  try {
    told(`Making an environment with Python ${python.version}`);
    await step(python.executable, ["-I", "-m", "venv", wanted.folder]);
    told("Asking the package index");
    await step(wanted.python, [...pipInstall, wanted.wheel], (line) => {
      const doing = pipStep(line);
      if (doing) {
        told(doing);
      }
    });
    told("Checking");
    const version = await step(wanted.python, ["-I", "-m", "phial", "--version"]);
    if (!version.includes(wanted.version)) {
      throw new Problem(`The installed server does not start: ${lastLine(version)}`);
    }
    const unfinished = `${stampOf(wanted)}.unfinished`;
    await writeFile(unfinished, `${python.executable}\n`);
    await rename(unfinished, stampOf(wanted));
  } catch (error) {
    await discard(wanted).catch(() => undefined); // the reason matters more; without a stamp it is not installed
    throw error;
  }
}

/** Delete environments of other versions that no process runs from. */
export async function removeOthers(storage: string, wanted: Installation, run: Run): Promise<void> {
  const others = (await readdir(storage)).filter((name) => name.startsWith("server-"));
  const folders = others.map((name) => join(storage, name)).filter((folder) => folder !== wanted.folder);
  if (folders.length === 0) {
    return;
  }
  const processes = process.platform === "win32" ? undefined : await run("ps", ["-A", "-o", "args="]);
  for (const folder of folders) {
    if (processes ? processes.code === 0 && !processes.output.includes(folder) : await canBeRenamed(folder)) {
      await discard(installation(folder));
    }
  }
}

/** Do some work while no other window does; one that was killed at it is overtaken after `patience` milliseconds. */
export async function whileLocked<Result>(
  storage: string,
  signal: AbortSignal,
  waiting: () => void,
  work: () => Promise<Result>,
  patience = 20_000,
): Promise<Result> {
  const lock = join(storage, ".installing");
  await mkdir(storage, { recursive: true });
  while (!(await taken(lock))) {
    const age = Date.now() - ((await stat(lock).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > patience) {
      await rm(lock, { recursive: true, force: true });
      continue;
    }
    waiting();
    await setTimeout(patience / 40, undefined, { signal });
  }
  const heartbeat = setInterval(
    () => utimes(lock, new Date(), new Date()).catch(() => undefined),
    patience / 8,
  );
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(lock, { recursive: true, force: true });
  }
}

/** Return a runner whose programs, and all that they start, are killed when the signal is given. */
export function runner(cwd: string, signal: AbortSignal, log: (line: string) => void): Run {
  return async (command, args, told) => {
    signal.throwIfAborted();
    await mkdir(cwd, { recursive: true });
    log(`> ${[command, ...args.map((arg) => (arg.includes("\n") ? "..." : arg))].join(" ")}`);
    const child = spawn(command, args, {
      cwd,
      env: pythonEnv(process.env),
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
      // A group of its own, which can be killed as a whole. On Windows it would open a console.
      detached: process.platform !== "win32",
    });
    const kill = () => killTree(child);
    signal.addEventListener("abort", kill);
    try {
      const ended = await end(child, (line) => {
        log(line);
        told?.(line);
      });
      signal.throwIfAborted();
      return ended;
    } finally {
      signal.removeEventListener("abort", kill);
    }
  };
}

const pipInstall = [
  ...["-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check"],
  ...["--progress-bar", "off", "--no-warn-script-location"],
];

function installation(folder: string): Installation {
  const python = process.platform === "win32" ? join("Scripts", "python.exe") : join("bin", "python");
  return { folder, python: join(folder, python) };
}

function stampOf({ folder }: Installation): string {
  return join(folder, "installed");
}

/** Delete an environment; the stamp goes first, so that what is left of it does not count. */
async function discard(made: Installation): Promise<void> {
  await rm(stampOf(made), { force: true });
  await rm(made.folder, { recursive: true, force: true, maxRetries: 5 });
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Windows does not rename a folder that a program runs from. */
async function canBeRenamed(folder: string): Promise<boolean> {
  const aside = `${folder}-old`;
  return rename(folder, aside).then(
    () => rename(aside, folder).then(() => true),
    () => false,
  );
}

async function taken(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      return false;
    }
    throw error;
  }
}

async function end(child: ChildProcess, told: (line: string) => void): Promise<Ended> {
  let output = "";
  let line = "";
  const hear = (piece: string) => {
    output += piece;
    const lines = (line + piece).split(/\r?\n/);
    line = lines.pop() ?? "";
    for (const text of lines) {
      told(text);
    }
  };
  child.stdout?.setEncoding("utf8").on("data", hear);
  child.stderr?.setEncoding("utf8").on("data", hear);
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: undefined, output: output + error.message }));
    child.once("close", (code) => resolve({ code: code ?? undefined, output }));
  });
}

function killTree(child: ChildProcess): void {
  if (child.pid === undefined) {
    return;
  }
  if (process.platform === "win32") {
    spawn("taskkill", ["/T", "/F", "/PID", String(child.pid)], { windowsHide: true, stdio: "ignore" });
    return;
  }
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error; // else it has ended by itself
    }
  }
}
