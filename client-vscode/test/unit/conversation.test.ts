import { describe, expect, it } from "vitest";
import {
  type Answer,
  all,
  begin,
  type Change,
  type Conversation,
  type Conversations,
  changed,
  chatParams,
  continuation,
  isRunning,
  mostConversations,
  type Question,
  questionText,
  title,
} from "../../src/conversation";
import { restored, stored } from "../../src/conversationStore";

describe("the running answer", () => {
  it("grows piece by piece and ends as the whole", () => {
    const state = following([
      asked("why?"),
      { type: "piece", text: "Be" },
      { type: "piece", text: "cause" },
      { type: "finished", text: "Because.", finishReason: "stop" },
    ]);
    expect(lastAnswer(state)).toEqual({ text: "Because.", state: "done" });
  });

  it("is marked where it was cut", () => {
    const state = following([asked("why?"), { type: "finished", text: "Be", finishReason: "length" }]);
    expect(lastAnswer(state)).toEqual({ text: "Be", state: "done", cut: true });
  });

  it("keeps its text when it is stopped or fails", () => {
    const running = [asked("why?"), { type: "piece", text: "Be" }] satisfies Change[];
    expect(lastAnswer(following([...running, { type: "stopped" }]))).toEqual({
      text: "Be",
      state: "stopped",
    });
    expect(lastAnswer(following([...running, { type: "failed", message: "no memory" }]))).toEqual({
      text: "Be",
      state: "failed",
      error: "no memory",
    });
  });

  it("is stopped by the next question", () => {
    const state = following([asked("one"), { type: "piece", text: "a" }, asked("two")]);
    expect(state.current.exchanges.map(({ answer }) => answer.state)).toEqual(["stopped", "streaming"]);
  });

  it("begins anew on a retry", () => {
    const failed = [
      asked("why?"),
      { type: "piece", text: "Be" },
      { type: "failed", message: "no" },
    ] as Change[];
    const state = following([...failed, { type: "retried" }]);
    expect(lastAnswer(state)).toEqual({ text: "", state: "streaming" });
    expect(state.current.exchanges).toHaveLength(1);
  });

  it.each<Change>([
    { type: "piece", text: "late" },
    { type: "finished", text: "late", finishReason: "stop" },
    { type: "failed", message: "late" },
    { type: "stopped" },
  ])("takes no $type once it has ended", (late) => {
    const ended = following([asked("why?"), { type: "finished", text: "Because.", finishReason: "stop" }]);
    expect(changed(ended, late)).toBe(ended);
  });
});

describe("the history", () => {
  it("keeps a conversation when another begins, and opens it again", () => {
    const begun = following([asked("one"), { type: "stopped" }, { type: "began", id: "b", now: 5 }]);
    expect(begun.current).toEqual({ id: "b", changed: 5, exchanges: [] });
    expect(begun.earlier.map(title)).toEqual(["one"]);
    const opened = changed(begun, { type: "opened", id: "a" });
    expect(title(opened.current)).toBe("one");
    expect(opened.earlier).toEqual([]);
  });

  it("holds no empty conversation and begins none beside one", () => {
    const state = begin("a", 1);
    expect(changed(state, { type: "began", id: "b", now: 2 })).toBe(state);
    expect(all(state)).toEqual([]);
  });

  it("forgets what is deleted, be it open or not", () => {
    const two = following([asked("one"), { type: "began", id: "b", now: 2 }, asked("two")]);
    const other = changed(two, { type: "deleted", id: "a", newId: "c", now: 3 });
    expect(all(other).map(title)).toEqual(["two"]);
    const open = changed(two, { type: "deleted", id: "b", newId: "c", now: 3 });
    expect(open.current).toEqual({ id: "c", changed: 3, exchanges: [] });
    expect(all(open).map(title)).toEqual(["one"]);
  });

  it("leaves all as it is where it knows no such conversation", () => {
    const state = following([asked("one")]);
    expect(changed(state, { type: "opened", id: "nowhere" })).toBe(state);
  });

  it("is bounded, the oldest go first", () => {
    let state = begin("0", 0);
    for (let number = 1; number <= mostConversations + 5; number += 1) {
      state = changed(state, { type: "asked", question: question(`q${number}`), now: number });
      state = changed(state, { type: "began", id: `${number}`, now: number });
    }
    expect(all(state)).toHaveLength(mostConversations);
    expect(title(all(state)[0] as Conversation)).toBe(`q${mostConversations + 5}`);
  });
});

describe("what the server is asked", () => {
  it("is the last question with its attachments and the turns before", () => {
    const range = { start: { line: 1, character: 0 }, end: { line: 2, character: 3 } };
    const state = following([
      asked("one"),
      { type: "finished", text: "first", finishReason: "stop" },
      asked("two"),
      { type: "piece", text: "half" },
      { type: "stopped" },
      {
        type: "asked",
        now: 1,
        question: {
          text: "three",
          task: "fix",
          attachments: [
            { uri: "file:///a.py", range, label: "a.py:2-3" },
            { uri: "file:///b.py", label: "b.py" },
          ],
        },
      },
    ]);
    expect(chatParams(state.current)).toEqual({
      question: "three",
      task: "fix",
      attachments: [
        { textDocument: { uri: "file:///a.py" }, range },
        { textDocument: { uri: "file:///b.py" } },
      ],
      conversation: [
        { role: "user", content: "one" },
        { role: "assistant", content: "first" },
        { role: "user", content: "two" },
        { role: "assistant", content: "half" },
      ],
    });
  });

  it("leaves out answers that failed or never began", () => {
    const state = following([
      asked("one"),
      { type: "piece", text: "half" },
      { type: "failed", message: "no" },
      asked("two"),
      { type: "stopped" },
      asked("three"),
    ]);
    expect(chatParams(state.current)?.conversation).toEqual([]);
  });

  it("is nothing before the first question", () => {
    expect(chatParams(begin("a", 0).current)).toBeUndefined();
  });

  it("goes on with the same code after a cut answer", () => {
    const attachments = [{ uri: "file:///a.py", label: "a.py" }];
    const state = changed(begin("a", 0), {
      type: "asked",
      question: { text: "why?", task: "ask", attachments },
      now: 1,
    });
    expect(continuation(state.current)).toEqual({ text: "Continue.", task: "ask", attachments });
  });
});

describe("a title", () => {
  it("is the first line of the first question, shortened", () => {
    expect(title(following([asked("first\nsecond"), asked("third")]).current)).toBe("first");
    expect(title(following([asked("😀".repeat(80))]).current)).toBe(`${"😀".repeat(59)}…`);
    expect(title(begin("a", 0).current)).toBe("New chat");
  });

  it("names the task of a question without words", () => {
    expect(questionText({ text: " ", task: "explain", attachments: [] })).toBe("Explain this code");
  });
});

describe("the stored form", () => {
  it("brings everything back", () => {
    const state = following([
      asked("one"),
      { type: "finished", text: "first", finishReason: "length" },
      { type: "began", id: "b", now: 7 },
      asked("two"),
      { type: "failed", message: "no" },
    ]);
    expect(reloaded(state)).toEqual(state);
  });

  it("brings back an empty conversation as a new one", () => {
    const state = following([asked("one"), { type: "stopped" }, { type: "began", id: "b", now: 7 }]);
    const back = reloaded(state);
    expect(back.current.exchanges).toEqual([]);
    expect(back.earlier.map(title)).toEqual(["one"]);
  });

  it("keeps an answer that was running as far as it came", () => {
    const back = reloaded(following([asked("one"), { type: "piece", text: "half" }]));
    expect(lastAnswer(back)).toEqual({ text: "half", state: "stopped" });
    expect(isRunning(back.current)).toBe(false);
  });

  it.each([
    undefined,
    null,
    "text",
    [],
    {},
    { version: 0, current: "a", conversations: [] },
    { version: 99, current: "a", conversations: [conversation("a")] },
    { version: 1, current: "a", conversations: "none" },
  ])("counts as nothing where it is %j", (value) => {
    expect(restored(value, "new", 9)).toEqual(begin("new", 9));
  });

  it("loses only what is broken", () => {
    const broken = [
      null,
      { id: 7, changed: 1, exchanges: [] },
      { id: "b", changed: 1, exchanges: [{}] },
      { id: "c", changed: Number.NaN, exchanges: [] },
      { ...conversation("d"), exchanges: [{ question: question("x"), answer: { text: "x", state: "odd" } }] },
    ];
    const value = { version: 1, current: 3, conversations: [...broken, conversation("good")] };
    expect(restored(value, "new", 9)).toEqual({ ...begin("new", 9), earlier: [conversation("good")] });
  });
});

function following(changes: Change[]): Conversations {
  return changes.reduce(changed, begin("a", 0));
}

function asked(text: string): Change {
  return { type: "asked", question: question(text), now: 1 };
}

function question(text: string): Question {
  return { text, task: "ask", attachments: [] };
}

function conversation(id: string): Conversation {
  return { id, changed: 1, exchanges: [{ question: question("q"), answer: { text: "a", state: "done" } }] };
}

function lastAnswer(state: Conversations): Answer | undefined {
  return state.current.exchanges.at(-1)?.answer;
}

function reloaded(state: Conversations): Conversations {
  return restored(JSON.parse(JSON.stringify(stored(state))), "new", 9);
}
