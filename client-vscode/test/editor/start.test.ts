import { expect, test } from "vitest";
import { ghostText, modelReady, openEditor, openFile, save, screenshot, statusItem, type } from "./harness";

test("VS Code starts the extension, and it completes", async () => {
  const editor = await openEditor();
  await statusItem(editor).waitFor();
  await modelReady(editor);
  await openFile(editor, "inventory.py", 20);
  await type(editor, "    def is_empty(self) -> bool:\nreturn ");
  expect((await ghostText(editor)).trim()).not.toBe("");
  await screenshot(editor, "ghost-text");
  await editor.page.keyboard.press("Tab");
  await save(editor, "inventory.py", /return \S+/);
});
