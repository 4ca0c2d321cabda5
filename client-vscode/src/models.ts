import * as vscode from "vscode";
import type { Client } from "./client";
import type { ServerCommand } from "./environment";
import { deviceChoices, type ModelChoice, modelChoices } from "./modelChoices";
import type { ModelEntry } from "./protocol";
import { shellWords } from "./shellWords";

type ModelItem = vscode.QuickPickItem & { entry?: ModelEntry };

/** Let the user choose a model, fetch it where that is wanted, and change to it. */
export async function selectModel(client: Client, server: ServerCommand | undefined): Promise<void> {
  const rows = client.models().then((models) => modelChoices(models).map(asItem));
  const picked = await vscode.window.showQuickPick<ModelItem>(rows, {
    title: "Phial: Select Model",
    placeHolder: "The model that completes and answers",
    matchOnDetail: true,
  });
  if (!picked?.entry) {
    return;
  }
  if (picked.entry.obtain === "export") {
    await offerExport(picked.entry, server);
    return;
  }
  if (picked.entry.obtain === "installed" || (await fetchModel(client, picked.entry))) {
    await useModel(picked.entry);
  }
}

/** Let the user choose where the model runs. */
export async function selectDevice(client: Client): Promise<void> {
  const phial = vscode.workspace.getConfiguration("phial");
  const picked = await vscode.window.showQuickPick(
    deviceChoices(phial.get("device", "AUTO"), client.status),
    {
      title: "Phial: Select Device",
      placeHolder: "Where the model runs",
    },
  );
  if (picked) {
    await phial.update("device", picked.label, vscode.ConfigurationTarget.Global);
  }
}

async function fetchModel(client: Client, entry: ModelEntry): Promise<boolean> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: `Fetching ${entry.title}`,
    cancellable: true,
  };
  return vscode.window.withProgress(options, async (progress, token) => {
    let percentage = 0;
    try {
      await client.pull(
        entry.id,
        (message, now = percentage) => {
          progress.report({ message, increment: now - percentage });
          percentage = now;
        },
        token,
      );
      return true;
    } catch (error) {
      if (!token.isCancellationRequested) {
        void vscode.window.showErrorMessage(`Phial: ${(error as Error).message}`);
      }
      return false;
    }
  });
}

async function useModel(entry: ModelEntry): Promise<void> {
  await vscode.workspace
    .getConfiguration("phial")
    .update("model", entry.id, vscode.ConfigurationTarget.Global);
}

/** An export takes gigabytes and the extra `optimum`: the user sees the command before it runs. */
async function offerExport(entry: ModelEntry, server: ServerCommand | undefined): Promise<void> {
  const answer = await vscode.window.showInformationMessage(
    `${entry.title} is not offered ready-made: it is exported on this machine.`,
    { modal: true, detail: entry.command ?? "" },
    "Open Terminal",
  );
  if (!answer || !entry.command) {
    return;
  }
  const terminal = vscode.window.createTerminal("Phial");
  terminal.show();
  const [, ...rest] = entry.command.split(" ");
  terminal.sendText([...shellWords(server), ...rest].join(" "), false);
}

function asItem(choice: ModelChoice): ModelItem {
  if (choice.kind === "heading") {
    return { label: choice.label, kind: vscode.QuickPickItemKind.Separator };
  }
  return { label: choice.label, description: choice.description, detail: choice.detail, entry: choice.entry };
}
