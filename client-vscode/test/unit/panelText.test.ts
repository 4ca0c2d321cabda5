import { describe, expect, it } from "vitest";
import { bestFiles, fileGlob, firstFiles } from "../../src/panelFiles";
import { panelHtml } from "../../src/panelHtml";
import { contextLabel, insertion, languageId, replacement, safeLink } from "../../src/panelText";

describe("the label of the context", () => {
  it.each([
    [undefined, "name.py"],
    [[9, 0, 19, 4], "name.py:10-20"],
    [[9, 0, 20, 0], "name.py:10-20"],
    [[9, 2, 9, 5], "name.py:10"],
    [[9, 0, 10, 0], "name.py:10"],
    [[9, 0, 9, 0], "name.py:10"],
  ])("of %j is %s", (numbers, label) => {
    const [line = 0, character = 0, endLine = 0, endCharacter = 0] = numbers ?? [];
    const range = numbers && {
      start: { line, character },
      end: { line: endLine, character: endCharacter },
    };
    expect(contextLabel("/work/name.py", range)).toBe(label);
  });
});

describe("a replacement", () => {
  it("ends a line only where the replaced code did", () => {
    expect(replacement("a\n", "x")).toBe("a");
    expect(replacement("a", "x\n")).toBe("a\n");
    expect(replacement("a\r\n", "x\r\n")).toBe("a\n");
    expect(replacement("a\n\n", "")).toBe("a\n");
  });
});

describe("an insertion", () => {
  it.each([
    ["", "", "a()\n", "a()"],
    ["x = ", "", "a()", "a()"],
    ["x = ", " + 1", "a()", "a()"],
    ["", "b()", "a()", "a()\n"],
    ["    ", "b()", "a()", "a()\n    "],
    ["    ", "", "a()", "a()"],
  ])("between %j and %j", (before, after, code, inserted) => {
    expect(insertion(code, before, after)).toBe(inserted);
  });
});

describe("a link", () => {
  it.each([
    ["https://example.org/a?b=c#d", "https://example.org/a?b=c#d"],
    ["HTTP://EXAMPLE.ORG", "http://example.org/"],
    ["javascript:alert(1)", undefined],
    [" javascript:alert(1)", undefined],
    ["command:phial.doctor", undefined],
    ["vscode://x/y", undefined],
    ["file:///etc/passwd", undefined],
    ["data:text/html,x", undefined],
    ["//example.org", undefined],
    ["", undefined],
  ])("%s opens %s", (href, opened) => {
    expect(safeLink(href)).toBe(opened);
  });
});

describe("the language of a new file", () => {
  it.each([
    ["py", "python"],
    ["C++", "cpp"],
    ["python", "python"],
    ["brainwave", undefined],
    ["", undefined],
  ])("%s is %s", (named, id) => {
    expect(languageId(named, ["python", "cpp"])).toBe(id);
  });
});

describe("the files of a mention", () => {
  it("are searched in any case and with no glob of the user's", () => {
    expect(fileGlob("")).toBe("**/*");
    expect(fileGlob("src/")).toBe("**/*");
    expect(fileGlob("src/Ma1")).toBe("**/*[mM][aA]1*");
    expect(fileGlob("*{[")).toBe("**/*???*");
  });

  it("come best first and bounded", () => {
    const found = files("deep/in/the/chat.ts", "chat.ts", "src/mychat.ts", "chat/other.ts", "no.ts");
    expect(bestFiles(found, "Chat").map(({ path }) => path)).toEqual([
      "chat.ts",
      "chat/other.ts",
      "deep/in/the/chat.ts",
      "src/mychat.ts",
    ]);
    expect(bestFiles(found, "the/ch").map(({ path }) => path)).toEqual(["deep/in/the/chat.ts"]);
    expect(bestFiles(files(...Array.from({ length: 20 }, (_, number) => `a${number}`)), "a")).toHaveLength(8);
  });

  it("come once each", () => {
    expect(firstFiles(files("a", "b", "a")).map(({ path }) => path)).toEqual(["a", "b"]);
  });
});

describe("the page", () => {
  it("lets only the script with its nonce run and loads nothing from elsewhere", () => {
    const page = panelHtml({ script: "s.js", style: "s.css", source: "vscode-resource:", nonce: "abc" });
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? "";
    expect(policy.split("; ")).toEqual([
      "default-src 'none'",
      "script-src 'nonce-abc'",
      "style-src vscode-resource:",
      "font-src vscode-resource:",
      "img-src vscode-resource:",
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(policy).not.toContain("unsafe");
  });
});

function files(...paths: string[]) {
  return paths.map((path) => ({ uri: `file:///w/${path}`, path }));
}
