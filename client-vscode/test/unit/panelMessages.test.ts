import { describe, expect, it } from "vitest";
import {
  type PanelRequest,
  type PanelUpdate,
  readPanelRequest,
  readPanelUpdate,
} from "../../src/panelMessages";

const range = { start: { line: 0, character: 1 }, end: { line: 2, character: 3 } };
const question = {
  text: "why?",
  task: "ask" as const,
  attachments: [{ uri: "file:///a.py", range, label: "a.py:1-3" }],
};

describe("a request of the page", () => {
  it.each<PanelRequest>([
    { type: "ready" },
    { type: "ask", question },
    { type: "stop" },
    { type: "retry" },
    { type: "continue" },
    { type: "new" },
    { type: "open", id: "1" },
    { type: "delete", id: "1" },
    { type: "copy", text: "x" },
    { type: "insert", text: "x" },
    { type: "replace", text: "x" },
    { type: "newFile", text: "x", language: "py" },
    { type: "link", href: "https://example.org" },
    { type: "findFiles", search: 1, query: "" },
    { type: "command", command: "phial.doctor" },
  ])("of type $type is read", (request) => {
    expect(readPanelRequest(request)).toBe(request);
  });

  it.each([
    undefined,
    null,
    "ready",
    ["ready"],
    {},
    { type: 1 },
    { type: "unknown" },
    { type: "constructor" },
    { type: "__proto__" },
    { type: "ask" },
    { type: "ask", question: { ...question, task: "delete everything" } },
    { type: "ask", question: { ...question, attachments: [{ uri: 1, label: "x" }] } },
    { type: "ask", question: { ...question, attachments: [{ uri: "x", label: "x", range: { start: {} } }] } },
    { type: "ask", question: { ...question, attachments: "none" } },
    { type: "insert" },
    { type: "copy", text: { toString: "x" } },
    { type: "findFiles", search: -1, query: "" },
    { type: "findFiles", search: 1.5, query: "" },
    { type: "command", command: "workbench.action.terminal.sendSequence" },
  ])("is refused where it is %j", (value) => {
    expect(readPanelRequest(value)).toBeUndefined();
  });
});

describe("an update for the page", () => {
  const answer = { text: "a", state: "done" as const };
  it.each<PanelUpdate>([
    { type: "conversation", conversation: { id: "1", changed: 1, exchanges: [{ question, answer }] } },
    { type: "piece", text: "x" },
    { type: "history", entries: [{ id: "1", title: "t", changed: 1 }] },
    { type: "context" },
    { type: "context", active: { uri: "file:///a.py", label: "a.py" } },
    { type: "status", status: { state: "loading", message: "", fraction: 0.4 } },
    { type: "files", search: 1, files: [{ uri: "file:///a.py", path: "a.py" }] },
    { type: "focus" },
  ])("of type $type is read", (update) => {
    expect(readPanelUpdate(update)).toBe(update);
  });

  it.each([
    { type: "conversation", conversation: { id: "1", changed: 1, exchanges: [{ question }] } },
    { type: "piece", text: 1 },
    { type: "history", entries: [{}] },
    { type: "context", active: {} },
    { type: "status", status: { state: "sleeping", message: "" } },
    { type: "status", status: { state: "ready", message: "", tokensPerSecond: "6" } },
    { type: "files", search: 1, files: [{ path: "a.py" }] },
    { type: "ready" },
  ])("is refused where it is %j", (value) => {
    expect(readPanelUpdate(value)).toBeUndefined();
  });
});
