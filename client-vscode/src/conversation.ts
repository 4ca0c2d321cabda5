/** What was asked and answered: plain data and the pure functions that change it. */
import type { Range } from "vscode-languageclient";
import type { Attachment, ChatParams, ChatResult, Task, Turn } from "./protocol";

/** A document, or a range of it, under the name that the user sees. */
export interface ChatAttachment {
  uri: string;
  range?: Range;
  label: string;
}

export interface Question {
  text: string;
  task: Task;
  attachments: ChatAttachment[];
}

export type AnswerState = "streaming" | "done" | "stopped" | "failed";

export interface Answer {
  text: string;
  state: AnswerState;
  /** The answer ended because it was as long as it may be. */
  cut?: true;
  /** What went wrong, for the user; only where the state is "failed". */
  error?: string;
}

export interface Exchange {
  question: Question;
  answer: Answer;
}

export interface Conversation {
  id: string;
  /** When it was last changed, in milliseconds since 1970. */
  changed: number;
  exchanges: Exchange[];
}

/** All conversations of a workspace, the newest first; an empty one is in none but `current`. */
export interface Conversations {
  current: Conversation;
  earlier: Conversation[];
}

export type Change =
  | { type: "asked"; question: Question; now: number }
  | { type: "retried" }
  | { type: "piece"; text: string }
  | { type: "finished"; text: string; finishReason: ChatResult["finishReason"] }
  | { type: "failed"; message: string }
  | { type: "stopped" }
  | { type: "began"; id: string; now: number }
  | { type: "opened"; id: string }
  | { type: "deleted"; id: string; newId: string; now: number };

export const mostConversations = 50;

/** Change the conversations. Whatever does not fit the state they are in leaves them as they are. */
export function changed(state: Conversations, change: Change): Conversations {
  switch (change.type) {
    case "asked": {
      const stopped = withLastAnswer(state.current, (answer) => settled(answer));
      const exchanges = [...stopped.exchanges, { question: change.question, answer: unanswered }];
      return { ...state, current: { ...stopped, exchanges, changed: change.now } };
    }
    case "retried":
      return { ...state, current: withLastAnswer(state.current, () => unanswered) };
    case "piece":
      return withRunningAnswer(state, (answer) => ({ ...answer, text: answer.text + change.text }));
    case "finished":
      return withRunningAnswer(state, () => ({
        text: change.text,
        state: "done",
        ...(change.finishReason === "length" && { cut: true as const }),
      }));
    case "failed":
      return withRunningAnswer(state, ({ text }) => ({ text, state: "failed", error: change.message }));
    case "stopped":
      return withRunningAnswer(state, settled);
    case "began":
      return isEmpty(state.current) ? state : { current: begun(change.id, change.now), earlier: all(state) };
    case "opened": {
      const opened = state.earlier.find((each) => each.id === change.id);
      return opened ? { current: opened, earlier: without(all(state), change.id) } : state;
    }
    case "deleted": {
      const earlier = without(state.earlier, change.id);
      const current = state.current.id === change.id ? begun(change.newId, change.now) : state.current;
      return { current, earlier };
    }
  }
}

/** Begin with one empty conversation. */
export function begin(id: string, now: number): Conversations {
  return { current: begun(id, now), earlier: [] };
}

/** The conversations that hold anything, the newest first, bounded. */
export function all({ current, earlier }: Conversations): Conversation[] {
  return [current, ...earlier]
    .filter((each) => !isEmpty(each))
    .sort((one, other) => other.changed - one.changed)
    .slice(0, mostConversations);
}

/** The server's form of the last question, with what was said before it. */
export function chatParams({ exchanges }: Conversation): ChatParams | undefined {
  const last = exchanges.at(-1);
  if (!last) return undefined;
  const { text, task, attachments } = last.question;
  return {
    question: text,
    task,
    attachments: attachments.map(asAttachment),
    conversation: exchanges.slice(0, -1).flatMap(turns),
  };
}

/** The question that has a cut answer go on. The code comes along: earlier turns hold none. */
export function continuation({ exchanges }: Conversation): Question {
  return { text: "Continue.", task: "ask", attachments: exchanges.at(-1)?.question.attachments ?? [] };
}

export function isRunning({ exchanges }: Conversation): boolean {
  return exchanges.at(-1)?.answer.state === "streaming";
}

export function isEmpty({ exchanges }: Conversation): boolean {
  return exchanges.length === 0;
}

/** A question in words; a task can come without any. */
export function questionText({ text, task }: Question): string {
  return text.trim() || taskTitles[task];
}

/** The first line of the first question, shortened for a list. */
export function title({ exchanges }: Conversation): string {
  const first = exchanges[0];
  if (!first) return "New chat";
  const [line = ""] = questionText(first.question).split("\n");
  const characters = [...line];
  return characters.length > 60 ? `${characters.slice(0, 59).join("")}…` : line;
}

const taskTitles: Record<Task, string> = {
  ask: "Tell me about this code",
  explain: "Explain this code",
  fix: "Find what is wrong in this code",
  document: "Document this code",
  test: "Write tests for this code",
};

const unanswered: Answer = { text: "", state: "streaming" };

function begun(id: string, now: number): Conversation {
  return { id, changed: now, exchanges: [] };
}

function without(conversations: Conversation[], id: string): Conversation[] {
  return conversations.filter((each) => each.id !== id);
}

function settled(answer: Answer): Answer {
  return answer.state === "streaming" ? { ...answer, state: "stopped" } : answer;
}

function withLastAnswer(conversation: Conversation, change: (answer: Answer) => Answer): Conversation {
  const last = conversation.exchanges.at(-1);
  if (!last) return conversation;
  const exchanges = [...conversation.exchanges.slice(0, -1), { ...last, answer: change(last.answer) }];
  return { ...conversation, exchanges };
}

function withRunningAnswer(state: Conversations, change: (answer: Answer) => Answer): Conversations {
  return isRunning(state.current) ? { ...state, current: withLastAnswer(state.current, change) } : state;
}

function turns({ question, answer }: Exchange): Turn[] {
  const usable = (answer.state === "done" || answer.state === "stopped") && answer.text.trim() !== "";
  if (!usable) return [];
  return [
    { role: "user", content: questionText(question) },
    { role: "assistant", content: answer.text },
  ];
}

function asAttachment({ uri, range }: ChatAttachment): Attachment {
  return { textDocument: { uri }, ...(range && { range }) };
}
