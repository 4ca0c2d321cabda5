import * as vscode from "vscode";
import { findServer, installServer } from "./bootstrap";
import { ChatView } from "./chatView";
import { Client, engineKeySecret } from "./client";
import { registerCommands } from "./commands";
import type { ServerCommand } from "./environment";
import { registerNativeChat } from "./nativeChat";
import { createStatusBar } from "./status";

/** Wire the parts together, and start the server. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Phial", { log: true });
  const client = new Client(log, context.secrets);
  const chat = new ChatView(context, client);
  let server: ServerCommand | undefined;

  const start = async (found: ServerCommand | undefined) => {
    server = found;
    if (server) {
      await client
        .start(server)
        .catch((error: unknown) => log.error(`The server could not be started: ${error}`));
    }
  };
  const restart = async () => start(await findServer(context, log));
  const install = async () => start(await installServer(context, log));

  context.subscriptions.push(
    log,
    client,
    chat,
    createStatusBar(client),
    vscode.window.registerWebviewViewProvider(ChatView.viewId, chat, {
      webviewOptions: { retainContextWhenHidden: false },
    }),
    registerCommands({ client, chat, log, secrets: context.secrets, server: () => server, install, restart }),
    registerNativeChat(client, vscode.Uri.joinPath(context.extensionUri, "media", "phial.svg")),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("phial.server")) {
        await restart();
      } else if (event.affectsConfiguration("phial")) {
        await client.sendSettings();
      }
    }),
    context.secrets.onDidChange(async ({ key }) => {
      if (key === engineKeySecret) {
        await client.sendSettings();
      }
    }),
  );
  void restart();
}
