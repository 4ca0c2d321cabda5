// @vitest-environment jsdom
/// <reference lib="dom" />
import { describe, expect, it, vi } from "vitest";
import { AnswerText } from "../../webview/answer";
import { type Highlights, markdownBlocks, safeFragment } from "../../webview/markdown";

describe("an answer's markdown", () => {
  it("is rendered block by block", () => {
    const blocks = markdownBlocks("# Title\n\nSome *text*.\n\n- one\n- two\n\n```py\nx = 1\n```\n\n---");
    expect(blocks).toHaveLength(5);
    expect(blocks[1]).toBe("<p>Some <em>text</em>.</p>\n");
    expect(blocks[3]).toContain('<code class="language-py">');
  });

  it("shows a fence that is not closed yet as code", () => {
    expect(textOf("See:\n\n```py\nx = ", "pre")).toBe("x = ");
  });

  it("highlights known languages and leaves others alone", () => {
    expect(rendered("```py\ndef f(): pass\n```").querySelector(".hljs-keyword")?.textContent).toBe("def");
    expect(rendered("```brainwave\ndef <f>\n```").querySelector("code")?.innerHTML).toBe("def &lt;f&gt;\n");
  });

  it("highlights again only what is new", () => {
    const highlights: Highlights = new Map();
    markdownBlocks("```py\nx = 1\n```\n\n```js\nlet", highlights);
    expect([...highlights.keys()]).toEqual(["py\nx = 1\n", "js\nlet"]);
    highlights.set("py\nx = 1\n", "kept");
    expect(markdownBlocks("```py\nx = 1\n```\n\n```js\nlet y", highlights)[0]).toContain("kept");
    expect([...highlights.keys()]).toEqual(["py\nx = 1\n", "js\nlet y"]);
  });
});

describe("what is not trusted", () => {
  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</div></article></body><iframe src=https://example.org></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>*{display:none}</style>",
    "<form action=https://example.org><button>x</button></form>",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)></style></mglyph></math>",
    "`<img src=x onerror=alert(1)>`",
    "```html\n<script>alert(1)</script>\n```",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "    <script>alert(1)</script>",
    "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |",
    "# <img src=x onerror=alert(1)>",
    "> <script>alert(1)</script>",
  ])("is text: %s", (source) => {
    const fragment = rendered(source);
    expect(elementNames(fragment)).toEqual([]);
    expect(attributeNames(fragment)).toEqual([]);
    // Read as a reader does: all of it is there.
    expect(squeezed(fragment.textContent ?? "")).toContain(squeezed(visible(source)));
  });

  it.each([
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "[x](command:workbench.action.quit)",
    "[x](vscode://file/etc/passwd)",
    "[x](file:///etc/passwd)",
    "[x](//example.org)",
    "[x](relative/path.md)",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "[x](mailto:me@example.org)",
  ])("is no link: %s", (source) => {
    expect(rendered(source).querySelector("a")).toBeNull();
  });

  it("is no way out of an attribute", () => {
    const sources = [
      '```py"onmouseover="alert(1)\nx\n```',
      "```\"><img/src='x'/onerror=alert(1)>\nx\n```",
      '[x](https://example.org "t\\" onclick=\\"alert(1)")',
      '[x](https://example.org/"onclick="alert(1))',
      '![a" onerror="alert(1)](https://example.org/a.png)',
    ];
    for (const source of sources) expect(attributeNames(rendered(source))).toEqual([]);
  });

  it("is sanitised even if it came through as HTML", () => {
    const fragment = safeFragment(
      '<p onclick="x()" id="panel" style="color:red" data-x="1" aria-label="x">a<script>b</script>' +
        '<img src="https://example.org/x.png"><a href="javascript:x()">c</a><a href="https://example.org">d</a></p>',
    );
    const holder = document.createElement("div");
    holder.append(fragment);
    expect(holder.innerHTML).toBe('<p>a<a>c</a><a href="https://example.org">d</a></p>');
  });

  it("loads no image: its text links to it", () => {
    const fragment = rendered("![a *cat*](https://example.org/cat.png)");
    expect(fragment.querySelector("img")).toBeNull();
    expect(fragment.querySelector("a")?.getAttribute("href")).toBe("https://example.org/cat.png");
    expect(fragment.textContent?.trim()).toBe("a *cat*");
    const linked = rendered("[![cat](https://example.org/cat.png)](https://example.org)");
    expect(linked.querySelectorAll("a")).toHaveLength(1);
    expect(linked.textContent?.trim()).toBe("cat");
  });

  it("makes no link of a bare address", () => {
    expect(rendered("https://example.org").querySelector("a")).toBeNull();
  });
});

describe("an answer that grows", () => {
  it("keeps the blocks that are done", () => {
    const text = new AnswerText(actions());
    text.show("One.\n\nTwo");
    const [one, two] = text.element.children;
    text.show("One.\n\nTwo, and\n\nthree");
    expect(text.element.children[0]).toBe(one);
    expect(text.element.children[1]).not.toBe(two);
    expect(text.element.textContent).toBe("One.\nTwo, and\nthree\n");
  });

  it("may become shorter again", () => {
    const text = new AnswerText(actions());
    text.show("One.\n\nTwo");
    text.show("");
    expect(text.element.childElementCount).toBe(0);
  });

  it("offers actions for each code block, with the code alone", () => {
    const does = actions();
    const text = new AnswerText(does);
    text.show("- in a list:\n\n  ```py\n  if x:\n      y()\n  ```\n\n```\nplain\n```");
    const press = (name: string, index = 0) =>
      text.element.querySelectorAll<HTMLButtonElement>(`[data-testid=${name}]`)[index]?.click();
    press("copy");
    press("insert");
    press("replace");
    press("new-file");
    press("new-file", 1);
    const code = "if x:\n    y()";
    expect(does.copy).toHaveBeenCalledWith(code);
    expect(does.insert).toHaveBeenCalledWith(code);
    expect(does.replace).toHaveBeenCalledWith(code);
    expect(does.newFile.mock.calls).toEqual([
      [code, "py"],
      ["plain", ""],
    ]);
  });

  it("labels every button", () => {
    const text = new AnswerText(actions());
    text.show("```py\nx\n```");
    const labels = [...text.element.querySelectorAll("button")].map((each) =>
      each.getAttribute("aria-label"),
    );
    expect(labels).toEqual(["Copy", "Insert at cursor", "Replace selection", "New file"]);
  });
});

function actions() {
  return { copy: vi.fn(), insert: vi.fn(), replace: vi.fn(), newFile: vi.fn() };
}

function rendered(source: string): DocumentFragment {
  return safeFragment(markdownBlocks(source).join(""));
}

function textOf(source: string, selector: string): string | null | undefined {
  return rendered(source).querySelector(selector)?.textContent;
}

/** Elements that markdown has no use for. */
function elementNames(fragment: DocumentFragment): string[] {
  const known = /^(P|BR|H[1-6]|BLOCKQUOTE|UL|OL|LI|STRONG|EM|A|CODE|PRE|SPAN|TABLE|THEAD|TBODY|TR|TH|TD)$/;
  return [...fragment.querySelectorAll("*")]
    .map(({ tagName }) => tagName)
    .filter((name) => !known.test(name));
}

function attributeNames(fragment: DocumentFragment): string[] {
  const names = [...fragment.querySelectorAll("*")].flatMap((each) => each.getAttributeNames());
  return names.filter((name) => !["class", "href", "title"].includes(name));
}

/** What is left of the source without the marks of markdown. */
function visible(source: string): string {
  return (
    source
      .replace(/^(```.*\n|# |> |\| | {4})/, "")
      .split("\n")[0]
      ?.replace(/^`|`$| \|$/g, "") ?? ""
  );
}

function squeezed(text: string): string {
  return text.replace(/[\s‘’'"]+/g, "");
}
