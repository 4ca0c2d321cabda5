import type { FoundFile } from "../src/panelMessages";
import { element, icon } from "./dom";
import { type Mention, mentionAt, withMention } from "./mentions";

export interface MentionHooks {
  find(search: number, query: string): void;
  chosen(file: FoundFile): void;
}

/** The files that an `@` in the input offers: a list box below the control of the input, which keeps the focus. */
export class MentionList {
  readonly element = element("ul", {
    class: "mention-list",
    id: "mention-list",
    role: "listbox",
    "aria-label": "Files",
    "data-testid": "mention-list",
    hidden: true,
  });
  private mention: Mention | undefined;
  private files: FoundFile[] = [];
  private selected = 0;
  /** The number of the last search; the results of those before come too late. */
  private search = 0;
  /** Where the `@` stands whose list the user closed. */
  private dismissed: number | undefined;

  constructor(
    private readonly input: HTMLTextAreaElement,
    private readonly hooks: MentionHooks,
  ) {
    input.setAttribute("aria-autocomplete", "list");
    input.addEventListener("blur", () => this.close());
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  /** Follow the text and the caret of the input. */
  update(): void {
    const { value, selectionStart, selectionEnd } = this.input;
    const mention = selectionStart === selectionEnd ? mentionAt(value, selectionStart) : undefined;
    const isSame = mention?.start === this.mention?.start && mention?.query === this.mention?.query;
    this.mention = mention;
    if (mention?.start !== this.dismissed) this.dismissed = undefined;
    if (!mention || this.dismissed !== undefined) {
      this.close();
      return;
    }
    if (isSame && this.isOpen) return;
    this.search += 1;
    this.hooks.find(this.search, mention.query);
  }

  show(search: number, files: FoundFile[]): void {
    if (search !== this.search || !this.mention || document.activeElement !== this.input) return;
    if (files.length === 0) {
      this.close();
      return;
    }
    this.files = files;
    this.element.replaceChildren(...files.map((file, index) => this.option(file, index)));
    this.element.hidden = false;
    // A text area is a text box; it is a combo box only while it controls a list.
    this.input.setAttribute("role", "combobox");
    this.input.setAttribute("aria-expanded", "true");
    this.input.setAttribute("aria-controls", this.element.id);
    this.select(0);
  }

  close(): void {
    // A search that is under way must not open the list again.
    this.search += 1;
    this.element.hidden = true;
    for (const name of ["role", "aria-expanded", "aria-controls", "aria-activedescendant"]) {
      this.input.removeAttribute(name);
    }
  }

  /** Whether the key was for the list. */
  handleKey(key: string): boolean {
    if (!this.isOpen) return false;
    const count = this.files.length;
    const actions: Record<string, () => void> = {
      ArrowDown: () => this.select((this.selected + 1) % count),
      ArrowUp: () => this.select((this.selected + count - 1) % count),
      Enter: () => this.choose(this.selected),
      Tab: () => this.choose(this.selected),
      Escape: () => this.dismiss(),
    };
    const action = actions[key];
    action?.();
    return action !== undefined;
  }

  private option({ path }: FoundFile, index: number): HTMLElement {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const option = element(
      "li",
      { role: "option", id: `mention-${index}`, title: path, "aria-label": path },
      icon("file"),
      element("span", { class: "mention-name" }, name),
      element("span", { class: "mention-folder" }, path.slice(0, Math.max(path.length - name.length - 1, 0))),
    );
    // Not a click: the input would lose the focus first.
    option.addEventListener("mousedown", (event) => {
      event.preventDefault();
      this.choose(index);
    });
    return option;
  }

  private select(index: number): void {
    this.selected = index;
    [...this.element.children].forEach((option, each) => {
      option.setAttribute("aria-selected", String(each === index));
      if (each === index) option.scrollIntoView?.({ block: "nearest" });
    });
    this.input.setAttribute("aria-activedescendant", `mention-${index}`);
  }

  private choose(index: number): void {
    const file = this.files[index];
    if (!file || !this.mention) return;
    const { text, caret } = withMention(this.input.value, this.input.selectionStart, this.mention, file.path);
    this.input.value = text;
    this.input.setSelectionRange(caret, caret);
    this.mention = undefined;
    this.close();
    this.hooks.chosen(file);
  }

  private dismiss(): void {
    this.dismissed = this.mention?.start;
    this.close();
  }
}
