import * as vscode from "vscode";
import type { Client } from "./client";
import { completionsEnabled } from "./completion";
import { statusView } from "./statusView";

/** Show in the status bar how the server is. */
export function createStatusBar(client: Client): vscode.Disposable {
  const item = vscode.window.createStatusBarItem("phial.status", vscode.StatusBarAlignment.Right, 100);
  item.name = "Phial";
  item.command = "phial.menu";
  let running = 0;
  const update = () => {
    void vscode.commands.executeCommand("setContext", "phial.running", client.status.state === "ready");
    const view = statusView(
      client.status,
      running,
      completionsEnabled(vscode.window.activeTextEditor?.document),
    );
    item.text = view.text;
    item.tooltip = view.tooltip;
    item.backgroundColor =
      view.severity === "none"
        ? undefined
        : new vscode.ThemeColor(`statusBarItem.${view.severity}Background`);
    item.accessibilityInformation = { label: `${view.text.replace(/\$\([^)]*\) /, "")}. ${view.tooltip}` };
  };
  update();
  item.show();
  return vscode.Disposable.from(
    item,
    client.onDidChangeStatus(update),
    client.onDidChangeActivity((now) => {
      running = now;
      update();
    }),
    vscode.window.onDidChangeActiveTextEditor(update),
    vscode.workspace.onDidChangeConfiguration(
      (event) => event.affectsConfiguration("phial.completion") && update(),
    ),
  );
}
