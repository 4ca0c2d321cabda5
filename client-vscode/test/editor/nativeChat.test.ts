import { expect, test } from "vitest";
import { modelReady, openEditor, runCommand, screenshot } from "./harness";

test("@phial answers in VS Code's own chat, whose model picker lists the model of this machine", async () => {
  const editor = await openEditor();
  const { page } = editor;
  await modelReady(editor);
  await runCommand(editor, "Chat: Open Chat");
  const chat = page.locator(".interactive-session");
  await chat.locator(".interactive-input-part .monaco-editor.focused").waitFor();
  await page.keyboard.type("@phial What is the capital of France?", { delay: 20 });
  await page.keyboard.press("Escape"); // the list of participants
  await page.keyboard.press("Enter");
  const response = chat.locator(".interactive-response").last();
  await expect.poll(() => response.textContent(), { timeout: 60_000 }).toContain("Paris");
  await screenshot(editor, "native-chat");

  await chat.locator(".interactive-input-part").getByText("SmolLM2").first().click();
  await page.locator(".action-widget", { hasText: "SmolLM2-135M-Instruct" }).waitFor();
  await screenshot(editor, "native-model-picker");
});
