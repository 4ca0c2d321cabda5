import { expect, test } from "vitest";
import { modelReady, openEditor, runCommand, screenshot } from "./harness";

test("the model picker shows what is installed, what can be had, and what it needs", async () => {
  const editor = await openEditor();
  await modelReady(editor);
  await runCommand(editor, "Phial: Select Model");
  const rows = editor.page.locator(".quick-input-list .monaco-list-row");
  await rows.filter({ hasText: "Phi-3-mini-4k-instruct" }).waitFor();
  await screenshot(editor, "model-picker");
  expect(await rows.filter({ hasText: "SmolLM2" }).locator(".codicon-check").count()).toBe(1);
  const phi = rows.filter({ hasText: "Phi-3-mini-4k-instruct" });
  expect(await phi.textContent()).toMatch(/GB to download.*GB of memory/);
});
