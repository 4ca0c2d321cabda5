/** What the panel's page and the extension host tell each other. Each side checks what it gets. */
import type { ChatAttachment, Conversation, Question } from "./conversation";
import {
  isAttachment,
  isConversation,
  isListOf,
  isQuestion,
  isRecord,
  isStatus,
  isText,
  isWholeNumber,
} from "./panelChecks";
import type { StatusResult } from "./protocol";

/** From the page to the extension host. */
export type PanelRequest =
  | { type: "ready" }
  | { type: "ask"; question: Question }
  | { type: "stop" }
  | { type: "retry" }
  | { type: "continue" }
  | { type: "new" }
  | { type: "open"; id: string }
  | { type: "delete"; id: string }
  | { type: "copy"; text: string }
  | { type: "insert"; text: string }
  | { type: "replace"; text: string }
  | { type: "newFile"; text: string; language: string }
  | { type: "link"; href: string }
  | { type: "findFiles"; search: number; query: string }
  | { type: "command"; command: PanelCommand };

/** From the extension host to the page. */
export type PanelUpdate =
  | { type: "conversation"; conversation: Conversation }
  | { type: "piece"; text: string }
  | { type: "history"; entries: HistoryEntry[] }
  | { type: "context"; active?: ChatAttachment }
  | { type: "status"; status: StatusResult }
  | { type: "files"; search: number; files: FoundFile[] }
  | { type: "focus" };

/** The commands that the page may run. */
export type PanelCommand = (typeof panelCommands)[number];

export interface HistoryEntry {
  id: string;
  title: string;
  /** In milliseconds since 1970. */
  changed: number;
}

/** A file of the workspace; `path` is relative to its folder, with slashes. */
export interface FoundFile {
  uri: string;
  path: string;
}

export function readPanelRequest(value: unknown): PanelRequest | undefined {
  return read<PanelRequest>(requestChecks, value);
}

export function readPanelUpdate(value: unknown): PanelUpdate | undefined {
  return read<PanelUpdate>(updateChecks, value);
}

const panelCommands = ["phial.model.select", "phial.doctor", "phial.menu"] as const;

/** What a message of each type must have beside its type. */
type Checks<Message extends { type: string }> = {
  [Type in Message["type"]]: FieldChecks<Extract<Message, { type: Type }>>;
};
type FieldChecks<Message> = { [Field in Exclude<keyof Message, "type">]-?: (value: unknown) => boolean };

const requestChecks: Checks<PanelRequest> = {
  ready: {},
  ask: { question: isQuestion },
  stop: {},
  retry: {},
  continue: {},
  new: {},
  open: { id: isText },
  delete: { id: isText },
  copy: { text: isText },
  insert: { text: isText },
  replace: { text: isText },
  newFile: { text: isText, language: isText },
  link: { href: isText },
  findFiles: { search: isWholeNumber, query: isText },
  command: { command: isPanelCommand },
};

const updateChecks: Checks<PanelUpdate> = {
  conversation: { conversation: isConversation },
  piece: { text: isText },
  history: { entries: isListOf(isHistoryEntry) },
  context: { active: (value) => value === undefined || isAttachment(value) },
  status: { status: isStatus },
  files: { search: isWholeNumber, files: isListOf(isFoundFile) },
  focus: {},
};

function read<Message extends { type: string }>(
  checks: Record<string, Record<string, (value: unknown) => boolean>>,
  value: unknown,
): Message | undefined {
  if (!isRecord(value) || !isText(value.type) || !Object.hasOwn(checks, value.type)) return undefined;
  const fields = Object.entries(checks[value.type] ?? {});
  return fields.every(([field, check]) => check(value[field])) ? (value as Message) : undefined;
}

function isPanelCommand(value: unknown): value is PanelCommand {
  return panelCommands.some((command) => command === value);
}

function isHistoryEntry(value: unknown): value is HistoryEntry {
  return isRecord(value) && isText(value.id) && isText(value.title) && isWholeNumber(value.changed);
}

function isFoundFile(value: unknown): value is FoundFile {
  return isRecord(value) && isText(value.uri) && isText(value.path);
}
