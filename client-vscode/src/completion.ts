import * as vscode from "vscode";

/** Whether ghost text is on for a document; for none, whether it is on at all. */
export function completionsEnabled(document: vscode.TextDocument | undefined): boolean {
  const completion = vscode.workspace.getConfiguration("phial.completion");
  if (!completion.get<boolean>("enable", true)) {
    return false;
  }
  return !document || !completion.get<string[]>("disabledLanguages", []).includes(document.languageId);
}

export async function toggleCompletions(): Promise<void> {
  const completion = vscode.workspace.getConfiguration("phial.completion");
  const enable = !completion.get<boolean>("enable", true);
  await completion.update("enable", enable, vscode.ConfigurationTarget.Global);
  vscode.window.setStatusBarMessage(`Phial: completions are ${enable ? "on" : "off"}`, 3000);
}

export async function toggleCompletionsForLanguage(): Promise<void> {
  const language = vscode.window.activeTextEditor?.document.languageId;
  if (!language) {
    void vscode.window.showInformationMessage("Open a file of the language first.");
    return;
  }
  const completion = vscode.workspace.getConfiguration("phial.completion");
  const disabled = completion.get<string[]>("disabledLanguages", []);
  const enable = disabled.includes(language);
  const changed = enable ? disabled.filter((other) => other !== language) : [...disabled, language];
  await completion.update("disabledLanguages", changed, vscode.ConfigurationTarget.Global);
  vscode.window.setStatusBarMessage(`Phial: completions are ${enable ? "on" : "off"} for ${language}`, 3000);
}
