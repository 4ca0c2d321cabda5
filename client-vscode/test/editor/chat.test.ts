import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  chatPanel,
  checkoutServer,
  type Editor,
  modelReady,
  openEditor,
  openFile,
  runCommand,
  save,
  screenshot,
} from "./harness";
import { serveAnswers } from "./ownServer";
import { readSaid, recordedServer } from "./recording";

const patience = { timeout: 60_000 };

test("Explain Selection streams into the panel what the server sends, with the selection as context", async () => {
  const { editor, said } = await openRecorded({ "phial.chat.maxTokens": 100 });
  await openFile(editor, "inventory.py", 12);
  await selectLines(editor, 2);
  await runCommand(editor, "Phial: Explain Selection");
  const panel = chatPanel(editor);
  await panel.locator('[data-testid="message-assistant"][data-state="done"]').waitFor(patience);
  await screenshot(editor, "explanation");
  expect(await panel.getByTestId("message-user").textContent()).toContain("inventory.py:12-13");
  const sent = await said();
  expect(sent.pieces.length).toBeGreaterThan(2);
  expect(sent.pieces.join("")).toBe(sent.answer);
  const shown = await panel.getByTestId("message-assistant").textContent();
  const withoutListNumbers = sent.answer.replaceAll(/^\s*\d+\. /gm, "");
  expect(letters(shown)).toContain(letters(withoutListNumbers));
});

test("Ask streams into the panel, and Stop stops at once", async () => {
  const { editor, said } = await openRecorded({ "phial.chat.maxTokens": 2000 });
  await modelReady(editor);
  await openFile(editor, "inventory.py");
  await ask(editor, "How do I reverse a list in Python?");
  await chatPanel(editor).locator('[data-testid="message-assistant"][data-state="done"]').waitFor(patience);
  await screenshot(editor, "chat");
  await runCommand(editor, "Phial: New Chat");
  await chatPanel(editor).locator('[data-testid="input"]:focus').waitFor();
  const before = (await said()).pieces.length;
  await ask(editor, "Tell me a long story about a king and his seven daughters.");
  await expect.poll(async () => (await said()).pieces.length, patience).toBeGreaterThan(before + 2);
  const panel = chatPanel(editor);
  await panel.getByTestId("stop").click();
  const clicked = (await said()).pieces.length;
  await panel.locator('[data-testid="message-assistant"][data-state="stopped"]').waitFor();
  await expect.poll(async () => (await said()).cancelled, { interval: 20 }).toBe(true);
  expect((await said()).pieces.length - clicked).toBeLessThan(20); // of 2000
});

test("Insert at cursor and Replace selection change just that, and one undo brings it back", async () => {
  const editor = await openEditor({
    settings: { ...checkoutServer, ...(await serveAnswers("Try this:\n\n```python\nx = 1\n```\n")) },
  });
  const file = join(editor.workspace, "inventory.py");
  const original = await readFile(file, "utf8");
  const lines = original.split("\n");
  await ask(editor, "What should I write?");
  const panel = chatPanel(editor);
  await panel.locator('[data-testid="message-assistant"][data-state="done"]').waitFor(patience);

  await openFile(editor, "inventory.py", 5);
  await panel.getByTestId("insert").click();
  await editor.page.locator(".monaco-editor.focused").waitFor();
  await save(editor, "inventory.py", /x = 1/);
  expect(await readFile(file, "utf8")).toBe(
    [...lines.slice(0, 4), `x = 1${lines[4]}`, ...lines.slice(5)].join("\n"),
  );
  await undo(editor, file, original);

  await openFile(editor, "inventory.py", 12);
  await selectLines(editor, 2);
  await panel.getByTestId("replace").click();
  await editor.page.locator(".monaco-editor.focused").waitFor();
  await save(editor, "inventory.py", /x = 1/);
  expect(await readFile(file, "utf8")).toBe([...lines.slice(0, 11), "x = 1", ...lines.slice(13)].join("\n"));
  await undo(editor, file, original);
});

test("what a document or a model says is text, whatever it says", async () => {
  const attack = [
    "<script>window.attacked = 1</script>",
    '<img src="x" onerror="window.attacked = 2">',
    "[click me](javascript:window.attacked=3)",
    "```html",
    "</code></pre><script>window.attacked = 4</script>",
    "```",
    "```",
    "<b>after the fence</b>",
  ].join("\n");
  const editor = await openEditor({ settings: { ...checkoutServer, ...(await serveAnswers(attack)) } });
  await openFile(editor, "README.md");
  await editor.page.keyboard.press("Control+a");
  await editor.page.keyboard.insertText(`</textarea>${attack}`);
  await editor.page.keyboard.press("Control+a");
  await runCommand(editor, "Phial: Explain Selection");
  const panel = chatPanel(editor);
  const answer = panel.locator('[data-testid="message-assistant"][data-state="done"]');
  await answer.waitFor(patience);
  await screenshot(editor, "injection");
  const text = await answer.textContent();
  for (const written of [
    "<script>window.attacked = 1</script>",
    "<img src=",
    "</code></pre>",
    "<b>after the fence</b>",
  ]) {
    expect(text).toContain(written);
  }
  expect(await panel.locator("main script, main img, main b, a[href^='javascript']").count()).toBe(0);
  expect(
    await answer.evaluate((element) => Reflect.get(element.ownerDocument.defaultView ?? {}, "attacked")),
  ).toBe(undefined);
});

async function openRecorded(settings: Record<string, unknown> = {}) {
  const editor = await openEditor({
    settings: (home) => ({ ...recordedServer(join(home, "said")), ...settings }),
  });
  return { editor, said: () => readSaid(join(editor.home, "said")) };
}

async function ask(editor: Editor, question: string): Promise<void> {
  await runCommand(editor, "Phial: Ask");
  await editor.page.locator(".quick-input-widget", { hasText: "Press 'Enter' to confirm" }).waitFor();
  await editor.page.locator(".quick-input-widget input").fill(question);
  await editor.page.keyboard.press("Enter");
}

async function selectLines({ page }: Editor, count: number): Promise<void> {
  await page.keyboard.press("Home");
  await page.keyboard.press("Home");
  for (let line = 1; line < count; line += 1) {
    await page.keyboard.press("Shift+ArrowDown");
  }
  await page.keyboard.press("Shift+End");
}

async function undo(editor: Editor, file: string, original: string): Promise<void> {
  await editor.page.keyboard.press("Control+z");
  await editor.page.keyboard.press("Control+s");
  await expect.poll(() => readFile(file, "utf8")).toBe(original);
}

/** A text without what Markdown adds or takes away. */
function letters(text: string | null): string {
  return (text ?? "").replaceAll(/[^\p{L}\p{N}]/gu, "");
}
