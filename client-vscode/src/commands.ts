import * as vscode from "vscode";
import type { ChatView } from "./chatView";
import { type Client, engineKeySecret } from "./client";
import { toggleCompletions, toggleCompletionsForLanguage } from "./completion";
import type { ServerCommand } from "./environment";
import { selectDevice, selectModel } from "./models";
import { selectionAttachment } from "./panelEditor";
import type { Task } from "./protocol";
import { shellWords } from "./shellWords";

/** What the commands work on. */
export interface Parts {
  client: Client;
  chat: ChatView;
  log: vscode.LogOutputChannel;
  secrets: vscode.SecretStorage;
  server: () => ServerCommand | undefined;
  install: () => Promise<void>;
  restart: () => Promise<void>;
}

/** Register all commands of the palette, the menus and the keys. */
export function registerCommands(parts: Parts): vscode.Disposable {
  const commands: Record<string, () => unknown> = {
    "phial.chat.ask": () => ask(parts.chat),
    "phial.chat.explain": () => askAboutSelection(parts.chat, "explain"),
    "phial.chat.fix": () => askAboutSelection(parts.chat, "fix"),
    "phial.chat.test": () => askAboutSelection(parts.chat, "test"),
    "phial.chat.document": () => askAboutSelection(parts.chat, "document"),
    "phial.chat.new": () => parts.chat.newChat(),
    "phial.completion.toggle": toggleCompletions,
    "phial.completion.toggleLanguage": toggleCompletionsForLanguage,
    "phial.model.select": () => shownErrors(() => selectModel(parts.client, parts.server())),
    "phial.device.select": () => selectDevice(parts.client),
    "phial.engine.setKey": () => setKey(parts),
    "phial.server.install": parts.install,
    "phial.server.restart": parts.restart,
    "phial.log.show": () => parts.log.show(),
    "phial.doctor": () => doctor(parts.server()),
    "phial.menu": () => showMenu(parts.client),
  };
  return vscode.Disposable.from(
    ...Object.entries(commands).map(([id, run]) => vscode.commands.registerCommand(id, () => run())),
  );
}

async function ask(chat: ChatView): Promise<void> {
  const attachment = selectionAttachment();
  const text = await vscode.window.showInputBox({
    title: "Phial: Ask",
    prompt: attachment ? `About ${attachment.label}` : "The answer comes in Phial's panel",
    placeHolder: "What do you want to know?",
  });
  if (text?.trim()) {
    await chat.ask({ text, task: "ask", attachments: attachment ? [attachment] : [] });
  }
}

async function askAboutSelection(chat: ChatView, task: Task): Promise<void> {
  const attachment = selectionAttachment();
  if (!attachment) {
    void vscode.window.showInformationMessage("Select the code that you mean first.");
    return;
  }
  await chat.ask({ text: "", task, attachments: [attachment] });
}

async function setKey(parts: Parts): Promise<void> {
  const key = await vscode.window.showInputBox({
    title: "Phial: Key of an Own Server",
    prompt:
      "Kept in the editor's secret storage; sent only to the server at phial.engine.url. Empty removes it.",
    password: true,
  });
  if (key === undefined) {
    return;
  }
  await (key ? parts.secrets.store(engineKeySecret, key) : parts.secrets.delete(engineKeySecret));
}

function doctor(server: ServerCommand | undefined): void {
  const terminal = vscode.window.createTerminal("Phial Doctor");
  terminal.show();
  terminal.sendText([...shellWords(server), "doctor"].join(" "));
}

async function showMenu(client: Client): Promise<void> {
  const failed = client.status.state === "failed" || client.status.state === "off";
  const repair = [
    { label: "$(pulse) Doctor", detail: "Find out what is wrong", command: "phial.doctor" },
    { label: "$(debug-restart) Restart", command: "phial.server.restart" },
    { label: "$(output) Show Log", command: "phial.log.show" },
  ];
  const use = [
    { label: "$(comment-discussion) Ask", command: "phial.chat.ask" },
    { label: "$(chip) Select Model", command: "phial.model.select" },
    { label: "$(server-environment) Select Device", command: "phial.device.select" },
    { label: "$(beaker) Toggle Completions", command: "phial.completion.toggle" },
    { label: "$(code) Toggle Completions for This Language", command: "phial.completion.toggleLanguage" },
  ];
  const install = { label: "$(desktop-download) Install the Server", command: "phial.server.install" };
  const picked = await vscode.window.showQuickPick(
    client.status.state === "off" ? [install, ...repair] : failed ? [...repair, ...use] : [...use, ...repair],
    { title: "Phial", placeHolder: client.status.message },
  );
  if (picked) {
    await vscode.commands.executeCommand(picked.command);
  }
}

async function shownErrors(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    void vscode.window.showErrorMessage(`Phial: ${error instanceof Error ? error.message : error}`);
  }
}
