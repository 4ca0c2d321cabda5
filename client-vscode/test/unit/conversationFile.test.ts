import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ConversationFile } from "../../src/conversationFile";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "phial-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

it("gives back what was written last, in a folder that need not be there", () => {
  const place = join(folder, "workspace", "phial");
  expect(new ConversationFile(place).read()).toBeUndefined();
  new ConversationFile(place).write({ version: 1 });
  new ConversationFile(place).write({ version: 2, text: "größe 😀" });
  expect(new ConversationFile(place).read()).toEqual({ version: 2, text: "größe 😀" });
  expect(readdirSync(place)).toEqual(["conversations.json"]);
});

it("takes what is broken for nothing", () => {
  writeFileSync(join(folder, "conversations.json"), '{"version": 1, "conv');
  expect(new ConversationFile(folder).read()).toBeUndefined();
});

it("goes on where nothing can be written", () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  writeFileSync(join(folder, "file"), "");
  new ConversationFile(join(folder, "file")).write({});
  expect(warned).toHaveBeenCalledOnce();
  warned.mockRestore();
});
