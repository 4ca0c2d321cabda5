import { describe, expect, it } from "vitest";
import { shellWords } from "../../src/shellWords";
import { answerable, roughTokens } from "../../src/turns";

describe("a conversation from another chat", () => {
  it("is asked by its last question, with what was said before", () => {
    const before = [
      { role: "user" as const, content: "Hello" },
      { role: "assistant" as const, content: "Hi" },
    ];
    expect(answerable([...before, { role: "user", content: "Why?" }])).toEqual({
      question: "Why?",
      task: "ask",
      conversation: before,
    });
  });

  it("without a question asks nothing", () => {
    expect(answerable([])).toEqual({ question: "", task: "ask", conversation: [] });
  });

  it("has about as many tokens as its letters make", () => {
    expect(roughTokens("")).toBe(0);
    expect(roughTokens("x".repeat(35))).toBe(10);
  });
});

describe("phial in a terminal", () => {
  it.each([
    [undefined, ["phial"]],
    [{ command: "/opt/phial", args: ["serve"] }, ["/opt/phial"]],
    [{ command: "/my tools/python", args: ["-m", "phial", "serve"] }, ['"/my tools/python"', "-m", "phial"]],
    [
      { command: "C:\\py\\python.exe", args: ["-m", "phial", "serve"] },
      ["C:\\py\\python.exe", "-m", "phial"],
    ],
  ])("is %j: %j", (server, words) => {
    expect(shellWords(server)).toEqual(words);
  });
});
