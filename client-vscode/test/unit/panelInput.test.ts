// @vitest-environment jsdom
/// <reference lib="dom" />
import { beforeEach, describe, expect, it } from "vitest";
import {
  asked,
  conversation,
  exchange,
  file,
  get,
  input,
  labels,
  lastSearch,
  list,
  open,
  press,
  remove,
  reopen,
  requests,
  selected,
  selection,
  show,
  type,
} from "./panelDriver";

beforeEach(() => open());

describe("the input", () => {
  it("sends on Enter, not on Shift+Enter nor while a word is composed", () => {
    type("why?");
    press("Enter", { shiftKey: true });
    press("Enter", { isComposing: true });
    expect(asked()).toEqual([]);
    press("Enter");
    expect(asked()).toEqual([{ text: "why?", task: "ask", attachments: [] }]);
    expect(input().value).toBe("");
  });

  it("sends nothing empty", () => {
    type("  \n");
    press("Enter");
    get("send").click();
    expect(asked()).toEqual([]);
  });

  it("stops a running answer on Escape", () => {
    show(conversation(exchange("why?", "", "streaming")));
    expect(get("stop").hidden).toBe(false);
    press("Escape");
    get("stop").click();
    expect(requests.filter(({ type }) => type === "stop")).toHaveLength(2);
    show(conversation(exchange("why?", "", "stopped")));
    expect(get("stop").hidden).toBe(true);
  });

  it("brings the last question back on Up, where it is empty", () => {
    show(conversation(exchange("first", "a"), exchange("last", "b")));
    press("ArrowUp");
    expect(input().value).toBe("last");
    type("other");
    press("ArrowUp");
    expect(input().value).toBe("other");
  });

  it("keeps its draft while the panel is hidden", () => {
    show({ type: "context", active: file });
    type("half a quest");
    remove("a.py");
    reopen();
    show({ type: "context", active: file });
    expect(input().value).toBe("half a quest");
    expect(labels()).toEqual([]);
    expect(get("chip-add").textContent).toBe("a.py");
  });

  it.each([null, "x", { text: 1, context: { files: [{}] } }])(
    "begins empty where the draft is %j",
    (broken) => {
      open(broken);
      expect(input().value).toBe("");
    },
  );
});

describe("the context", () => {
  it("follows the editor", () => {
    show({ type: "context", active: file });
    expect(labels()).toEqual(["a.py"]);
    show({ type: "context", active: selection });
    expect(labels()).toEqual(["a.py:1-2"]);
    type("why?");
    press("Enter");
    expect(asked()[0]?.attachments).toEqual([selection]);
    show({ type: "context" });
    expect(labels()).toEqual([]);
  });

  it("is off once removed, until it is added again", () => {
    show({ type: "context", active: file });
    remove("a.py");
    show({ type: "context", active: selection });
    expect(labels()).toEqual([]);
    type("why?");
    press("Enter");
    expect(asked()[0]?.attachments).toEqual([]);
    get("chip-add").click();
    expect(labels()).toEqual(["a.py:1-2"]);
  });

  it.each(["Delete", "Backspace"])("goes with %s on its chip", (key) => {
    show({ type: "context", active: file });
    const chip = get("chip");
    chip.focus();
    expect(document.activeElement).toBe(chip);
    chip.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    expect(labels()).toEqual([]);
    expect(document.activeElement).toBe(input());
  });
});

describe("a mention", () => {
  const files = [
    { uri: "file:///w/src/chat.ts", path: "src/chat.ts" },
    { uri: "file:///w/chapter.md", path: "chapter.md" },
  ];

  beforeEach(() => {
    type("see @ch");
    show({ type: "files", search: lastSearch().search, files });
  });

  it("is searched for while it is typed", () => {
    expect(lastSearch().query).toBe("ch");
    expect(list().hidden).toBe(false);
    expect(input().getAttribute("role")).toBe("combobox");
    expect(input().getAttribute("aria-activedescendant")).toBe("mention-0");
    expect(selected()).toBe("src/chat.ts");
  });

  it.each(["Enter", "Tab"])("is chosen with the arrows and %s", (key) => {
    press("ArrowDown");
    expect(selected()).toBe("chapter.md");
    press(key);
    expect(input().value).toBe("see @chapter.md ");
    expect(labels()).toEqual(["chapter.md"]);
    expect(list().hidden).toBe(true);
    expect(asked()).toEqual([]);
    press("Enter");
    expect(asked()[0]?.attachments).toEqual([{ uri: "file:///w/chapter.md", label: "chapter.md" }]);
    expect(labels()).toEqual([]);
  });

  it("goes round with the arrows", () => {
    press("ArrowUp");
    expect(selected()).toBe("chapter.md");
    press("ArrowDown");
    expect(selected()).toBe("src/chat.ts");
  });

  it("is closed by Escape, which stops nothing, and stays closed", () => {
    press("Escape");
    expect(list().hidden).toBe(true);
    expect(requests.some(({ type }) => type === "stop")).toBe(false);
    type("see @cha");
    expect(lastSearch().query).toBe("ch");
    expect(input().hasAttribute("role")).toBe(false);
  });

  it("takes no results that come too late", () => {
    const { search } = lastSearch();
    type("see @chx");
    show({ type: "files", search: search + 1, files: [] });
    show({ type: "files", search, files });
    expect(list().hidden).toBe(true);
  });

  it("shows a file's name as text", () => {
    const path = "<img src=x onerror=alert(1)>.ts";
    type("@i");
    show({ type: "files", search: lastSearch().search, files: [{ uri: "file:///x", path }] });
    expect(list().querySelector("img")).toBeNull();
    press("Enter");
    expect(labels()).toEqual([path]);
  });
});
