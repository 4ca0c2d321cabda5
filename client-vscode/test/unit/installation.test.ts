import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Problem, type Run } from "../../src/environment";
import {
  install,
  installations,
  isInstalled,
  removeOthers,
  runner,
  type Wanted,
  wantedInstallation,
  whileLocked,
} from "../../src/installation";

let folder: string;
let storage: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "phial-"));
  storage = join(folder, "storage");
  mkdirSync(storage);
});
afterEach(() => rmSync(folder, { recursive: true }));

const python = { executable: "/usr/bin/python3", version: "3.12" };

async function wanted(content = "wheel"): Promise<Wanted> {
  mkdirSync(join(folder, "wheels"), { recursive: true });
  writeFileSync(join(folder, "wheels", "phial_ls-0.1.0-py3-none-any.whl"), content);
  const found = await wantedInstallation(storage, join(folder, "wheels"));
  return found ?? expect.fail("no wheel");
}

/** A Python that makes the environment's interpreter, and of which one step may fail. */
function pip(failing?: string, output = "ERROR: no"): { run: Run; commands: string[] } {
  const commands: string[] = [];
  const run: Run = async (command, args, told) => {
    commands.push([command, ...args].join(" "));
    if (failing && args.includes(failing)) {
      return { code: 1, output };
    }
    if (args.includes("venv")) {
      const interpreter = join(args.at(-1) ?? "", "bin", "python");
      mkdirSync(dirname(interpreter), { recursive: true });
      writeFileSync(interpreter, "");
    }
    told?.("Collecting openvino>=2026.4 (from phial-ls)");
    return { code: 0, output: "phial 0.1.0\n" };
  };
  return { run, commands };
}

test("an installation is whole once its stamp is there, and found from then on", async () => {
  const environment = await wanted();
  const steps: string[] = [];
  expect(await isInstalled(environment)).toBe(false);
  await install(environment, python, pip().run, (step) => steps.push(step));
  expect(await isInstalled(environment)).toBe(true);
  expect((await installations(storage)).map((made) => made.folder)).toEqual([environment.folder]);
  expect(steps).toContain("Looking for openvino");
});

test.each(["venv", "install", "--version"])("nothing is left where %s fails", async (step) => {
  const environment = await wanted();
  await expect(install(environment, python, pip(step).run, () => undefined)).rejects.toThrow(Problem);
  expect(readdirSync(storage)).toEqual([]);
});

test("a server that is not the wheel's is not taken for it", async () => {
  const { run } = pip();
  const older: Run = async (...command) => ({ ...(await run(...command)), output: "phial 0.0.9" });
  await expect(install(await wanted(), python, older, () => undefined)).rejects.toThrow("phial 0.0.9");
});

test("what a kill has left does not count, and is made anew", async () => {
  const environment = await wanted();
  mkdirSync(join(environment.folder, "bin"), { recursive: true });
  writeFileSync(environment.python, "");
  writeFileSync(join(environment.folder, "rest"), "");
  expect(await installations(storage)).toEqual([]);
  await install(environment, python, pip().run, () => undefined);
  expect(existsSync(join(environment.folder, "rest"))).toBe(false);
});

test("an environment whose Python has gone does not count", async () => {
  const environment = await wanted();
  await install(environment, python, pip().run, () => undefined);
  rmSync(environment.python);
  expect(await isInstalled(environment)).toBe(false);
  expect(await installations(storage)).toEqual([]);
});

test("another wheel of the same version is another installation; the latest stands first", async () => {
  const older = await wanted("one");
  const newer = await wanted("two");
  await install(newer, python, pip().run, () => undefined);
  await install(older, python, pip().run, () => undefined);
  utimesSync(join(older.folder, "installed"), 1, 1);
  expect((await installations(storage)).map((made) => made.folder)).toEqual([newer.folder, older.folder]);
});

test.each([
  ["", false],
  ["FOLDER/bin/python -m phial serve", true],
])("an older version goes when nothing runs from it: %s", async (processes, stays) => {
  const older = await wanted("one");
  await install(older, python, pip().run, () => undefined);
  const output = processes.replace("FOLDER", older.folder);
  await removeOthers(storage, await wanted("two"), async () => ({ code: 0, output }));
  expect(existsSync(older.folder)).toBe(stays);
});

test("without a list of processes nothing is removed", async () => {
  const older = await wanted("one");
  await install(older, python, pip().run, () => undefined);
  await removeOthers(storage, await wanted("two"), async () => ({ code: undefined, output: "" }));
  expect(existsSync(older.folder)).toBe(true);
});

test("one window installs at a time", async () => {
  const { signal } = new AbortController();
  const told: string[] = [];
  const first = whileLocked(storage, signal, expect.fail, async () => {
    await expect.poll(() => told).toContain("waiting");
    told.push("first");
  });
  await expect.poll(() => readdirSync(storage)).toEqual([".installing"]);
  const second = whileLocked(
    storage,
    signal,
    () => told.push("waiting"),
    async () => told.push("second"),
    1000,
  );
  await Promise.all([first, second]);
  expect(told.filter((word) => word !== "waiting")).toEqual(["first", "second"]);
  expect(readdirSync(storage)).toEqual([]);
});

test("the lock of a window that was killed is overtaken", async () => {
  mkdirSync(join(storage, ".installing"));
  utimesSync(join(storage, ".installing"), 1, 1);
  const { signal } = new AbortController();
  expect(await whileLocked(storage, signal, expect.fail, async () => "done")).toBe("done");
});

test("waiting for another window can be cancelled", async () => {
  mkdirSync(join(storage, ".installing"));
  const abort = new AbortController();
  const work = whileLocked(storage, abort.signal, () => abort.abort(), expect.fail);
  await expect(work).rejects.toMatchObject({ name: "AbortError" });
});

test("a program is run and its lines are told", async () => {
  const lines: string[] = [];
  const run = runner(folder, new AbortController().signal, () => undefined);
  const { code, output } = await run("/bin/sh", ["-c", "echo one; echo two >&2; exit 3"], (line) =>
    lines.push(line),
  );
  expect([code, output]).toEqual([3, "one\ntwo\n"]);
  expect(lines).toEqual(["one", "two"]);
});

test("a program that is not there has not ended well", async () => {
  const run = runner(folder, new AbortController().signal, () => undefined);
  expect(await run(join(folder, "missing"), [])).toMatchObject({ code: undefined });
});

test("cancelling kills what the program has started, too", async () => {
  const abort = new AbortController();
  const run = runner(folder, abort.signal, () => undefined);
  // The grandchild holds the output open: the program has not ended before it has.
  const ended = run("/bin/sh", ["-c", "sleep 60 & echo; wait"], () => abort.abort());
  await expect(ended).rejects.toMatchObject({ name: "AbortError" });
});
