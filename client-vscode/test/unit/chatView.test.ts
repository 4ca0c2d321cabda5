import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ChatBackend } from "../../src/chat";
import { ChatView } from "../../src/chatView";
import type { Conversation } from "../../src/conversation";
import { ConversationFile } from "../../src/conversationFile";
import type { PanelRequest, PanelUpdate } from "../../src/panelMessages";
import type { ChatParams, ChatResult, StatusResult } from "../../src/protocol";

const editor = vi.hoisted(() => ({
  commands: { executeCommand: vi.fn() },
  clipboard: vi.fn(),
  openExternal: vi.fn(),
  showErrorMessage: vi.fn(),
  showWarningMessage: vi.fn(),
}));

vi.mock("vscode", () => {
  const nothing = () => ({ dispose() {} });
  class EventEmitter {
    event = nothing;
    fire() {}
    dispose() {}
  }
  class CancellationTokenSource {
    token = { isCancellationRequested: false };
    cancel() {
      this.token.isCancellationRequested = true;
    }
    dispose() {}
  }
  return {
    EventEmitter,
    CancellationTokenSource,
    Disposable: { from: nothing },
    Uri: { joinPath: (...parts: string[]) => parts.join("/"), parse: (text: string) => text },
    commands: editor.commands,
    env: { clipboard: { writeText: editor.clipboard }, openExternal: editor.openExternal },
    window: {
      visibleTextEditors: [],
      onDidChangeActiveTextEditor: nothing,
      onDidChangeVisibleTextEditors: nothing,
      onDidChangeTextEditorSelection: nothing,
      showErrorMessage: editor.showErrorMessage,
      showWarningMessage: editor.showWarningMessage,
    },
  };
});

/** One question to the backend, answered by the test. */
interface Asked {
  params: ChatParams;
  told: (text: string) => void;
  token: { isCancellationRequested: boolean };
  finish: (result: Partial<ChatResult>) => void;
  fail: (error: Error) => void;
}

let asked: Asked[];
let updates: PanelUpdate[];
let folder: string;
let chat: ChatView;
let tell: (request: PanelRequest | { type: string }) => void;

afterEach(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  vi.clearAllMocks();
  asked = [];
  folder = mkdtempSync(join(tmpdir(), "phial-"));
  open();
});

describe("a question", () => {
  it("reveals the panel, streams and resolves at the end", async () => {
    const asking = chat.ask({ text: "why?", task: "ask", attachments: [] });
    await turn();
    expect(editor.commands.executeCommand).toHaveBeenCalledWith("phial.chat.focus");
    updates.length = 0;
    asked[0]?.told("Be");
    asked[0]?.told("cause");
    expect(updates).toEqual([
      { type: "piece", text: "Be" },
      { type: "piece", text: "cause" },
    ]);
    asked[0]?.finish({ text: "Because" });
    await asking;
    expect(answers()).toEqual([{ text: "Because", state: "done" }]);
  });

  it("stops the answer that is running, whose rest comes too late", async () => {
    const first = chat.ask({ text: "one", task: "ask", attachments: [] });
    await turn();
    asked[0]?.told("half");
    void chat.ask({ text: "two", task: "ask", attachments: [] });
    await turn();
    expect(asked[0]?.token.isCancellationRequested).toBe(true);
    asked[0]?.told(" late");
    asked[0]?.fail(new Error("cancelled"));
    await first;
    expect(answers()).toEqual([
      { text: "half", state: "stopped" },
      { text: "", state: "streaming" },
    ]);
    expect(asked[1]?.params.conversation).toHaveLength(2);
  });

  it("that fails keeps what came, and can be asked again", async () => {
    tell({ type: "ask", question: { text: "why?", task: "ask", attachments: [] } } as PanelRequest);
    asked[0]?.told("half");
    asked[0]?.fail(new Error("No memory."));
    await turn();
    expect(answers()).toEqual([{ text: "half", state: "failed", error: "No memory." }]);
    tell({ type: "retry" });
    expect(asked[1]?.params).toEqual(asked[0]?.params);
    asked[1]?.finish({ text: "whole", finishReason: "length" });
    await turn();
    expect(answers()).toEqual([{ text: "whole", state: "done", cut: true }]);
    tell({ type: "continue" });
    expect(asked[2]?.params.question).toBe("Continue.");
  });

  it("stores an editor's positions as data", async () => {
    const position = (line: number) => ({ line, character: 0, isBefore: () => false });
    const range = { start: position(1), end: position(2) };
    void chat.ask({ text: "why?", task: "explain", attachments: [{ uri: "file:///a", label: "a", range }] });
    await turn();
    expect(asked[0]?.params.attachments).toEqual([
      {
        textDocument: { uri: "file:///a" },
        range: { start: { line: 1, character: 0 }, end: { line: 2, character: 0 } },
      },
    ]);
  });
});

describe("the conversations", () => {
  it("outlive a reload, what was running as far as it came", async () => {
    void chat.ask({ text: "why?", task: "ask", attachments: [] });
    await turn();
    asked[0]?.told("half");
    chat.dispose();
    expect(asked[0]?.token.isCancellationRequested).toBe(true);
    open();
    expect(answers()).toEqual([{ text: "half", state: "stopped" }]);
  });

  it("are kept while an answer runs", async () => {
    vi.useFakeTimers();
    tell({ type: "ask", question: { text: "why?", task: "ask", attachments: [] } } as PanelRequest);
    asked[0]?.told("half");
    expect(JSON.stringify(new ConversationFile(folder).read() ?? null)).not.toContain("half");
    vi.advanceTimersByTime(5000);
    expect(JSON.stringify(new ConversationFile(folder).read() ?? null)).toContain("half");
    vi.useRealTimers();
  });

  it("can be left, opened again and deleted", async () => {
    tell({ type: "ask", question: { text: "one", task: "ask", attachments: [] } } as PanelRequest);
    await chat.newChat();
    expect(shown().exchanges).toEqual([]);
    expect(asked[0]?.token.isCancellationRequested).toBe(true);
    const id = history()[0]?.id ?? "";
    tell({ type: "open", id });
    expect(answers()).toEqual([{ text: "", state: "stopped" }]);
    tell({ type: "delete", id });
    expect(history()).toEqual([]);
    expect(shown().exchanges).toEqual([]);
  });
});

describe("the page's requests", () => {
  it("open only links that lead to the web", async () => {
    tell({ type: "link", href: "https://example.org" } as PanelRequest);
    tell({ type: "link", href: "command:phial.doctor" } as PanelRequest);
    tell({ type: "link", href: "javascript:alert(1)" } as PanelRequest);
    await turn();
    expect(editor.openExternal.mock.calls).toEqual([["https://example.org/"]]);
  });

  it("say what is missing where there is no editor", async () => {
    tell({ type: "insert", text: "x" } as PanelRequest);
    await turn();
    expect(editor.showWarningMessage.mock.calls[0]?.[0]).toContain("open the one to change");
  });

  it("are shown to fail", async () => {
    editor.clipboard.mockRejectedValueOnce(new Error("No clipboard."));
    tell({ type: "copy", text: "x" } as PanelRequest);
    await turn();
    expect(editor.showErrorMessage).toHaveBeenCalledWith("No clipboard.");
  });

  it("are ignored where they are none", () => {
    const before = updates.length;
    tell({ type: "command", command: "workbench.action.quit" } as { type: string });
    tell({ type: "nonsense" });
    expect(editor.commands.executeCommand).not.toHaveBeenCalled();
    expect(updates).toHaveLength(before);
  });
});

function open(): void {
  updates = [];
  const status: StatusResult = { state: "ready", message: "" };
  const backend: ChatBackend = {
    status,
    onDidChangeStatus: () => ({ dispose() {} }),
    ask: (params, told, token) =>
      new Promise((resolve, fail) => {
        const usage = { promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
        const finish = (result: Partial<ChatResult>) =>
          resolve({ text: "", finishReason: "stop", usage, ...result });
        asked.push({ params, told, token, finish, fail });
      }),
  };
  chat = new ChatView({ storageUri: { fsPath: folder }, extensionUri: "ext" } as never, backend);
  const view = {
    visible: true,
    webview: {
      options: {},
      html: "",
      cspSource: "vscode-resource:",
      asWebviewUri: (uri: string) => uri,
      postMessage: (update: PanelUpdate) => updates.push(update),
      onDidReceiveMessage: (listener: (request: unknown) => void) => {
        tell = listener;
        return { dispose() {} };
      },
    },
    onDidChangeVisibility: () => ({ dispose() {} }),
    onDidDispose: () => ({ dispose() {} }),
  };
  chat.resolveWebviewView(view as never);
  expect(view.webview.options).toEqual({ enableScripts: true, localResourceRoots: ["ext/dist/webview"] });
  tell({ type: "ready" });
}

function shown(): Conversation {
  const conversations = updates.flatMap((each) => (each.type === "conversation" ? [each.conversation] : []));
  const last = conversations.at(-1);
  if (!last) throw new Error("no conversation was shown");
  return last;
}

function history() {
  return updates.flatMap((each) => (each.type === "history" ? [each.entries] : [])).at(-1) ?? [];
}

function answers() {
  return shown().exchanges.map(({ answer }) => answer);
}

/** Let everything that waits for nothing run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
