import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  chatPanel,
  checkoutServer,
  type Editor,
  ghostText,
  modelReady,
  openEditor,
  openFile,
  runCommand,
  type,
} from "./harness";

test("after a reload the chat is still there, the model never left, and there is ghost text", async () => {
  const editor = await openEditor({
    settings: { ...checkoutServer, "phial.keepAlive": 1, "phial.chat.maxTokens": 40 },
  });
  await openFile(editor, "inventory.py", 12);
  await editor.page.keyboard.press("Shift+End");
  await runCommand(editor, "Phial: Explain Selection");
  const answer = chatPanel(editor).locator('[data-testid="message-assistant"][data-state="done"]');
  await answer.waitFor({ timeout: 60_000 });
  const said = await answer.textContent();
  const host = await hostProcess(editor);

  await editor.page.reload();
  await modelReady(editor);
  await openFile(editor, "inventory.py", 20);
  await type(editor, "    def is_empty(self) -> bool:\nreturn ");
  await ghostText(editor);

  await runCommand(editor, "Phial: Focus on Chat View");
  expect(await answer.textContent()).toBe(said);
  expect(await hostProcess(editor)).toBe(host);
});

/** The process id of the one model host that runs. */
async function hostProcess({ home }: Editor): Promise<number> {
  const folder = join(home, "phial", "hosts");
  const files = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  expect(files).toHaveLength(1);
  return JSON.parse(await readFile(join(folder, files[0] ?? ""), "utf8")).pid;
}
