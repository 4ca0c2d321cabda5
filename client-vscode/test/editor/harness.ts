/** Drives a real VS Code in a real browser, as a user would: by keys and by what can be seen. */
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type FrameLocator, type Locator, type Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { type CodeServer, provideStarter, root, startCodeServer } from "./codeServer";

export interface Editor {
  page: Page;
  /** The folder below which VS Code, Phial and the server write all they write. */
  home: string;
  /** The folder that is open: a copy of `sample`. */
  workspace: string;
}

export interface EditorOptions {
  /** The settings, which may need to know the folder of all that is written. */
  settings?: Record<string, unknown> | ((home: string) => Record<string, unknown>);
  env?: Record<string, string | undefined>;
  /** Whether the starter model is installed. */
  starter?: boolean;
}

/** Settings with which the extension runs the server of this checkout. */
export const checkoutServer = { "phial.server.python": join(root, ".venv", "bin", "python") };

/**
 * Open the sample folder in a new VS Code with the extension and the starter model.
 *
 * Everything ends with the test. Of one that fails, a screenshot and the logs stand in `artifacts/`.
 */
export async function openEditor({
  settings = checkoutServer,
  env = {},
  starter = true,
}: EditorOptions = {}): Promise<Editor> {
  const home = await mkdtemp(join(tmpdir(), "phial-editor-"));
  const workspace = join(home, "sample");
  let server: CodeServer | undefined;
  let browser: Browser | undefined;
  let page: Page | undefined;
  onTestFinished(async ({ task }) => {
    if (task.result?.state === "fail") {
      await keepTraces(task.name, home, page);
    }
    await browser?.close();
    await server?.stop();
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  });
  await cp(join(root, "client-vscode", "test", "editor", "sample"), workspace, { recursive: true });
  if (starter) {
    await provideStarter(home);
  }
  server = await startCodeServer({
    home,
    settings: typeof settings === "function" ? settings(home) : settings,
    env,
  });
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: flags });
  page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
  await page.goto(`${server.address}/?folder=${encodeURIComponent(workspace)}`);
  await page.locator(".monaco-workbench .statusbar").waitFor({ timeout: 60_000 });
  return { page, home, workspace };
}

/** Run a command of the palette, which shows ours as soon as the extension is there. */
export async function runCommand(editor: Editor, title: string): Promise<void> {
  const { page } = editor;
  await statusItem(editor).waitFor();
  await page.keyboard.press("F1");
  await choose(page, `>${title}`, title);
}

/** Open a file of the workspace and put the cursor into it. */
export async function openFile({ page }: Editor, name: string, line = 1, column = 1): Promise<void> {
  await page.keyboard.press("Control+p");
  await choose(page, name, name);
  await page.locator(".tab.active", { hasText: name }).waitFor();
  await page.keyboard.press("Control+g");
  await choose(page, `:${line}:${column}`, `line ${line}`);
  await page.locator(".monaco-editor.focused").waitFor();
}

/** Type into the editor, like a person who is in no great hurry. */
export async function type({ page }: Editor, text: string): Promise<void> {
  await page.keyboard.type(text, { delay: 30 });
}

/** Wait for ghost text and return it: what would be inserted at the cursor. */
export async function ghostText({ page }: Editor, timeout = 20_000): Promise<string> {
  const pieces = page.locator(".ghost-text-decoration, .suggest-preview-text .view-line");
  await pieces.first().waitFor({ timeout });
  return (await pieces.allTextContents()).join("").replaceAll("\u00a0", " ");
}

/** The chat panel's document, inside the two frames that VS Code puts around a webview. */
export function chatPanel({ page }: Editor): FrameLocator {
  return page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
}

/** Our item in the status bar. */
export function statusItem({ page }: Editor): Locator {
  return page.locator('.statusbar-item[id$="phial.status"]');
}

/** Wait until the model is loaded: there is no ghost text before. */
export async function modelReady(editor: Editor, timeout = 60_000): Promise<void> {
  await statusItem(editor).filter({ hasText: "starter model" }).waitFor({ timeout });
}

/** The notification with that text. */
export function notification({ page }: Editor, text: string | RegExp): Locator {
  return page.locator(".notifications-toasts .notification-list-item", { hasText: text });
}

/** Save the file that is open and wait until it stands on the disk as it should. */
export async function save({ page, workspace }: Editor, name: string, expected: RegExp): Promise<void> {
  await page.keyboard.press("Control+s");
  await expect.poll(() => readFile(join(workspace, name), "utf8"), { timeout: 10_000 }).toMatch(expected);
}

/** Put a picture of the window into `artifacts/`. */
export async function screenshot({ page }: Pick<Editor, "page">, name: string): Promise<void> {
  await page.screenshot({ path: join(root, "artifacts", `${name}.png`) });
}

const flags = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
];

/** Fill the box on top of the window and take the row that comes; Enter before that would take another. */
async function choose(page: Page, text: string, row: string): Promise<void> {
  const box = page.locator(".quick-input-widget input[type=text]");
  await box.waitFor();
  await box.fill(text);
  const chosen = page.locator(".quick-input-list .monaco-list-row.focused", {
    hasText: new RegExp(row, "i"),
  });
  await chosen.waitFor();
  await page.keyboard.press("Enter");
  await chosen.waitFor({ state: "hidden" }); // else the next key would go to the box that is closing
}

async function keepTraces(test: string, home: string, page: Page | undefined): Promise<void> {
  const name = test.replaceAll(/\W+/g, "-");
  const folder = join(root, "artifacts", name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await cp(join(home, "user-data", "logs"), folder, { recursive: true }).catch(() => undefined); // it may not have begun
  if (page) {
    await screenshot({ page }, name);
  }
}
