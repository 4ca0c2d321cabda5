/**
 * Our own messages beside those of the Language Server Protocol.
 *
 * Mirrors `server/phial/lsp/protocol.py`; a test compares the two.
 */
import { NotificationType, ProgressType, type Range, RequestType, RequestType0 } from "vscode-languageclient";

export type Task = "ask" | "explain" | "fix" | "document" | "test";

/** A document, or a range of it, that a question is about. */
export interface Attachment {
  textDocument: { uri: string };
  range?: Range;
}

/** An earlier message of a conversation. */
export interface Turn {
  role: "user" | "assistant";
  content: string;
}

/** A question, or one of the tasks, about some code or about nothing. */
export interface ChatParams {
  question?: string;
  task?: Task;
  textDocument?: { uri: string };
  range?: Range;
  attachments?: Attachment[];
  conversation?: Turn[];
  partialResultToken?: number | string;
}

/** A partial result: the next piece of the answer. */
export interface ChatPiece {
  text: string;
}

/** What an answer took, in tokens. */
export interface ChatUsage {
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
}

/** The whole answer, the pieces included. */
export interface ChatResult {
  text: string;
  finishReason: "stop" | "length";
  usage: ChatUsage;
}

/**
 * How the engine is; `code` is that of the error, where it failed.
 *
 * `fraction` of the load is from 0 to 1, `contextLength` in tokens.
 */
export interface StatusResult {
  state: "starting" | "loading" | "ready" | "failed" | "off";
  message: string;
  fraction?: number;
  model?: string;
  device?: string;
  starter?: boolean;
  deviceReason?: string;
  tokensPerSecond?: number;
  contextLength?: number;
  code?: string;
}

/** A model as a picker shows it; sizes in bytes. `command` brings it here where it is not installed. */
export interface ModelEntry {
  id: string;
  title: string;
  obtain: "installed" | "pull" | "export";
  command?: string;
  inUse?: boolean;
  starter?: boolean;
  fits?: boolean;
  memoryBytes?: number;
  downloadBytes?: number;
  device?: string;
  licence?: string;
  note?: string;
}

/** The models of the catalog, and what else is installed. */
export interface ModelsResult {
  models: ModelEntry[];
}

/** Which model to fetch. It reports its progress where it is given a token. */
export interface PullParams {
  model: string;
  workDoneToken?: number | string;
}

export const chatRequest = new RequestType<ChatParams, ChatResult, void>("phial/chat");
export const chatPiece = new ProgressType<ChatPiece>();
export const statusRequest = new RequestType0<StatusResult, void>("phial/status");
export const statusNotification = new NotificationType<StatusResult>("phial/status");
export const modelsRequest = new RequestType0<ModelsResult, void>("phial/models");
export const pullRequest = new RequestType<PullParams, null, void>("phial/pull");
