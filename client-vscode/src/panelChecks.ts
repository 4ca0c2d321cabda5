/** Checks of data that comes from outside: a message's or a stored value's form is not taken on trust. */
import type { Range } from "vscode-languageclient";
import type { Answer, AnswerState, ChatAttachment, Conversation, Exchange, Question } from "./conversation";
import type { StatusResult, Task } from "./protocol";

export type Check<T> = (value: unknown) => value is T;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

export function isWholeNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

export function isListOf<T>(check: Check<T>): Check<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.every(check);
}

export function isAttachment(value: unknown): value is ChatAttachment {
  return (
    isRecord(value) &&
    isText(value.uri) &&
    isText(value.label) &&
    (value.range === undefined || isRange(value.range))
  );
}

export function isQuestion(value: unknown): value is Question {
  return (
    isRecord(value) && isText(value.text) && isTask(value.task) && isListOf(isAttachment)(value.attachments)
  );
}

export function isConversation(value: unknown): value is Conversation {
  return (
    isRecord(value) &&
    isText(value.id) &&
    isWholeNumber(value.changed) &&
    isListOf(isExchange)(value.exchanges)
  );
}

export function isStatus(value: unknown): value is StatusResult {
  return (
    isRecord(value) &&
    isText(value.state) &&
    statusStates.has(value.state) &&
    isText(value.message) &&
    [value.model, value.device, value.deviceReason].every((each) => each === undefined || isText(each)) &&
    [value.fraction, value.tokensPerSecond].every((each) => each === undefined || isFiniteNumber(each)) &&
    (value.starter === undefined || typeof value.starter === "boolean")
  );
}

const tasks: ReadonlySet<string> = new Set<Task>(["ask", "explain", "fix", "document", "test"]);
const answerStates: ReadonlySet<string> = new Set<AnswerState>(["streaming", "done", "stopped", "failed"]);
const statusStates: ReadonlySet<string> = new Set<StatusResult["state"]>([
  "starting",
  "loading",
  "ready",
  "failed",
  "off",
]);

function isTask(value: unknown): value is Task {
  return isText(value) && tasks.has(value);
}

function isExchange(value: unknown): value is Exchange {
  return isRecord(value) && isQuestion(value.question) && isAnswer(value.answer);
}

function isAnswer(value: unknown): value is Answer {
  return (
    isRecord(value) &&
    isText(value.text) &&
    isText(value.state) &&
    answerStates.has(value.state) &&
    (value.cut === undefined || value.cut === true) &&
    (value.error === undefined || isText(value.error))
  );
}

function isRange(value: unknown): value is Range {
  return isRecord(value) && isPosition(value.start) && isPosition(value.end);
}

function isPosition(value: unknown): boolean {
  return isRecord(value) && isWholeNumber(value.line) && isWholeNumber(value.character);
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
