import { randomBytes, randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { ChatBackend } from "./chat";
import {
  all,
  type Change,
  type Conversations,
  changed,
  chatParams,
  continuation,
  isEmpty,
  isRunning,
  type Question,
  title,
} from "./conversation";
import { ConversationFile } from "./conversationFile";
import { restored, stored } from "./conversationStore";
import { findFiles, LastEditor, openLink, openNewFile, plainAttachment } from "./panelEditor";
import { panelHtml } from "./panelHtml";
import { type PanelRequest, type PanelUpdate, readPanelRequest } from "./panelMessages";

/**
 * The chat in the side bar.
 *
 * The conversations live here, so that they outlive the page, which is gone whenever the panel is hidden.
 */
export class ChatView implements vscode.WebviewViewProvider, vscode.Disposable {
  static readonly viewId = "phial.chat";

  private state: Conversations;
  /** The answer that is being given; what any other tells comes too late. */
  private running: vscode.CancellationTokenSource | undefined;
  private search: vscode.CancellationTokenSource | undefined;
  /** The view, once its page listens. */
  private view: vscode.WebviewView | undefined;
  private saving: NodeJS.Timeout | undefined;
  private readonly file: ConversationFile;
  private readonly lastEditor = new LastEditor();
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly backend: ChatBackend,
  ) {
    this.file = new ConversationFile((context.storageUri ?? context.globalStorageUri).fsPath);
    this.state = restored(this.file.read(), randomUUID(), Date.now());
    this.subscriptions = [
      this.lastEditor,
      this.lastEditor.onDidChange(() => this.showContext()),
      backend.onDidChangeStatus((status) => this.show({ type: "status", status })),
    ];
  }

  /** Show the panel and answer in it; resolves when the answer has ended, however it ended. */
  async ask(question: Question): Promise<void> {
    await vscode.commands.executeCommand(`${ChatView.viewId}.focus`);
    await this.answer({ ...question, attachments: question.attachments.map(plainAttachment) });
  }

  /** Show the panel with an empty conversation; the one before goes to the history. */
  async newChat(): Promise<void> {
    this.turnTo({ type: "began", id: randomUUID(), now: Date.now() });
    await vscode.commands.executeCommand(`${ChatView.viewId}.focus`);
    this.show({ type: "focus" });
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const files = vscode.Uri.joinPath(this.context.extensionUri, "dist", "webview");
    const address = (name: string) => view.webview.asWebviewUri(vscode.Uri.joinPath(files, name)).toString();
    view.webview.options = { enableScripts: true, localResourceRoots: [files] };
    const listening = view.webview.onDidReceiveMessage(async (message: unknown) => {
      const request = readPanelRequest(message);
      if (request) await this.serve(request, view).catch(showError);
    });
    const appearing = view.onDidChangeVisibility(() => this.showAll());
    view.onDidDispose(() => {
      vscode.Disposable.from(listening, appearing).dispose();
      if (this.view === view) this.view = undefined;
    });
    view.webview.html = panelHtml({
      script: address("main.js"),
      style: address("panel.css"),
      source: view.webview.cspSource,
      nonce: randomBytes(16).toString("base64"),
    });
  }

  dispose(): void {
    this.stop();
    this.search?.cancel();
    this.view = undefined;
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private async serve(request: PanelRequest, view: vscode.WebviewView): Promise<void> {
    switch (request.type) {
      case "ready":
        this.view = view;
        return this.showAll();
      case "ask":
        return this.answer(request.question);
      case "stop":
        return this.stop();
      case "retry":
        return this.retry();
      case "continue":
        return this.answer(continuation(this.state.current));
      case "new":
        return this.newChat();
      case "open":
        return this.turnTo({ type: "opened", id: request.id });
      case "delete":
        return this.delete(request.id);
      case "copy":
        return vscode.env.clipboard.writeText(request.text);
      case "insert":
        return this.lastEditor.insert(request.text);
      case "replace":
        return this.lastEditor.replaceSelection(request.text);
      case "newFile":
        return openNewFile(request.text, request.language);
      case "link":
        return openLink(request.href);
      case "findFiles":
        return this.findFiles(request.search, request.query);
      case "command":
        await vscode.commands.executeCommand(request.command);
    }
  }

  private async answer(question: Question): Promise<void> {
    this.stop();
    this.change({ type: "asked", question, now: Date.now() });
    await this.run();
  }

  private async retry(): Promise<void> {
    if (isEmpty(this.state.current)) return;
    this.stop();
    this.change({ type: "retried" });
    await this.run();
  }

  /** Have the last question answered. */
  private async run(): Promise<void> {
    const params = chatParams(this.state.current);
    if (!params) return;
    const source = new vscode.CancellationTokenSource();
    const tell = (change: Change) => {
      if (this.running === source) this.change(change);
    };
    this.running = source;
    try {
      const { text, finishReason } = await this.backend.ask(
        params,
        (text) => tell({ type: "piece", text }),
        source.token,
      );
      tell({ type: "finished", text, finishReason });
    } catch (error) {
      tell({ type: "failed", message: messageOf(error) });
    } finally {
      if (this.running === source) this.running = undefined;
      source.dispose();
    }
  }

  /** Stop the answer that is running, if one is; it stays as far as it came. */
  private stop(): void {
    this.running?.cancel();
    this.running = undefined;
    if (isRunning(this.state.current)) this.change({ type: "stopped" });
  }

  private turnTo(change: Change): void {
    this.stop();
    this.change(change);
  }

  private delete(id: string): void {
    if (this.state.current.id === id) this.stop();
    this.change({ type: "deleted", id, newId: randomUUID(), now: Date.now() });
  }

  private change(change: Change): void {
    this.state = changed(this.state, change);
    if (change.type === "piece") {
      this.show(change);
      this.saving ??= setTimeout(() => this.save(), savePace);
      return;
    }
    this.showConversations();
    this.save();
  }

  private save(): void {
    clearTimeout(this.saving);
    this.saving = undefined;
    this.file.write(stored(this.state));
  }

  private async findFiles(search: number, query: string): Promise<void> {
    this.search?.cancel();
    const source = new vscode.CancellationTokenSource();
    this.search = source;
    try {
      const files = await findFiles(query, source.token);
      if (this.search === source) this.show({ type: "files", search, files });
    } finally {
      source.dispose();
    }
  }

  private showAll(): void {
    this.show({ type: "status", status: this.backend.status });
    this.showContext();
    this.showConversations();
  }

  private showContext(): void {
    const active = this.lastEditor.attachment;
    this.show({ type: "context", ...(active && { active }) });
  }

  private showConversations(): void {
    const entries = all(this.state).map((each) => ({
      id: each.id,
      title: title(each),
      changed: each.changed,
    }));
    this.show({ type: "history", entries });
    this.show({ type: "conversation", conversation: this.state.current });
  }

  private show(update: PanelUpdate): void {
    // A page that is hidden is gone; it gets everything when it is back.
    if (this.view?.visible) void this.view.webview.postMessage(update);
  }
}

/** Milliseconds between two savings of a running answer: the store takes the whole history each time. */
const savePace = 2000;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function showError(error: unknown): void {
  vscode.window.showErrorMessage(messageOf(error));
}
