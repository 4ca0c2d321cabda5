import * as vscode from "vscode";
import type { ChatBackend } from "./chat";
import { selectionAttachment } from "./panelEditor";
import type { Attachment, Task, Turn } from "./protocol";
import { answerable, roughTokens } from "./turns";

const tasks: Record<string, Task> = { explain: "explain", fix: "fix", tests: "test", doc: "document" };

/** Make `@phial` answer in VS Code's own chat, and its model appear in the model picker there. */
export function registerNativeChat(backend: ChatBackend, icon: vscode.Uri): vscode.Disposable {
  const participant = vscode.chat.createChatParticipant(
    "phial.participant",
    (request, context, response, token) => answer(backend, request, context, response, token),
  );
  participant.iconPath = icon;
  const models = vscode.lm.registerLanguageModelChatProvider("phial", new Models(backend));
  // Without a first look-up, VS Code's chat says that no language model is there.
  void vscode.lm.selectChatModels({ vendor: "phial" });
  return vscode.Disposable.from(participant, models);
}

async function answer(
  backend: ChatBackend,
  request: vscode.ChatRequest,
  context: vscode.ChatContext,
  response: vscode.ChatResponseStream,
  token: vscode.CancellationToken,
): Promise<vscode.ChatResult> {
  const task = tasks[request.command ?? ""] ?? "ask";
  const attachments = attached(request.references);
  const selected = selectionAttachment();
  if (attachments.length === 0 && selected?.range) {
    attachments.push({ textDocument: { uri: selected.uri }, range: selected.range });
  }
  if (task !== "ask" && attachments.length === 0) {
    return { errorDetails: { message: "Select the code that you mean, or attach a file." } };
  }
  try {
    await backend.ask(
      { question: request.prompt, task, attachments, conversation: conversation(context.history) },
      (text) => response.markdown(text),
      token,
    );
    return {};
  } catch (error) {
    return token.isCancellationRequested ? {} : { errorDetails: { message: (error as Error).message } };
  }
}

function attached(references: readonly vscode.ChatPromptReference[]): Attachment[] {
  return references.flatMap(({ value }) => {
    if (value instanceof vscode.Uri) {
      return [{ textDocument: { uri: value.toString() } }];
    }
    if (value instanceof vscode.Location) {
      const { start, end } = value.range;
      return [{ textDocument: { uri: value.uri.toString() }, range: { start, end } }];
    }
    return [];
  });
}

function conversation(history: vscode.ChatContext["history"]): Turn[] {
  return history.map((turn) => {
    if (turn instanceof vscode.ChatRequestTurn) {
      return { role: "user", content: turn.prompt };
    }
    const texts = turn.response.map((part) =>
      part instanceof vscode.ChatResponseMarkdownPart ? part.value.value : "",
    );
    return { role: "assistant", content: texts.join("") };
  });
}

/** The model on this machine, for every chat and extension that lets the user choose one. */
class Models implements vscode.LanguageModelChatProvider {
  readonly onDidChangeLanguageModelChatInformation: vscode.Event<void>;

  constructor(private readonly backend: ChatBackend) {
    this.onDidChangeLanguageModelChatInformation = (listener, self, disposables) =>
      backend.onDidChangeStatus(() => listener.call(self), undefined, disposables);
  }

  provideLanguageModelChatInformation(): vscode.LanguageModelChatInformation[] {
    const { model, device, message, contextLength = 4096 } = this.backend.status;
    const maxOutputTokens = Math.min(
      vscode.workspace.getConfiguration("phial").get("chat.maxTokens", 1024),
      contextLength,
    );
    return [
      {
        id: "local",
        name: model ? `Phial: ${model}` : "Phial",
        family: "phial",
        version: "1",
        detail: device ? `on this machine (${device})` : "on this machine",
        tooltip: message,
        maxInputTokens: Math.max(1, contextLength - maxOutputTokens),
        maxOutputTokens,
        // VS Code's agent mode, its default, shows no other; @phial would have no model there. Tools are not called.
        capabilities: { toolCalling: true },
      },
    ];
  }

  async provideLanguageModelChatResponse(
    _model: vscode.LanguageModelChatInformation,
    messages: readonly vscode.LanguageModelChatRequestMessage[],
    options: vscode.ProvideLanguageModelChatResponseOptions,
    progress: vscode.Progress<vscode.LanguageModelResponsePart>,
    token: vscode.CancellationToken,
  ): Promise<void> {
    if (options.toolMode === vscode.LanguageModelChatToolMode.Required) {
      throw new Error("Phial's model answers in words and calls no tools. Choose another model for this.");
    }
    const turns = messages.map(
      (message): Turn => ({ role: role(message), content: textOf(message.content) }),
    );
    const told = (text: string) => progress.report(new vscode.LanguageModelTextPart(text));
    await this.backend.ask(answerable(turns), told, token);
  }

  async provideTokenCount(
    _model: vscode.LanguageModelChatInformation,
    text: string | vscode.LanguageModelChatRequestMessage,
  ): Promise<number> {
    return roughTokens(typeof text === "string" ? text : textOf(text.content));
  }
}

function role(message: vscode.LanguageModelChatRequestMessage): Turn["role"] {
  return message.role === vscode.LanguageModelChatMessageRole.Assistant ? "assistant" : "user";
}

function textOf(content: readonly unknown[]): string {
  return content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : "")).join("");
}
