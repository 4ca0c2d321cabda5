import { expect, test } from "vitest";
import { openEditor, runCommand, screenshot, statusItem } from "./harness";

test("the model picker shows what is installed, what can be had, and what it needs", async () => {
  const editor = await openEditor();
  await statusItem(editor).filter({ hasText: "starter model" }).waitFor({ timeout: 60_000 });
  await runCommand(editor, "Phial: Select Model");
  const rows = editor.page.locator(".quick-input-list .monaco-list-row");
  await rows.filter({ hasText: "Phi-3-mini-4k-instruct" }).waitFor();
  await screenshot(editor, "model-picker");
  expect(await rows.filter({ hasText: "SmolLM2" }).locator(".codicon-check").count()).toBe(1);
  const phi = rows.filter({ hasText: "Phi-3-mini-4k-instruct" });
  expect(await phi.textContent()).toMatch(/GB to download.*GB of memory/);
});
