/// <reference lib="dom" />
/** Drives the panel's page as a user and as the extension host do. */
import { vi } from "vitest";
import type { ChatAttachment, Exchange } from "../../src/conversation";
import type { PanelRequest, PanelUpdate } from "../../src/panelMessages";
import { startPanel } from "../../webview/panel";

export const file: ChatAttachment = { uri: "file:///w/a.py", label: "a.py" };
export const selection: ChatAttachment = {
  uri: "file:///w/a.py",
  label: "a.py:1-2",
  range: { start: { line: 0, character: 0 }, end: { line: 1, character: 1 } },
};
/** What the page told the host, since it was opened. */
export const requests: PanelRequest[] = [];

/** The frames that the page waits for. */
export const frames: FrameRequestCallback[] = [];

let state: unknown;
let page = new AbortController();

/** Open the page, with nothing kept from an earlier one but what is given. */
export function open(kept?: unknown): void {
  page.abort();
  page = new AbortController();
  state = kept;
  requests.length = 0;
  frames.length = 0;
  vi.stubGlobal("requestAnimationFrame", (frame: FrameRequestCallback) => frames.push(frame));
  vi.stubGlobal("ResizeObserver", NothingResizes);
  document.body.innerHTML = '<div id="panel"></div>';
  const host = {
    postMessage: (request: PanelRequest) => requests.push(structuredClone(request)),
    getState: () => state,
    setState: (draft: unknown) => {
      state = structuredClone(draft);
    },
  };
  startPanel(found("#panel"), host, page.signal);
}

/** There is no layout here. */
class NothingResizes {
  observe(): void {}
}

/** Hide the panel and show it again: another page, with what the one before kept. */
export function reopen(): void {
  open(state);
}

export function show(update: PanelUpdate): void {
  window.dispatchEvent(new MessageEvent("message", { data: structuredClone(update) }));
}

export function conversation(...exchanges: Exchange[]): PanelUpdate {
  return { type: "conversation", conversation: { id: "1", changed: 1, exchanges } };
}

export function exchange(
  text: string,
  answer: string,
  state: Exchange["answer"]["state"] = "done",
): Exchange {
  return { question: { text, task: "ask", attachments: [] }, answer: { text: answer, state } };
}

export function get(testId: string): HTMLElement {
  return found(`[data-testid=${testId}]`);
}

export function last(testId: string): HTMLElement {
  return found(`.exchange:last-child [data-testid=${testId}]`);
}

export function input(): HTMLTextAreaElement {
  return get("input") as HTMLTextAreaElement;
}

export function list(): HTMLElement {
  return get("mention-list");
}

export function type(text: string): void {
  input().focus();
  input().value = text;
  input().setSelectionRange(text.length, text.length);
  input().dispatchEvent(new Event("input", { bubbles: true }));
}

export function press(key: string, more: KeyboardEventInit = {}): void {
  input().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
}

export function asked() {
  return requests.flatMap((request) => (request.type === "ask" ? [request.question] : []));
}

export function lastSearch() {
  const searches = requests.flatMap((request) => (request.type === "findFiles" ? [request] : []));
  return searches.at(-1) ?? { search: -1, query: "" };
}

export function selected(): string | null | undefined {
  return list().querySelector("[aria-selected=true]")?.getAttribute("aria-label");
}

export function labels(): string[] {
  return [...document.querySelectorAll(".composer [data-testid=chip]")].map(({ textContent }) => textContent);
}

export function remove(label: string): void {
  document.querySelector<HTMLElement>(`[aria-label="Remove ${label}"]`)?.click();
}

function found(selector: string): HTMLElement {
  const element = document.querySelector<HTMLElement>(selector);
  if (!element) throw new Error(`nothing is ${selector}`);
  return element;
}
