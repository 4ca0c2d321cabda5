import type { CancellationToken, Event } from "vscode";
import type { ChatParams, ChatResult, StatusResult } from "./protocol";

/** What the panel and the native chat need of the server. */
export interface ChatBackend {
  /** Answer a question, telling the text piece by piece. Rejects with an error whose message is for the user. */
  ask(params: ChatParams, told: (text: string) => void, token: CancellationToken): Promise<ChatResult>;

  /** How the engine is now. */
  readonly status: StatusResult;

  readonly onDidChangeStatus: Event<StatusResult>;
}
