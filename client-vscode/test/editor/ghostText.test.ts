import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type Editor,
  ghostText,
  modelReady,
  openEditor,
  openFile,
  runCommand,
  save,
  screenshot,
  statusItem,
  type,
} from "./harness";

const method = "    def is_empty(self) -> bool:\nreturn ";

test("ghost text appears while typing, and Tab takes it into the file", async () => {
  const editor = await openEditor();
  await openFile(editor, "inventory.py", 20);
  await type(editor, method);
  const shown = firstLine(await ghostText(editor));
  await screenshot(editor, "ghost-text");
  await editor.page.keyboard.press("Tab");
  await save(editor, "inventory.py", /is_empty.*\n\s+return \S/);
  expect(await returned(editor)).toBe(shown);
});

test("what is typed as the ghost text says keeps it shown, and Ctrl+Right takes a word of it", async () => {
  const editor = await openEditor();
  await openFile(editor, "inventory.py", 20);
  await type(editor, method);
  const shown = firstLine(await ghostText(editor));
  expect(shown.length).toBeGreaterThan(6);
  await editor.page.keyboard.type(shown.slice(0, 2));
  await expect.poll(async () => firstLine(await ghostText(editor))).toBe(shown.slice(2));
  await editor.page.keyboard.press("Control+ArrowRight");
  await expect.poll(async () => firstLine(await ghostText(editor)).length).toBeLessThan(shown.length - 2);
  const left = firstLine(await ghostText(editor));
  await editor.page.keyboard.press("Escape");
  await save(editor, "inventory.py", /is_empty.*\n\s+return \S/);
  expect((await returned(editor)) + left).toBe(shown);
});

test("completions can be switched off and on again", async () => {
  const editor = await openEditor();
  await modelReady(editor);
  await runCommand(editor, "Phial: Toggle Completions");
  await statusItem(editor).locator(".codicon-beaker-stop").waitFor();
  await runCommand(editor, "Phial: Toggle Completions");
  await statusItem(editor).locator(".codicon-beaker").waitFor();
  await openFile(editor, "inventory.py", 20);
  await type(editor, method);
  expect((await ghostText(editor)).trim()).not.toBe("");
});

/** What the file on the disk returns from the new method. */
async function returned({ workspace }: Editor): Promise<string> {
  const [, value = ""] =
    /def is_empty.*\n\s+return (.*)/.exec(await readFile(join(workspace, "inventory.py"), "utf8")) ?? [];
  return value;
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
