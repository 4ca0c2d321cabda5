import type { ChatAttachment } from "../src/conversation";
import type { FoundFile } from "../src/panelMessages";
import { element, icon, iconButton } from "./dom";
import { chipLabel } from "./exchange";

/** What outlives the page: which files the user chose, and whether the active one comes along by itself. */
export interface ChosenContext {
  files: ChatAttachment[];
  followsEditor: boolean;
}

/** The chips above the input: what the next question is about. */
export class ContextChips {
  readonly element = element("div", {
    class: "chips",
    role: "list",
    "aria-label": "Context of the question",
  });
  private active: ChatAttachment | undefined;

  constructor(
    private readonly chosen: ChosenContext,
    private readonly changed: () => void,
    private readonly leave: () => void,
  ) {
    this.render();
  }

  get attachments(): ChatAttachment[] {
    const active = this.active && this.chosen.followsEditor ? [this.active] : [];
    return [...active, ...this.chosen.files.filter((file) => !active.some((each) => covers(each, file)))];
  }

  get activeAttachment(): ChatAttachment | undefined {
    return this.active;
  }

  follow(active: ChatAttachment | undefined): void {
    this.active = active;
    this.render();
  }

  followEditor(follows: boolean): void {
    this.chosen.followsEditor = follows;
    this.update();
  }

  add({ uri, path }: FoundFile): void {
    if (this.chosen.files.some((file) => file.uri === uri)) return;
    this.chosen.files.push({ uri, label: path.slice(path.lastIndexOf("/") + 1) });
    this.update();
  }

  /** Forget the chosen files: they were for the question that was asked. */
  clear(): void {
    this.chosen.files.length = 0;
    this.update();
  }

  private update(): void {
    this.changed();
    this.render();
  }

  private render(): void {
    const chips = this.attachments.map((each) => this.chip(each));
    const offer = this.active && !this.chosen.followsEditor ? [this.offer(this.active)] : [];
    this.element.replaceChildren(...chips, ...offer);
    this.element.hidden = this.element.childElementCount === 0;
  }

  private chip(attachment: ChatAttachment): HTMLElement {
    const { label } = attachment;
    const remove = iconButton("close", `Remove ${label}`, "chip-remove", () => this.remove(attachment));
    // The chip itself has the focus, and the Delete key.
    remove.tabIndex = -1;
    const chip = element(
      "span",
      {
        class: "chip",
        role: "listitem",
        tabindex: "0",
        title: address(attachment),
        "aria-label": `${label}, press Delete to remove it`,
        "data-testid": "chip",
      },
      icon("file"),
      chipLabel(label),
      remove,
    );
    chip.addEventListener("keydown", (event) => {
      if (event.key !== "Delete" && event.key !== "Backspace") return;
      event.preventDefault();
      this.remove(attachment);
    });
    return chip;
  }

  private offer({ label }: ChatAttachment): HTMLElement {
    const button = element(
      "button",
      {
        type: "button",
        class: "chip chip-offer",
        title: `Add ${label} to the context`,
        "data-testid": "chip-add",
      },
      icon("add"),
      chipLabel(label),
    );
    button.addEventListener("click", () => {
      this.followEditor(true);
      this.leave();
    });
    return element("span", { role: "listitem" }, button);
  }

  private remove(attachment: ChatAttachment): void {
    const index = this.attachments.indexOf(attachment);
    if (attachment === this.active) this.chosen.followsEditor = false;
    else this.chosen.files.splice(this.chosen.files.indexOf(attachment), 1);
    this.update();
    const chips = this.element.querySelectorAll<HTMLElement>("[tabindex='0']");
    const next = chips[Math.min(index, chips.length - 1)];
    if (next) next.focus();
    else this.leave();
  }
}

function covers(one: ChatAttachment, other: ChatAttachment): boolean {
  return one.uri === other.uri && one.range === undefined;
}

function address({ uri, label }: ChatAttachment): string {
  try {
    return decodeURIComponent(uri).replace(/^file:\/\//, "");
  } catch {
    return label;
  }
}
