import { element, iconButton } from "./dom";
import { type Highlights, markdownBlocks, safeFragment } from "./markdown";

/** What can be done with the code of an answer. */
export interface CodeActions {
  copy(code: string): void;
  insert(code: string): void;
  replace(code: string): void;
  newFile(code: string, language: string): void;
}

/** The text of an answer. While it grows only its last block is built anew: selections in the others stay. */
export class AnswerText {
  readonly element = element("div", { class: "answer-text" });
  private blocks: string[] = [];
  private readonly highlights: Highlights = new Map();

  constructor(private readonly actions: CodeActions) {}

  show(text: string): void {
    const blocks = markdownBlocks(text, this.highlights);
    const firstNew = blocks.findIndex((html, index) => html !== this.blocks[index]);
    const kept = firstNew < 0 ? blocks.length : firstNew;
    while (this.element.childElementCount > kept) this.element.lastElementChild?.remove();
    for (const html of blocks.slice(kept)) this.element.append(this.block(html));
    this.blocks = blocks;
  }

  private block(html: string): HTMLElement {
    const block = element("div", { class: "block" }, safeFragment(html));
    for (const code of block.querySelectorAll("pre")) this.addHeader(code);
    return block;
  }

  private addHeader(pre: HTMLPreElement): void {
    const language = languageOf(pre);
    const code = () => pre.textContent.replace(/\n$/, "");
    const copy = iconButton("copy", "Copy", "copy", () => {
      this.actions.copy(code());
      showDone(copy);
    });
    const header = element(
      "div",
      { class: "code-header" },
      element("span", { class: "code-language" }, language || "text"),
      element(
        "div",
        { class: "code-actions", role: "group", "aria-label": "Code" },
        copy,
        iconButton("insert", "Insert at cursor", "insert", () => this.actions.insert(code())),
        iconButton("replace", "Replace selection", "replace", () => this.actions.replace(code())),
        iconButton("new-file", "New file", "new-file", () => this.actions.newFile(code(), language)),
      ),
    );
    // Reachable by keyboard, as it may be wider than the panel.
    pre.tabIndex = 0;
    const frame = element("div", { class: "code-block" });
    pre.replaceWith(frame);
    frame.append(header, pre);
  }
}

/** Show for a moment that a press had its effect. */
export function showDone(button: HTMLButtonElement): void {
  const mark = button.querySelector(".codicon");
  mark?.classList.replace("codicon-copy", "codicon-check");
  setTimeout(() => mark?.classList.replace("codicon-check", "codicon-copy"), 1500);
}

function languageOf(pre: HTMLPreElement): string {
  const named = [...(pre.firstElementChild?.classList ?? [])].find((name) => name.startsWith("language-"));
  return named?.slice("language-".length) ?? "";
}
