import * as vscode from "vscode";
import {
  CloseAction,
  DidChangeConfigurationNotification,
  ErrorAction,
  type Executable,
  LanguageClient,
  ResponseError,
  State,
  WorkDoneProgress,
} from "vscode-languageclient/node";
import type { ChatBackend } from "./chat";
import type { ServerCommand } from "./environment";
import {
  type ChatParams,
  type ChatResult,
  chatPiece,
  chatRequest,
  type ModelEntry,
  modelsRequest,
  pullRequest,
  type StatusResult,
  statusNotification,
} from "./protocol";

export const engineKeySecret = "phial.engine.key";

const documents = ["file", "untitled", "vscode-notebook-cell", "vscode-vfs"].map((scheme) => ({ scheme }));

/** The language server of this window, through however many restarts. */
export class Client implements ChatBackend, vscode.Disposable {
  private readonly changedStatus = new vscode.EventEmitter<StatusResult>();
  private readonly changedActivity = new vscode.EventEmitter<number>();
  private language: LanguageClient | undefined;
  private tokens = 0;
  private running = 0;

  readonly onDidChangeStatus = this.changedStatus.event;

  /** Fires with the number of answers that are being written. */
  readonly onDidChangeActivity = this.changedActivity.event;

  status: StatusResult = { state: "off", message: "The server is not running." };

  constructor(
    private readonly log: vscode.LogOutputChannel,
    private readonly secrets: vscode.SecretStorage,
  ) {}

  /** Start the server, or start it again with another command. Rejects where it cannot be started. */
  async start(server: ServerCommand): Promise<void> {
    await this.stop();
    this.tell({ state: "starting", message: "The server is starting." });
    const executable: Executable = {
      command: server.command,
      args: server.args,
      options: { cwd: server.cwd },
    };
    const language = new LanguageClient("phial", "Phial", executable, {
      documentSelector: documents,
      initializationOptions: await this.settings(),
      outputChannel: this.log,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue }),
        closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
      },
      initializationFailedHandler: () => false,
      middleware: {
        provideInlineCompletionItems: (document, position, context, token, next) =>
          this.counted(async () => next(document, position, context, token)),
      },
    });
    this.language = language;
    language.onNotification(statusNotification, (status) => this.tell(status));
    language.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped && this.language === language) {
        this.language = undefined;
        this.tell({
          state: "failed",
          message: "The server ended unexpectedly. Restart it, or look at its log.",
        });
      }
    });
    try {
      await language.start();
    } catch (error) {
      this.language = undefined;
      const reason = error instanceof Error ? error.message : String(error);
      this.tell({ state: "failed", message: `The server could not be started: ${reason}` });
      throw error;
    }
  }

  async stop(): Promise<void> {
    const language = this.language;
    this.language = undefined;
    if (language?.needsStop()) {
      await language
        .stop()
        .catch((error: unknown) => this.log.warn(`The server did not stop in order: ${error}`));
    }
    await language?.dispose();
  }

  /** Tell the server the settings as they are now. */
  async sendSettings(): Promise<void> {
    const settings = await this.settings();
    await this.language?.sendNotification(DidChangeConfigurationNotification.type, { settings });
  }

  async ask(
    params: ChatParams,
    told: (text: string) => void,
    token: vscode.CancellationToken,
  ): Promise<ChatResult> {
    const language = this.connected();
    const partialResultToken = this.nextToken();
    const listener = language.onProgress(chatPiece, partialResultToken, ({ text }) => told(text));
    try {
      return await this.counted(() =>
        language.sendRequest(chatRequest, { ...params, partialResultToken }, token),
      );
    } catch (error) {
      throw plainError(error);
    } finally {
      listener.dispose();
    }
  }

  async models(): Promise<ModelEntry[]> {
    const { models } = await this.connected().sendRequest(modelsRequest);
    return models;
  }

  /** Fetch a model, telling what is being done and how many percent of it are. */
  async pull(
    model: string,
    told: (message: string, percentage: number | undefined) => void,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const language = this.connected();
    const workDoneToken = this.nextToken();
    const listener = language.onProgress(WorkDoneProgress.type, workDoneToken, (step) => {
      if (step.kind !== "end") {
        told(step.message ?? "", step.percentage);
      }
    });
    try {
      await language.sendRequest(pullRequest, { model, workDoneToken }, token);
    } catch (error) {
      throw plainError(error);
    } finally {
      listener.dispose();
    }
  }

  dispose(): void {
    void this.stop();
    this.changedStatus.dispose();
    this.changedActivity.dispose();
  }

  private connected(): LanguageClient {
    if (!this.language) {
      throw new Error(this.status.message);
    }
    return this.language;
  }

  private nextToken(): string {
    this.tokens += 1;
    return `phial-${this.tokens}`;
  }

  private async counted<Result>(work: () => Promise<Result>): Promise<Result> {
    this.running += 1;
    this.changedActivity.fire(this.running);
    try {
      return await work();
    } finally {
      this.running -= 1;
      this.changedActivity.fire(this.running);
    }
  }

  /** The server's settings, with the key that only the secret storage holds; how it is started is not its business. */
  private async settings(): Promise<Record<string, unknown>> {
    const { server: _, ...settings } = JSON.parse(JSON.stringify(vscode.workspace.getConfiguration("phial")));
    const key = await this.secrets.get(engineKeySecret);
    return key ? { ...settings, engine: { ...settings.engine, key } } : settings;
  }

  private tell(status: StatusResult): void {
    const before = this.status.state;
    this.status = status;
    this.changedStatus.fire(status);
    // Who typed while the model was loading got no answer, and VS Code does not ask again by itself. Nor would it where
    // it is told to as if by typing: it has asked that at this place, and takes nothing for the answer.
    const edited = (vscode.window.activeTextEditor?.document.version ?? 0) > 1;
    if (status.state === "ready" && before !== "ready" && edited) {
      void vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
    }
  }
}

/** Return an error whose message is for the user, or the cancellation as VS Code knows it. */
function plainError(error: unknown): Error {
  if (error instanceof ResponseError) {
    return new Error(error.message);
  }
  return error instanceof Error ? error : new Error(String(error));
}
