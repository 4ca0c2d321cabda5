/** The form in which a workspace keeps its conversations. */
import { all, begin, type Change, type Conversation, type Conversations, changed } from "./conversation";
import { isConversation, isRecord, isText } from "./panelChecks";

export interface StoredConversations {
  version: typeof version;
  /** The one that was open; none of them where an empty one was. */
  current: string;
  conversations: Conversation[];
}

export function stored(state: Conversations): StoredConversations {
  return { version, current: state.current.id, conversations: all(state) };
}

/** Read what was stored. Another version's form counts as nothing; a broken conversation is left out. */
export function restored(value: unknown, newId: string, now: number): Conversations {
  const empty = begin(newId, now);
  if (!isRecord(value) || value.version !== version || !Array.isArray(value.conversations)) return empty;
  const conversations = value.conversations.filter(isConversation).map(withoutRunningAnswers);
  const state = { ...empty, earlier: all({ ...empty, earlier: conversations }) };
  return isText(value.current) ? changed(state, { type: "opened", id: value.current }) : state;
}

const version = 1;
const stop: Change = { type: "stopped" };

/** Whoever was answering is gone: the answer stays as far as it came. */
function withoutRunningAnswers(conversation: Conversation): Conversation {
  return changed({ current: conversation, earlier: [] }, stop).current;
}
