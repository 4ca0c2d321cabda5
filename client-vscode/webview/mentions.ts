/** An `@` in the input, and the part of a path after it. */

export interface Mention {
  /** Where the `@` stands. */
  start: number;
  query: string;
}

/** The mention that is being typed: an `@` at the beginning of a word, from there to the caret. */
export function mentionAt(text: string, caret: number): Mention | undefined {
  const match = /(?:^|\s)@([^\s@]*)$/.exec(text.slice(0, caret));
  if (!match) return undefined;
  const query = match[1] ?? "";
  return { start: caret - query.length - 1, query };
}

/** The text with the whole path in place of what was typed of it, and where the caret then stands. */
export function withMention(
  text: string,
  caret: number,
  mention: Mention,
  path: string,
): { text: string; caret: number } {
  const rest = text.slice(caret);
  const space = /^\s/.test(rest) ? "" : " ";
  const before = `${text.slice(0, mention.start)}@${path}${space}`;
  return { text: before + rest, caret: before.length };
}
