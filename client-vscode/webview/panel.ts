/** The page of the side panel: a view of what the extension host tells, and nothing more. */
import { type Conversation, isEmpty, isRunning, questionText, title } from "../src/conversation";
import { isAttachment, isListOf, isRecord, isText } from "../src/panelChecks";
import { type PanelRequest, type PanelUpdate, readPanelUpdate } from "../src/panelMessages";
import { Composer, type Draft } from "./composer";
import { element, iconButton } from "./dom";
import { HistoryList } from "./history";
import { Messages } from "./messages";
import { ModelNote } from "./modelNote";
import { Welcome } from "./welcome";

/** What the editor gives a page to talk to the extension host, and to keep things in while it is hidden. */
export interface Host {
  postMessage(message: PanelRequest): void;
  getState(): unknown;
  setState(state: Draft): void;
}

/** Fill the page, and follow the host until the signal, if one is given, ends it. */
export function startPanel(root: HTMLElement, host: Host, signal?: AbortSignal): void {
  const tell = (request: PanelRequest) => host.postMessage(request);
  const stop = () => tell({ type: "stop" });
  const messages = new Messages(
    {
      retry: () => tell({ type: "retry" }),
      continue: () => tell({ type: "continue" }),
      copy: (text) => tell({ type: "copy", text }),
      insert: (text) => tell({ type: "insert", text }),
      replace: (text) => tell({ type: "replace", text }),
      newFile: (text, language) => tell({ type: "newFile", text, language }),
    },
    (href) => tell({ type: "link", href }),
  );
  const composer = new Composer(draftOf(host.getState()), {
    ask: (question) => tell({ type: "ask", question }),
    stop,
    find: (search, query) => tell({ type: "findFiles", search, query }),
    save: (draft) => host.setState(draft),
  });
  const welcome = new Welcome({
    ask: (question) => tell({ type: "ask", question }),
    askAboutFile: () => composer.aboutActiveFile(),
    active: () => composer.activeAttachment,
  });
  const note = new ModelNote((command) => tell({ type: "command", command }));
  const history = new HistoryList({
    open: (id) => tell({ type: "open", id }),
    delete: (id) => tell({ type: "delete", id }),
    shown: (isShown) => historyButton.setAttribute("aria-expanded", String(isShown)),
    closed: () => composer.focus(),
  });
  const historyButton = iconButton("history", "History", "history", () => history.toggle());
  historyButton.setAttribute("aria-expanded", "false");
  const name = element("h1", { class: "conversation-title" });
  const header = element(
    "header",
    { class: "bar" },
    name,
    element("span", { class: "spacer" }),
    historyButton,
    iconButton("add", "New chat", "new-chat", () => {
      tell({ type: "new" });
      history.close();
    }),
  );
  const main = element("main", {}, welcome.element, messages.element, history.element);
  root.replaceChildren(header, main, composer.element, note.element, messages.announcer);

  const showConversation = (conversation: Conversation) => {
    const last = conversation.exchanges.at(-1);
    name.textContent = title(conversation);
    welcome.element.hidden = !isEmpty(conversation);
    messages.element.hidden = isEmpty(conversation);
    messages.show(conversation);
    composer.showConversation(isRunning(conversation), last ? questionText(last.question) : "");
  };
  const show = (update: PanelUpdate) => {
    switch (update.type) {
      case "conversation":
        return showConversation(update.conversation);
      case "piece":
        return messages.addPiece(update.text);
      case "history":
        return history.show(update.entries);
      case "context":
        welcome.followEditor(update.active);
        return composer.followEditor(update.active);
      case "status":
        welcome.showStatus(update.status);
        return note.show(update.status);
      case "files":
        return composer.showFiles(update.search, update.files);
      case "focus":
        return composer.focus();
    }
  };
  const until = signal ? { signal } : {};
  const receive = ({ data }: MessageEvent<unknown>) => {
    const update = readPanelUpdate(data);
    if (update) show(update);
  };
  const stopOnEscape = ({ key }: KeyboardEvent) => {
    if (key === "Escape") stop();
  };
  window.addEventListener("message", receive, until);
  document.addEventListener("keydown", stopOnEscape, until);
  tell({ type: "ready" });
}

/** The draft that an earlier page left; an empty one where it left none that can be read. */
function draftOf(state: unknown): Draft {
  const text = isRecord(state) && isText(state.text) ? state.text : "";
  const context = isRecord(state) && isRecord(state.context) ? state.context : {};
  return {
    text,
    context: {
      files: isListOf(isAttachment)(context.files) ? context.files : [],
      followsEditor: context.followsEditor !== false,
    },
  };
}
