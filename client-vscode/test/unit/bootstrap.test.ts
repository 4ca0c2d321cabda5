import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ExtensionContext, LogOutputChannel } from "vscode";
import { findServer, installServer, renewIfOutdated } from "../../src/bootstrap";

/** What the user would click, and what the editor was asked for: the fake stands where the editor does. */
const editor = vi.hoisted(() => ({
  answers: [] as string[],
  asked: [] as string[],
  executed: [] as string[],
  settings: {} as Record<string, unknown>,
  workspaceSettings: {} as Record<string, unknown>,
}));

vi.mock("vscode", () => {
  const ask = async (message: string, ...items: string[]) => {
    editor.asked.push(message);
    return items.find((item) => item === editor.answers[0]) && editor.answers.shift();
  };
  return {
    ProgressLocation: { Notification: 15 },
    Uri: {
      joinPath: (uri: { fsPath: string }, ...parts: string[]) => ({
        fsPath: [uri.fsPath, ...parts].join("/"),
      }),
    },
    commands: { executeCommand: async (command: string) => editor.executed.push(command) },
    window: {
      showErrorMessage: ask,
      showInformationMessage: ask,
      showOpenDialog: async () => [{ fsPath: "/nowhere/python" }],
      withProgress: (_: unknown, work: (progress: object, token: object) => unknown) =>
        work({ report: () => undefined }, { onCancellationRequested: () => undefined }),
    },
    workspace: {
      workspaceFolders: undefined,
      getConfiguration: () => ({
        inspect: (key: string) => ({
          globalValue: editor.settings[key],
          workspaceValue: editor.workspaceSettings[key],
        }),
      }),
    },
  };
});

let folder: string;
let context: ExtensionContext;
const log = {
  info: () => undefined,
  error: () => undefined,
  warn: () => undefined,
} as unknown as LogOutputChannel;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "phial-"));
  const state = new Map<string, unknown>();
  context = {
    globalStorageUri: { fsPath: join(folder, "storage") },
    extensionUri: { fsPath: folder },
    globalState: {
      get: (key: string) => state.get(key),
      update: async (key: string, value: unknown) => state.set(key, value),
    },
    subscriptions: [],
  } as unknown as ExtensionContext;
  mkdirSync(join(folder, "dist", "server"), { recursive: true });
  writeFileSync(join(folder, "dist", "server", "phial_ls-0.1.0-py3-none-any.whl"), "");
  Object.assign(editor, { answers: [], asked: [], executed: [], settings: {}, workspaceSettings: {} });
  vi.stubEnv("PATH", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test("the user's setting is used, and nothing is offered", async () => {
  editor.settings = { command: ["/opt/phial", "serve"] };
  expect((await findServer(context, log))?.command).toBe("/opt/phial");
  expect(editor.asked).toEqual([]);
});

test("a workspace's setting is not", async () => {
  editor.workspaceSettings = { command: ["/evil"], python: "/evil" };
  expect(await findServer(context, log)).toBeUndefined();
});

test("where there is no server it is offered, and nothing happens without a yes", async () => {
  editor.answers = ["Not now"];
  expect(await findServer(context, log)).toBeUndefined();
  await expect.poll(() => editor.answers).toEqual([]);
  expect(editor.asked).toHaveLength(1);
  expect(editor.executed).toEqual([]);
  expect(readdirSync(join(folder, "storage"))).toEqual([]);
});

test.each(["Install", "Choose Python..."])("%s installs it", async (answer) => {
  editor.answers = [answer];
  await findServer(context, log);
  await expect.poll(() => editor.executed).toEqual(["phial.server.install"]);
});

test("a failure is told, and tried again where the user wants it", async () => {
  editor.answers = ["Try Again", "Choose Python..."];
  expect(await installServer(context, log)).toBeUndefined();
  expect(editor.asked).toHaveLength(3);
  expect(editor.asked[1]).toMatch(/could not be installed. Phial needs Python 3.10/);
  expect(editor.asked[2]).toMatch("/nowhere/python is not a Python that runs");
});

test("a build without a server says so", async () => {
  rmSync(join(folder, "dist"), { recursive: true });
  expect(await installServer(context, log)).toBeUndefined();
  expect(editor.asked[0]).toMatch(/brings no server/);
});

test("it is installed with a Python from PATH, and found from then on", async () => {
  pythonOnPath();
  const server = await installServer(context, log);
  expect(server?.command).toMatch(/storage\/server-0\.1\.0-\w+\/bin\/python$/);
  expect(server?.args).toEqual(["-I", "-m", "phial", "serve"]);
  expect(await findServer(context, log)).toEqual(server);
  expect(editor.asked).toEqual([]);
});

test("with another wheel the older server is used until it has been renewed", async () => {
  pythonOnPath();
  const older = await installServer(context, log);
  writeFileSync(join(folder, "dist", "server", "phial_ls-0.1.0-py3-none-any.whl"), "newer");
  expect(await findServer(context, log)).toEqual(older);
  await expect.poll(() => editor.executed).toEqual(["phial.server.restart"]);
  expect((await findServer(context, log))?.command).not.toBe(older?.command);
});

test("a server that cannot be renewed goes on being used", async () => {
  pythonOnPath();
  const older = await installServer(context, log);
  writeFileSync(join(folder, "dist", "server", "phial_ls-0.1.0-py3-none-any.whl"), "newer");
  vi.stubEnv("PATH", "");
  expect(await renewIfOutdated(context, log)).toBe(false);
  expect(await findServer(context, log)).toEqual(older);
});

/** Put the preferred version first on PATH, as a stand-in that answers what the extension asks a Python for. */
function pythonOnPath(): void {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const told = '"version": [3, 13], "inEnvironment": false, "canMakeEnvironments": true';
  const script = `#!/bin/sh
for last; do :; done
case "$*" in
*"-m venv"*) mkdir -p "$last/bin" && cp "$0" "$last/bin/python" ;;
*"--version") echo "phial 0.1.0" ;;
*importlib*) echo '{"executable": "'"$0"'", ${told}}' ;;
esac`;
  writeFileSync(join(bin, "python3.13"), script, { mode: 0o755 });
  vi.stubEnv("PATH", `${bin}:/usr/bin:/bin`);
}
