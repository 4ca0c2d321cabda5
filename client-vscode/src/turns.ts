import type { ChatParams, Turn } from "./protocol";

/** Split a conversation into the question at its end and what was said before. */
export function answerable(turns: readonly Turn[]): ChatParams {
  const last = turns.findLastIndex((turn) => turn.role === "user");
  return {
    question: turns[last]?.content ?? "",
    task: "ask",
    conversation: turns.slice(0, Math.max(0, last)),
  };
}

/** Return about how many tokens a text has: only the server could count, and callers ask for every message. */
export function roughTokens(text: string): number {
  return Math.ceil(text.length / 3.5);
}
