/**
 * Where the language server is, and which Python can run it.
 *
 * Knows files and processes, nothing of `vscode`. Nothing here is ever found in a workspace: whoever wrote a
 * repository would choose the program that runs.
 */
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { posix, win32 } from "node:path";

/** What to start, and where; the folder is never that of a workspace, as `python -m` imports from it. */
export interface ServerCommand {
  command: string;
  args: string[];
  cwd: string;
}

/** What the user has set, and no workspace. */
export interface ServerSettings {
  command: string[];
  python: string;
}

/** What a look-up needs to know of the machine. */
export interface Machine {
  platform: NodeJS.Platform;
  env: NodeJS.ProcessEnv;
  home: string;
  workspaceFolders: readonly string[];
  /** Tell whether a file is there that can be executed. */
  isProgram(file: string): boolean;
  /** Resolve symbolic links, or return the path as it is. */
  realPath(file: string): string;
}

/** Run a program to its end, telling each line of its output; rejects only where it is cancelled. */
export type Run = (command: string, args: readonly string[], told?: (line: string) => void) => Promise<Ended>;

/** How a program ended: `code` is undefined where it could not be started or was killed. */
export interface Ended {
  code: number | undefined;
  output: string;
}

/** A problem whose message tells the user what to do. */
export class Problem extends Error {}

/** Return the command of the server, or undefined where there is none; `managed` is our environment's Python. */
export function locate(
  settings: ServerSettings,
  managed: string | undefined,
  cwd: string,
  machine: Machine,
): ServerCommand | undefined {
  // 1. The command that the user has set.
  const [command, ...args] = settings.command;
  if (command) {
    return { command: program(command, machine), args, cwd };
  }
  // 2. The Python that the user has set, which has Phial installed.
  if (settings.python) {
    return { command: program(settings.python, machine), args: ["-m", "phial", "serve"], cwd };
  }
  // 3. The environment that this extension has made.
  if (managed) {
    return { command: managed, args: ["-I", "-m", "phial", "serve"], cwd };
  }
  // 4. A `phial` on PATH.
  const found = onPath("phial", machine);
  return found ? { command: found, args: ["serve"], cwd } : undefined;
}

/** Return the values of the user's own settings; what is of another type counts as not set. */
export function readSettings(inspect: (key: string) => Inspected | undefined): ServerSettings {
  const value = (key: string) => inspect(key)?.globalValue ?? inspect(key)?.defaultValue;
  const command = value("command");
  const python = value("python");
  return {
    command: Array.isArray(command) && command.every((part) => typeof part === "string") ? command : [],
    python: typeof python === "string" ? python.trim() : "",
  };
}

/** What `WorkspaceConfiguration.inspect` tells, without what a workspace says. */
export interface Inspected {
  globalValue?: unknown;
  defaultValue?: unknown;
}

/** Return the absolute path of a program on PATH, or undefined. */
export function onPath(name: string, machine: Machine): string | undefined {
  return allOnPath(name, machine)[0];
}

/** A Python that can make an environment. */
export interface Python {
  executable: string;
  version: string;
}

/**
 * Return the Python to make an environment with: the one that was chosen, or the first suitable one on PATH.
 *
 * A virtual environment is passed over: it belongs to a project and may vanish. Throws a Problem where there is none.
 */
export async function choosePython(chosen: string | undefined, machine: Machine, run: Run): Promise<Python> {
  const launcher = machine.platform === "win32" ? onPath("py", machine) : undefined;
  const commands: string[][] = chosen
    ? [[chosen]]
    : [
        ...pythonNames.flatMap((name) => allOnPath(name, machine)).map((file) => [file]),
        ...(launcher ? [[launcher, "-3"]] : []),
      ];
  const seen: Candidate[] = [];
  for (const [command = "", ...args] of commands) {
    const candidate = await examine(command, args, run);
    if (!candidate || (!chosen && (candidate.inEnvironment || inWorkspace(candidate.executable, machine)))) {
      continue;
    }
    if (isRecent(candidate) && candidate.canMakeEnvironments) {
      return { executable: candidate.executable, version: candidate.version.join(".") };
    }
    seen.push(candidate);
  }
  throw new Problem(whyNone(seen, chosen, machine));
}

/** The machine that this process runs on. */
export function thisMachine(workspaceFolders: readonly string[]): Machine {
  return {
    platform: process.platform,
    env: process.env,
    home: homedir(),
    workspaceFolders,
    isProgram: (file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    },
    realPath: (file) => {
      try {
        return realpathSync(file);
      } catch {
        return file;
      }
    },
  };
}

/** Return the environment variables for a Python of ours: none that would lead it to another one's packages. */
export function pythonEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = [
    "VIRTUAL_ENV",
    "PYTHONHOME",
    "PYTHONPATH",
    "__PYVENV_LAUNCHER__",
    "PIP_TARGET",
    "PIP_PREFIX",
  ];
  const kept = Object.entries(env).filter(([name]) => !foreign.includes(name.toUpperCase()));
  // A `user = true` in pip's configuration is an error inside an environment.
  return { ...Object.fromEntries(kept), PIP_USER: "0", PYTHONUNBUFFERED: "1", PYTHONUTF8: "1" };
}

const pythonNames = ["python3.13", "python3.12", "python3.11", "python3.10", "python3", "python"];

const examination = `
import importlib.util as util, json, sys
print(json.dumps({
    "executable": sys.executable,
    "version": list(sys.version_info[:2]),
    "inEnvironment": sys.prefix != sys.base_prefix,
    "canMakeEnvironments": all(util.find_spec(name) for name in ("venv", "ensurepip")),
}))`;

interface Candidate {
  executable: string;
  version: [number, number];
  inEnvironment: boolean;
  canMakeEnvironments: boolean;
}

async function examine(command: string, args: string[], run: Run): Promise<Candidate | undefined> {
  const { code, output } = await run(command, [...args, "-I", "-c", examination]);
  const line = output.split("\n").find((text) => text.startsWith("{"));
  return code === 0 && line ? JSON.parse(line) : undefined;
}

function isRecent({ version: [major, minor] }: Candidate): boolean {
  return major > 3 || (major === 3 && minor >= 10);
}

function whyNone(seen: Candidate[], chosen: string | undefined, machine: Machine): string {
  const incomplete = seen.find(isRecent);
  if (incomplete) {
    const version = incomplete.version.join(".");
    const advice = machine.platform === "linux" ? ` Debian/Ubuntu: apt install python${version}-venv` : "";
    return `Python ${version} (${incomplete.executable}) cannot make environments: venv is missing.${advice}`;
  }
  const advice = {
    linux: "Debian/Ubuntu: apt install python3 python3-venv",
    win32: "Install it from python.org or the Microsoft Store.",
    darwin: "Install it from python.org, or with: brew install python",
  }[machine.platform as string];
  const [old] = seen;
  const what = old ? `Python ${old.version.join(".")} is too old` : "no Python was found";
  const reason = chosen && !old ? `${chosen} is not a Python that runs` : what;
  return `Phial needs Python 3.10 or later, but ${reason}. ${advice ?? ""}`.trim();
}

/** Return the absolute path of a program that a setting names; one that is not found stays as it is. */
function program(name: string, machine: Machine): string {
  if (/^~[\\/]/.test(name)) {
    return paths(machine).join(machine.home, name.slice(2));
  }
  return /[\\/]/.test(name) ? name : (onPath(name, machine) ?? name);
}

function allOnPath(name: string, machine: Machine): string[] {
  const path = paths(machine);
  const file = machine.platform === "win32" && !/\.exe$/i.test(name) ? `${name}.exe` : name;
  const [, folders = ""] = Object.entries(machine.env).find(([key]) => key.toUpperCase() === "PATH") ?? [];
  return folders
    .split(path.delimiter)
    .map((folder) => folder.replace(/^"(.*)"$/, "$1"))
    .filter((folder) => path.isAbsolute(folder)) // an empty or relative one means the current folder
    .map((folder) => path.join(folder, file))
    .filter((found) => machine.isProgram(found) && !inWorkspace(found, machine));
}

function inWorkspace(file: string, machine: Machine): boolean {
  const path = paths(machine);
  const both = (name: string) => [name, machine.realPath(name)];
  return machine.workspaceFolders.flatMap(both).some((folder) =>
    both(file).some((name) => {
      const way = path.relative(folder, name);
      return way !== ".." && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
    }),
  );
}

function paths(machine: Machine): typeof posix {
  return machine.platform === "win32" ? win32 : posix;
}
