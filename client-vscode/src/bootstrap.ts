/** Finds the server, and offers to install it where there is none. */
import { mkdir } from "node:fs/promises";
import * as vscode from "vscode";
import {
  choosePython,
  locate,
  type Machine,
  Problem,
  type Run,
  readSettings,
  type ServerCommand,
  thisMachine,
} from "./environment";
import {
  install,
  installations,
  isInstalled,
  removeOthers,
  runner,
  type Wanted,
  wantedInstallation,
  whileLocked,
} from "./installation";

/**
 * Return the server's command; where there is none, offer to install one and return undefined.
 *
 * An environment of an older version of this extension is used until it is renewed, which begins here. Both the offer
 * and the renewal go on after this has returned; they end with the command that installs or restarts the server.
 */
export async function findServer(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
): Promise<ServerCommand | undefined> {
  await mkdir(context.globalStorageUri.fsPath, { recursive: true }); // the server runs there
  const { server, managed } = await lookUp(context);
  if (!server) {
    background(log, offer(context));
  } else if (server.command === managed) {
    background(log, renewIfOutdated(context, log).then(restartWhere));
  }
  return server;
}

/** Make the server's environment and return the command of the server that there is then. */
export async function installServer(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
): Promise<ServerCommand | undefined> {
  const wanted = await wantedOf(context);
  if (!wanted) {
    const lack =
      "This build of the extension brings no server. Set phial.server.command or phial.server.python.";
    await vscode.window.showErrorMessage(lack);
    return (await lookUp(context)).server;
  }
  try {
    await withProgress("Installing the Phial server", context, log, wanted);
  } catch (error) {
    if (await shouldTryAgain(error, context, log)) {
      return installServer(context, log);
    }
  }
  return (await lookUp(context)).server;
}

/** Make the environment anew where it is of another version of this extension; tell whether that was done. */
export async function renewIfOutdated(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
): Promise<boolean> {
  const wanted = await wantedOf(context);
  if (!wanted) {
    return false;
  }
  if (await isInstalled(wanted)) {
    const storage = context.globalStorageUri.fsPath;
    // What other processes run is nothing for the log.
    await removeOthers(
      storage,
      wanted,
      runner(storage, new AbortController().signal, () => undefined),
    );
    return false;
  }
  try {
    await withProgress("Updating the Phial server", context, log, wanted);
    return true;
  } catch (error) {
    if (!isCancelled(error)) {
      log.warn(`The server was not updated, and the older one is used: ${messageOf(error)}`);
    }
    return false;
  }
}

const chosenPython = "phial.python";
const installing = "Install";
const choosing = "Choose Python...";

/** Return the server there is, and the Python of the environment that would run it: of this version, or an older one. */
async function lookUp(context: vscode.ExtensionContext) {
  const storage = context.globalStorageUri.fsPath;
  const wanted = await wantedOf(context);
  const made = await installations(storage);
  const managed = (made.find(({ folder }) => folder === wanted?.folder) ?? made[0])?.python;
  return { server: locate(settings(), managed, storage, machine()), managed };
}

async function offer(context: vscode.ExtensionContext): Promise<void> {
  const choice = await vscode.window.showInformationMessage(
    "Phial runs on this machine and needs its server: about 400 MB, installed by pip into a folder of its own.",
    installing,
    choosing,
    "Not now",
  );
  if (choice === installing || (choice === choosing && (await askForPython(context)))) {
    await vscode.commands.executeCommand("phial.server.install");
  }
}

async function withProgress(
  title: string,
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  wanted: Wanted,
): Promise<void> {
  const location = vscode.ProgressLocation.Notification;
  await vscode.window.withProgress({ location, title, cancellable: true }, async (progress, token) => {
    const abort = new AbortController();
    const closing = { dispose: () => abort.abort() };
    token.onCancellationRequested(closing.dispose);
    context.subscriptions.push(closing); // pip ends with the window
    const told = (message: string) => progress.report({ message });
    const storage = context.globalStorageUri.fsPath;
    const run = runner(storage, abort.signal, (line) => log.info(line));
    const waiting = () => told("Another window is installing it");
    await whileLocked(storage, abort.signal, waiting, () => installOnce(context, wanted, run, told));
  });
}

/** Install unless it is installed and runs: another window may have been faster. */
async function installOnce(
  context: vscode.ExtensionContext,
  wanted: Wanted,
  run: Run,
  told: (message: string) => void,
): Promise<void> {
  if (await isInstalled(wanted)) {
    const { code } = await run(wanted.python, ["-I", "-m", "phial", "--version"]);
    if (code === 0) {
      return;
    }
  }
  told("Looking for Python");
  const python = await choosePython(context.globalState.get<string>(chosenPython), machine(), run);
  await install(wanted, python, run, told);
}

async function shouldTryAgain(
  error: unknown,
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
): Promise<boolean> {
  if (isCancelled(error)) {
    return false;
  }
  log.error(messageOf(error));
  const message = `The Phial server could not be installed. ${messageOf(error)}`;
  const choice = await vscode.window.showErrorMessage(message, "Try Again", choosing, "Show Log");
  if (choice === "Show Log") {
    log.show();
  }
  return choice === "Try Again" || (choice === choosing && askForPython(context));
}

/** Let the user choose the Python to install with, and tell whether one was chosen. */
async function askForPython(context: vscode.ExtensionContext): Promise<boolean> {
  const [chosen] =
    (await vscode.window.showOpenDialog({ title: "A Python, 3.10 or later", openLabel: "Use" })) ?? [];
  await context.globalState.update(chosenPython, chosen?.fsPath);
  return chosen !== undefined;
}

async function restartWhere(renewed: boolean): Promise<void> {
  if (renewed) {
    await vscode.commands.executeCommand("phial.server.restart");
  }
}

function wantedOf(context: vscode.ExtensionContext): Promise<Wanted | undefined> {
  const wheels = vscode.Uri.joinPath(context.extensionUri, "dist", "server");
  return wantedInstallation(context.globalStorageUri.fsPath, wheels.fsPath);
}

function settings() {
  const configuration = vscode.workspace.getConfiguration("phial.server");
  return readSettings((key) => configuration.inspect(key));
}

function machine(): Machine {
  return thisMachine((vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath));
}

function background(log: vscode.LogOutputChannel, work: Promise<void>): void {
  work.catch((error: unknown) => log.error(messageOf(error)));
}

function isCancelled(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function messageOf(error: unknown): string {
  if (error instanceof Problem) {
    return error.message;
  }
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
