/** What the panel does to the editor, and what it sees of it. */
import * as vscode from "vscode";
import type { Range } from "vscode-languageclient";
import type { ChatAttachment } from "./conversation";
import { bestFiles, excludedFiles, fileGlob, firstFiles } from "./panelFiles";
import type { FoundFile } from "./panelMessages";
import { contextLabel, insertion, languageId, replacement, safeLink } from "./panelText";

/** What is selected in the active editor; undefined where nothing is. */
export function selectionAttachment(): ChatAttachment | undefined {
  const editor = vscode.window.activeTextEditor;
  return editor && !editor.selection.isEmpty ? asAttachment(editor) : undefined;
}

/** Follows the text editor that the user was in last, as the panel takes the focus away from it. */
export class LastEditor implements vscode.Disposable {
  private editor = textEditor(vscode.window.activeTextEditor);
  private readonly changes = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[];

  /** Another editor, or another selection in it. */
  readonly onDidChange = this.changes.event;

  constructor() {
    this.subscriptions = [
      this.changes,
      vscode.window.onDidChangeActiveTextEditor((editor) => this.follow(textEditor(editor))),
      vscode.window.onDidChangeVisibleTextEditors(() => this.follow(undefined)),
      vscode.window.onDidChangeTextEditorSelection((event) => {
        if (event.textEditor === this.editor) this.changes.fire();
      }),
    ];
  }

  /** The file, or the selection in it; undefined without an editor. */
  get attachment(): ChatAttachment | undefined {
    return this.editor && asAttachment(this.editor);
  }

  async insert(code: string): Promise<void> {
    await this.edit(({ document, selection: { active } }, edit) => {
      const line = document.lineAt(active).text;
      edit.insert(active, insertion(code, line.slice(0, active.character), line.slice(active.character)));
    });
  }

  async replaceSelection(code: string): Promise<void> {
    if (this.editor?.selection.isEmpty) {
      vscode.window.showWarningMessage("Nothing is selected: select the code to replace, then try again.");
      return;
    }
    await this.edit(({ document, selection }, edit) =>
      edit.replace(selection, replacement(code, document.getText(selection))),
    );
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  /** Make one change that one undo takes back, and go to where it was made. */
  private async edit(
    change: (editor: vscode.TextEditor, edit: vscode.TextEditorEdit) => void,
  ): Promise<void> {
    const editor = this.editor;
    if (!editor) {
      vscode.window.showWarningMessage(
        "No file is open in an editor: open the one to change, then try again.",
      );
      return;
    }
    const done = await editor.edit((edit) => change(editor, edit), {
      undoStopBefore: true,
      undoStopAfter: true,
    });
    if (!done) {
      vscode.window.showWarningMessage("The editor refused the change: the file may be read-only.");
      return;
    }
    await vscode.window.showTextDocument(editor.document, editor.viewColumn);
  }

  /** Take the editor that became active; keep the one before while it can be seen. */
  private follow(active: vscode.TextEditor | undefined): void {
    const visible = this.editor && vscode.window.visibleTextEditors.includes(this.editor);
    this.editor = active ?? (visible ? this.editor : undefined);
    this.changes.fire();
  }
}

/** Leave of an attachment what can be stored: the editor's own positions are more than data. */
export function plainAttachment({ uri, range, label }: ChatAttachment): ChatAttachment {
  return { uri, ...(range && { range: plainRange(range) }), label };
}

/** Find the files whose path fits; without a query those that are open in tabs come first. */
export async function findFiles(query: string, token: vscode.CancellationToken): Promise<FoundFile[]> {
  const uris = await vscode.workspace.findFiles(fileGlob(query), excludedFiles, mostCandidates, token);
  const found = uris.map(foundFile);
  if (query) return bestFiles(found, query);
  const open = vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .flatMap(({ input }) => (input instanceof vscode.TabInputText ? [foundFile(input.uri)] : []));
  return firstFiles([...open, ...found]);
}

export async function openNewFile(content: string, language: string): Promise<void> {
  const id = languageId(language, await vscode.languages.getLanguages());
  const document = await vscode.workspace.openTextDocument({ content, ...(id && { language: id }) });
  await vscode.window.showTextDocument(document);
}

export async function openLink(href: string): Promise<void> {
  const address = safeLink(href);
  if (address) await vscode.env.openExternal(vscode.Uri.parse(address, true));
}

const mostCandidates = 500;

/** Outputs and consoles are text editors too, but nobody means them. */
function textEditor(editor: vscode.TextEditor | undefined): vscode.TextEditor | undefined {
  const schemes = ["output", "debug", "comment", "vscode-scm"];
  return editor && !schemes.includes(editor.document.uri.scheme) ? editor : undefined;
}

function foundFile(uri: vscode.Uri): FoundFile {
  return { uri: uri.toString(), path: vscode.workspace.asRelativePath(uri).replaceAll("\\", "/") };
}

function plainRange({ start, end }: Range): Range {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

/** The file of an editor, or the selection in it. */
function asAttachment({ document, selection }: vscode.TextEditor): ChatAttachment {
  const uri = document.uri.toString();
  if (selection.isEmpty) return { uri, label: contextLabel(document.uri.path) };
  const range = plainRange(selection);
  return { uri, range, label: contextLabel(document.uri.path, range) };
}
