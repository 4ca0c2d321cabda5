import type { HistoryEntry } from "../src/panelMessages";
import { element, iconButton } from "./dom";

export interface HistoryHooks {
  open(id: string): void;
  delete(id: string): void;
  shown(isShown: boolean): void;
  closed(): void;
}

/** The list of earlier conversations, over the one that is open. */
export class HistoryList {
  readonly element = element("section", { class: "history", "aria-label": "History", hidden: true });
  private readonly list = element("ul", { "data-testid": "history-list" });
  private entries: HistoryEntry[] = [];

  constructor(private readonly hooks: HistoryHooks) {
    const close = iconButton("close", "Close the history", "history-close", () => this.close());
    this.element.append(
      element(
        "div",
        { class: "bar" },
        element("h2", {}, "History"),
        element("span", { class: "spacer" }),
        close,
      ),
      this.list,
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
  }

  show(entries: HistoryEntry[]): void {
    this.entries = entries;
    if (!this.element.hidden) this.render();
  }

  toggle(): void {
    if (this.element.hidden) this.open();
    else this.close();
  }

  close(): void {
    if (this.element.hidden) return;
    this.element.hidden = true;
    this.hooks.shown(false);
    this.hooks.closed();
  }

  private open(): void {
    this.element.hidden = false;
    this.hooks.shown(true);
    this.render();
    const first = this.list.querySelector("button") ?? this.element.querySelector("button");
    first?.focus();
  }

  private render(): void {
    const buttonsBefore: Element[] = [...this.list.querySelectorAll("button")];
    const focused = document.activeElement ? buttonsBefore.indexOf(document.activeElement) : -1;
    const now = Date.now();
    const items = this.entries.map((entry) => this.item(entry, now));
    const nothing = element("li", { class: "nothing" }, "No conversations yet.");
    this.list.replaceChildren(...(items.length > 0 ? items : [nothing]));
    if (focused < 0) return;
    const buttons = this.element.querySelectorAll<HTMLButtonElement>("ul button");
    const next = buttons[Math.min(focused, buttons.length - 1)] ?? this.element.querySelector("button");
    next?.focus();
  }

  private item({ id, title, changed }: HistoryEntry, now: number): HTMLElement {
    const open = element(
      "button",
      { type: "button", class: "history-open", title, "data-testid": "history-item" },
      element("span", { class: "history-title" }, title),
      element("span", { class: "history-time" }, when(changed, now)),
    );
    open.addEventListener("click", () => {
      this.hooks.open(id);
      this.close();
    });
    const remove = iconButton("trash", `Delete “${title}”`, "history-delete", () => this.hooks.delete(id));
    return element("li", {}, open, remove);
  }
}

/** The time of a conversation of today, the day of an older one. */
function when(time: number, now: number): string {
  const isToday = new Date(time).toDateString() === new Date(now).toDateString();
  const form: Intl.DateTimeFormatOptions = isToday ? { timeStyle: "short" } : { dateStyle: "medium" };
  return new Intl.DateTimeFormat(undefined, form).format(time);
}
