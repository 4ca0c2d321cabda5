import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { expect, test } from "vitest";
import {
  ghostText,
  modelReady,
  notification,
  openEditor,
  openFile,
  screenshot,
  statusItem,
  type,
} from "./harness";

/** The PATH of someone who has never heard of Phial. */
const path = (process.env.PATH ?? "")
  .split(delimiter)
  .filter((folder) => !existsSync(join(folder, "phial")) && folder !== dirname(process.execPath))
  .join(delimiter);

test("where there is no server and no model, two clicks lead to ghost text", {
  timeout: 600_000,
}, async () => {
  const editor = await openEditor({
    settings: {},
    env: { PATH: path, VIRTUAL_ENV: undefined },
    starter: false,
  });
  await statusItem(editor).waitFor();
  const offer = notification(editor, "needs its server");
  await offer.waitFor();
  await screenshot(editor, "install-offer");
  await offer.getByRole("button", { name: "Install", exact: true }).click();
  const progress = notification(editor, "Installing the Phial server");
  await progress
    .filter({ hasText: /Looking for (?!Python)|Downloading|Installing the packages/ })
    .waitFor({ timeout: 60_000 });
  await screenshot(editor, "install-progress");
  await progress.waitFor({ state: "detached", timeout: 500_000 });
  expect(await notification(editor, "could not be installed").count()).toBe(0);

  const starter = notification(editor, "No model is installed");
  await starter.waitFor({ timeout: 60_000 });
  await screenshot(editor, "starter-offer");
  await starter.getByRole("button", { name: "Fetch the Starter Model" }).click();
  await modelReady(editor, 180_000);
  await openFile(editor, "inventory.py", 20);
  await type(editor, "    def is_empty(self) -> bool:\nreturn ");
  expect((await ghostText(editor)).trim()).not.toBe("");
});
