import type { ChatAttachment, Question } from "../src/conversation";
import type { FoundFile } from "../src/panelMessages";
import { type ChosenContext, ContextChips } from "./contextChips";
import { element, iconButton } from "./dom";
import { MentionList } from "./mentionList";

/** What outlives the page of a question that is not asked yet. */
export interface Draft {
  text: string;
  context: ChosenContext;
}

export interface ComposerHooks {
  ask(question: Question): void;
  stop(): void;
  find(search: number, query: string): void;
  save(draft: Draft): void;
}

/** Where a question is written. */
export class Composer {
  readonly element: HTMLFormElement;
  private readonly input = element("textarea", {
    rows: "1",
    placeholder: "Ask a question, @ adds a file",
    "aria-label": "Question",
    spellcheck: "false",
    "data-testid": "input",
  });
  private readonly chips: ContextChips;
  private readonly mentions: MentionList;
  private readonly send = iconButton("send", "Send (Enter)", "send", () => this.submit());
  private readonly stop: HTMLButtonElement;
  private lastText = "";

  constructor(
    private readonly draft: Draft,
    private readonly hooks: ComposerHooks,
  ) {
    this.chips = new ContextChips(
      draft.context,
      () => hooks.save(draft),
      () => this.focus(),
    );
    this.mentions = new MentionList(this.input, {
      find: hooks.find,
      chosen: (file) => {
        this.chips.add(file);
        this.takeText();
      },
    });
    this.stop = iconButton("debug-stop", "Stop (Escape)", "stop", () => hooks.stop());
    this.stop.hidden = true;
    const mention = iconButton("mention", "Add a file to the context", "mention", () => this.beginMention());
    this.element = element(
      "form",
      { class: "composer", "aria-label": "Ask" },
      this.mentions.element,
      element(
        "div",
        { class: "composer-box" },
        this.chips.element,
        this.input,
        element(
          "div",
          { class: "composer-actions" },
          mention,
          element("span", { class: "spacer" }),
          this.stop,
          this.send,
        ),
      ),
    );
    this.input.value = draft.text;
    this.input.addEventListener("input", () => this.takeText());
    this.input.addEventListener("keyup", () => this.mentions.update());
    this.input.addEventListener("click", () => this.mentions.update());
    this.input.addEventListener("keydown", (event) => this.handleKey(event));
    this.element.addEventListener("submit", (event) => event.preventDefault());
    this.takeText();
  }

  get activeAttachment(): ChatAttachment | undefined {
    return this.chips.activeAttachment;
  }

  focus(): void {
    this.input.focus();
  }

  /** Have the next question be about the active file. */
  aboutActiveFile(): void {
    this.chips.followEditor(true);
    this.focus();
  }

  followEditor(active: ChatAttachment | undefined): void {
    this.chips.follow(active);
  }

  showFiles(search: number, files: FoundFile[]): void {
    this.mentions.show(search, files);
  }

  /** Offer to stop the answer that is running; remember the last question for the Up key. */
  showConversation(isRunning: boolean, lastText: string): void {
    const hadFocus = document.activeElement === this.stop;
    this.stop.hidden = !isRunning;
    this.lastText = lastText;
    if (hadFocus && !isRunning) this.focus();
  }

  private handleKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const plain = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    const handled =
      (plain && this.mentions.handleKey(event.key)) ||
      (plain && event.key === "Enter" && this.submit()) ||
      (plain && event.key === "ArrowUp" && this.recall());
    if (!handled) return;
    event.preventDefault();
    event.stopPropagation();
  }

  private submit(): true {
    const text = this.input.value.trim();
    if (!text) {
      this.focus();
      return true;
    }
    this.hooks.ask({ text, task: "ask", attachments: this.chips.attachments });
    this.input.value = "";
    this.takeText();
    this.chips.clear();
    this.focus();
    return true;
  }

  private recall(): boolean {
    if (this.input.value !== "" || this.lastText === "") return false;
    this.input.value = this.lastText;
    this.takeText();
    return true;
  }

  private beginMention(): void {
    this.focus();
    const { value, selectionStart, selectionEnd } = this.input;
    const space = selectionStart === 0 || /\s$/.test(value.slice(0, selectionStart)) ? "" : " ";
    this.input.setRangeText(`${space}@`, selectionStart, selectionEnd, "end");
    this.takeText();
  }

  private takeText(): void {
    this.draft.text = this.input.value;
    this.send.disabled = this.input.value.trim() === "";
    this.mentions.update();
    this.hooks.save(this.draft);
  }
}
