// @vitest-environment jsdom
/// <reference lib="dom" />
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { StatusResult } from "../../src/protocol";
import { noteText } from "../../webview/modelNote";
import {
  conversation,
  exchange,
  file,
  frames,
  get,
  input,
  last,
  open,
  requests,
  selection,
  show,
} from "./panelDriver";

beforeEach(() => open());

const ready: StatusResult = {
  state: "ready",
  message: "",
  model: "Phi-3-mini-4k",
  device: "CPU",
  tokensPerSecond: 6.21,
};

describe("an empty conversation", () => {
  beforeEach(() => show(conversation()));

  it("says that it is ready, and welcomes", () => {
    expect(requests).toEqual([{ type: "ready" }]);
    expect(get("welcome").hidden).toBe(false);
    expect(get("welcome").textContent).toContain("Write tests");
  });

  it("says that everything stays here only where it does", () => {
    const line = () => get("welcome").querySelector<HTMLElement>(".welcome-place");
    show({ type: "status", status: ready });
    expect(line()?.textContent).toBe("Everything stays on this machine.");
    const message = "Using the server at https://example.org.";
    show({ type: "status", status: { state: "ready", message, model: "big" } });
    expect(line()?.textContent).toBe(message);
    show({ type: "status", status: { state: "failed", message: "no" } });
    expect(line()?.hidden).toBe(true);
  });

  it("offers what the editor has", () => {
    const [explain, about, tests] = get("welcome").querySelectorAll("button");
    expect([explain?.disabled, about?.disabled, tests?.disabled]).toEqual([true, true, true]);
    show({ type: "context", active: selection });
    explain?.click();
    tests?.click();
    expect(requests.slice(1)).toMatchObject([
      { type: "ask", question: { task: "explain", attachments: [selection] } },
      { type: "ask", question: { task: "test", attachments: [selection] } },
    ]);
    about?.click();
    expect(document.activeElement).toBe(input());
  });
});

describe("an answer", () => {
  it("streams in, once per frame", () => {
    show(conversation(exchange("why?", "", "streaming")));
    expect(last("message-assistant").dataset.state).toBe("streaming");
    for (const text of ["Be", "cau", "se"]) show({ type: "piece", text });
    expect(frames).toHaveLength(1);
    expect(last("message-assistant").textContent).not.toContain("Be");
    frames[0]?.(0);
    expect(last("message-assistant").textContent).toContain("Because");
  });

  it("leaves earlier messages untouched", () => {
    show(conversation(exchange("one", "first"), exchange("two", "", "streaming")));
    const earlier = get("message-assistant").firstElementChild?.firstElementChild;
    show({ type: "piece", text: "x" });
    frames[0]?.(0);
    show(conversation(exchange("one", "first"), exchange("two", "x", "done")));
    expect(get("message-assistant").firstElementChild?.firstElementChild).toBe(earlier);
    expect(earlier?.isConnected).toBe(true);
  });

  it("is announced once, when it has ended", () => {
    const announced = () => document.querySelector("#panel > [role=status]")?.textContent;
    show(conversation(exchange("why?", "", "streaming")));
    show({ type: "piece", text: "Because." });
    frames[0]?.(0);
    expect(announced()).toBe("");
    show(conversation(exchange("why?", "Because.", "done")));
    expect(announced()).toBe("Answer finished. Because.");
  });

  it("can be asked for again, if it is the last", () => {
    show(conversation(exchange("one", "a"), exchange("two", "b", "stopped")));
    expect(last("message-assistant").textContent).toContain("Stopped");
    expect(document.querySelectorAll("[data-testid=retry]")).toHaveLength(1);
    get("retry").click();
    expect(requests.at(-1)).toEqual({ type: "retry" });
  });

  it("shows what went wrong beside what came before it", () => {
    const failed = exchange("why?", "Half", "failed");
    failed.answer.error = "<b>Out</b> of memory";
    show(conversation(failed));
    expect(last("message-assistant").textContent).toContain("Half");
    expect(last("message-assistant").textContent).toContain("<b>Out</b> of memory");
    expect(get("retry").textContent).toBe("Retry");
  });

  it("goes on where it was cut", () => {
    const cut = exchange("why?", "Half");
    cut.answer.cut = true;
    show(conversation(cut));
    expect(last("message-assistant").textContent).toContain("phial.chat.maxTokens");
    get("continue").click();
    expect(requests.at(-1)).toEqual({ type: "continue" });
  });

  it("has the extension open its links", () => {
    show(conversation(exchange("why?", "[x](https://example.org)")));
    const reached = vi.fn();
    document.addEventListener("click", reached);
    const click = new MouseEvent("click", { bubbles: true, cancelable: true });
    document.querySelector("a")?.dispatchEvent(click);
    expect(click.defaultPrevented).toBe(true);
    expect(reached).not.toHaveBeenCalled();
    document.removeEventListener("click", reached);
    expect(requests.at(-1)).toEqual({ type: "link", href: "https://example.org/" });
  });

  it("comes after a question that is shown as text", () => {
    const text = "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>";
    const asking = exchange(text, "a");
    asking.question.attachments = [{ uri: "file:///x", label: "<img src=x onerror=alert(1)>.py" }];
    show(conversation(asking));
    expect(get("message-user").querySelector(".question-text")?.textContent).toBe(text);
    expect(document.querySelector("script, img")).toBeNull();
  });
});

describe("the history", () => {
  const entries = [
    { id: "2", title: "two", changed: Date.now() },
    { id: "1", title: "one", changed: 0 },
  ];
  const items = () => [...document.querySelectorAll<HTMLButtonElement>("[data-testid=history-item]")];

  it("opens and deletes conversations by keyboard", () => {
    show({ type: "history", entries });
    get("history").click();
    expect(get("history").getAttribute("aria-expanded")).toBe("true");
    expect(document.activeElement).toBe(items()[0]);
    document.querySelectorAll<HTMLButtonElement>("[data-testid=history-delete]")[1]?.focus();
    document.querySelectorAll<HTMLButtonElement>("[data-testid=history-delete]")[1]?.click();
    expect(requests.at(-1)).toEqual({ type: "delete", id: "1" });
    show({ type: "history", entries: entries.slice(0, 1) });
    expect(document.activeElement).toBe(get("history-delete"));
    items()[0]?.click();
    expect(requests.at(-1)).toEqual({ type: "open", id: "2" });
    expect(get("history-list").closest<HTMLElement>(".history")?.hidden).toBe(true);
  });

  it("begins a new chat", () => {
    get("new-chat").click();
    expect(requests.at(-1)).toEqual({ type: "new" });
  });
});

describe("the model note", () => {
  it.each<[StatusResult, string]>([
    [ready, "Phi-3-mini-4k on CPU · 6.2 tokens/s"],
    [{ ...ready, starter: true }, "Phi-3-mini-4k on CPU · starter model · 6.2 tokens/s"],
    [{ state: "ready", message: "", model: "M", device: "GPU" }, "M on GPU"],
    [{ state: "loading", message: "", fraction: 0.4 }, "Loading the model: 40 %"],
    [{ state: "starting", message: "Looking for the model host." }, "Looking for the model host."],
    [{ state: "failed", message: "No memory." }, "No memory."],
    [{ state: "ready", message: "Using the server at x." }, "Using the server at x."],
  ])("of %j reads %s", (status, text) => {
    expect(noteText(status)).toBe(text);
  });

  it("says why, and what to do", () => {
    show({ type: "status", status: { ...ready, starter: true, deviceReason: "No GPU" } });
    expect(get("model-note").title).toBe("No GPU");
    get("select-model").click();
    show({ type: "status", status: { state: "failed", message: "no" } });
    get("doctor").click();
    show({ type: "status", status: { state: "off", message: "The server is not running." } });
    get("repair").click();
    expect(requests.slice(1)).toEqual([
      { type: "command", command: "phial.model.select" },
      { type: "command", command: "phial.doctor" },
      { type: "command", command: "phial.menu" },
    ]);
  });
});

it("labels every control", () => {
  show(conversation(exchange("one", "```py\nx\n```", "stopped")));
  show({ type: "context", active: file });
  for (const control of document.querySelectorAll("button, textarea")) {
    expect(control.getAttribute("aria-label") || control.textContent, control.outerHTML).not.toBe("");
  }
});

it("ignores what is no update", () => {
  for (const data of [null, "piece", { type: "piece" }, { type: "conversation", conversation: {} }]) {
    window.dispatchEvent(new MessageEvent("message", { data }));
  }
  expect(requests).toEqual([{ type: "ready" }]);
});
