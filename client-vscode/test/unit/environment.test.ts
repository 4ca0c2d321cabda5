import { expect, test } from "vitest";
import {
  choosePython,
  locate,
  type Machine,
  onPath,
  Problem,
  pythonEnv,
  type Run,
  readSettings,
} from "../../src/environment";

const linux = (programs: string[], changes: Partial<Machine> = {}): Machine => ({
  platform: "linux",
  env: { PATH: "/usr/local/bin:/usr/bin" },
  home: "/home/ada",
  workspaceFolders: ["/home/ada/work"],
  isProgram: (file) => programs.includes(file),
  realPath: (file) => file,
  ...changes,
});
const windows = (programs: string[], path: string): Machine =>
  linux(programs, { platform: "win32", env: { Path: path }, workspaceFolders: ["C:\\work"] });

const all = linux(["/usr/bin/phial"]);

test.each([
  [
    { command: ["/opt/phial", "serve", "-v"], python: "/opt/python" },
    "/managed/python",
    ["/opt/phial", "serve", "-v"],
  ],
  [{ command: [], python: "/opt/python" }, "/managed/python", ["/opt/python", "-m", "phial", "serve"]],
  [{ command: [], python: "" }, "/managed/python", ["/managed/python", "-I", "-m", "phial", "serve"]],
  [{ command: [], python: "" }, undefined, ["/usr/bin/phial", "serve"]],
])("settings go before our own environment, and that before PATH", (settings, managed, expected) => {
  const { command, args, cwd } = locate(settings, managed, "/storage", all) ?? { args: [] };
  expect([command, ...args]).toEqual(expected);
  expect(cwd).toBe("/storage");
});

test("there may be no server at all", () => {
  expect(locate({ command: [], python: "" }, undefined, "/storage", linux([]))).toBeUndefined();
});

test.each([
  ["phial", "/usr/bin/phial"],
  ["~/bin/phial", "/home/ada/bin/phial"],
  ["missing", "missing"],
])("a program that a setting names: %s", (name, expected) => {
  expect(locate({ command: [name], python: "" }, undefined, "/storage", all)?.command).toBe(expected);
});

test.each([
  ["the first folder that has it", "/a:/b:/c", ["/b/phial", "/c/phial"], "/b/phial"],
  ["never the current folder", ":.:bin", ["phial", "./phial", "bin/phial", "/phial"], undefined],
  ["never the workspace", "/home/ada/work/.venv/bin", ["/home/ada/work/.venv/bin/phial"], undefined],
  [
    "a folder beside it",
    "/home/ada/work-2/bin",
    ["/home/ada/work-2/bin/phial"],
    "/home/ada/work-2/bin/phial",
  ],
  ["a folder with dots", "/home/ada/work/..bin", ["/home/ada/work/..bin/phial"], undefined],
  ["no PATH", "", ["/usr/bin/phial"], undefined],
])("PATH: %s", (_, path, programs, expected) => {
  expect(onPath("phial", linux(programs, { env: { PATH: path } }))).toBe(expected);
});

test("a link that leads into the workspace is in the workspace", () => {
  const realPath = (file: string) => file.replace("/usr/bin", "/home/ada/work/bin");
  expect(onPath("phial", linux(["/usr/bin/phial"], { realPath }))).toBeUndefined();
});

test.each([
  ["C:\\Tools;D:\\Phial", ["D:\\Phial\\phial.exe"], "D:\\Phial\\phial.exe"],
  [
    '"C:\\Program Files\\Phial"',
    ["C:\\Program Files\\Phial\\phial.exe"],
    "C:\\Program Files\\Phial\\phial.exe",
  ],
  ["c:\\WORK\\bin", ["c:\\WORK\\bin\\phial.exe"], undefined],
  [".;tools", [".\\phial.exe", "tools\\phial.exe", "phial.exe"], undefined],
])("PATH on Windows: %s", (path, programs, expected) => {
  expect(onPath("phial", windows(programs, path))).toBe(expected);
});

test("what a workspace sets is never read", () => {
  const inspected = {
    globalValue: undefined,
    defaultValue: "",
    workspaceValue: "/evil",
    workspaceFolderValue: "/evil",
  };
  expect(readSettings(() => inspected)).toEqual({ command: [], python: "" });
});

test("settings of the wrong type count as not set", () => {
  const values: Record<string, unknown> = { command: "phial serve", python: 3 };
  expect(readSettings((key) => ({ globalValue: values[key] }))).toEqual({ command: [], python: "" });
});

/** Pythons by the command that starts them; one that is undefined does not run. */
type Pythons = Record<
  string,
  { version?: [number, number]; inEnvironment?: boolean; whole?: boolean } | undefined
>;

const running =
  (pythons: Pythons): Run =>
  async (command, args) => {
    const python = pythons[args[0] === "-3" ? `${command} -3` : command];
    if (!python) {
      return { code: 1, output: "pyenv: not found" };
    }
    const { version = [3, 12], inEnvironment = false, whole = true } = python;
    const told = { executable: command, version, inEnvironment, canMakeEnvironments: whole };
    return { code: 0, output: JSON.stringify(told) };
  };

test.each<[string, Pythons, string]>([
  ["the preferred version", { "/usr/bin/python3": {}, "/usr/bin/python3.12": {} }, "/usr/bin/python3.12"],
  ["one that runs", { "/usr/bin/python3.12": undefined, "/usr/bin/python3": {} }, "/usr/bin/python3"],
  [
    "a recent one",
    { "/usr/local/bin/python3": { version: [3, 9] }, "/usr/bin/python3": {} },
    "/usr/bin/python3",
  ],
  ["a whole one", { "/usr/bin/python3.13": { whole: false }, "/usr/bin/python3": {} }, "/usr/bin/python3"],
  [
    "no project's",
    { "/usr/local/bin/python3": { inEnvironment: true }, "/usr/bin/python3": {} },
    "/usr/bin/python3",
  ],
])("Python: %s", async (_, pythons, expected) => {
  const found = await choosePython(undefined, linux(Object.keys(pythons)), running(pythons));
  expect(found.executable).toBe(expected);
});

test("a Python of the workspace is not used, even through a shim", async () => {
  const shim: Run = async () => {
    const told = {
      executable: "/home/ada/work/.venv/bin/python",
      version: [3, 12],
      canMakeEnvironments: true,
    };
    return { code: 0, output: JSON.stringify(told) };
  };
  await expect(choosePython(undefined, linux(["/usr/bin/python3"]), shim)).rejects.toThrow(Problem);
});

test("Windows has a launcher that finds Python", async () => {
  const found = await choosePython(
    undefined,
    windows(["C:\\Windows\\py.exe"], "C:\\Windows"),
    running({ "C:\\Windows\\py.exe -3": { version: [3, 13] } }),
  );
  expect(found.version).toBe("3.13");
});

test("a chosen Python may be in an environment", async () => {
  const run = running({ "/opt/python": { inEnvironment: true } });
  expect((await choosePython("/opt/python", linux([]), run)).executable).toBe("/opt/python");
});

test.each<[Pythons, RegExp]>([
  [{}, /no Python was found.*apt install python3 python3-venv/],
  [{ "/usr/bin/python3": { version: [3, 8] } }, /3\.8 is too old/],
  [{ "/usr/bin/python3": { whole: false } }, /apt install python3\.12-venv/],
])("without a suitable Python it says what to install", async (pythons, message) => {
  await expect(choosePython(undefined, linux(["/usr/bin/python3"]), running(pythons))).rejects.toThrow(
    message,
  );
});

test("a file that is no Python is named", async () => {
  await expect(choosePython("/etc/hosts", linux([]), running({}))).rejects.toThrow(
    "/etc/hosts is not a Python",
  );
});

test("a project's environment does not reach ours", () => {
  const env = pythonEnv({ VIRTUAL_ENV: "/work/.venv", PythonPath: "/work", HTTPS_PROXY: "http://proxy" });
  expect(env).toMatchObject({ HTTPS_PROXY: "http://proxy", PIP_USER: "0" });
  expect(Object.keys(env)).not.toContain("VIRTUAL_ENV");
  expect(Object.keys(env)).not.toContain("PythonPath");
});
