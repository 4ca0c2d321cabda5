import { type Conversation, changed } from "../src/conversation";
import { element } from "./dom";
import { type AnswerActions, ExchangeView } from "./exchange";
import { Pace } from "./pace";

/** The questions and answers of one conversation, kept at the end while the user is there. */
export class Messages {
  /** Read aloud as a whole by `announcer`, not piece by piece. */
  readonly element = element("div", {
    class: "messages",
    role: "log",
    "aria-label": "Conversation",
    "aria-live": "off",
    tabindex: "0",
  });
  readonly announcer = element("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
  private conversation: Conversation | undefined;
  private views: ExchangeView[] = [];
  private atEnd = true;
  private readonly pace = new Pace(() => this.showLast());

  constructor(
    private readonly actions: AnswerActions,
    private readonly openLink: (address: string) => void,
  ) {
    this.element.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.element;
      this.atEnd = scrollHeight - scrollTop - clientHeight < 24;
    });
    // The input below grows and shrinks with its text and its chips.
    new ResizeObserver(() => this.keepAtEnd()).observe(this.element);
    this.element.addEventListener("click", (event) => this.followLink(event));
    this.element.addEventListener("auxclick", (event) => this.followLink(event));
  }

  show(conversation: Conversation): void {
    const before = this.conversation;
    const isOther = before?.id !== conversation.id;
    if (isOther) {
      this.views = [];
      this.element.replaceChildren();
    }
    this.conversation = conversation;
    const { exchanges } = conversation;
    for (const view of this.views.splice(exchanges.length)) view.element.remove();
    const isAsked = exchanges.length > this.views.length;
    for (const exchange of exchanges.slice(this.views.length)) {
      const view = new ExchangeView(exchange, this.actions);
      this.views.push(view);
      this.element.append(view.element);
    }
    exchanges.forEach(({ answer }, index) => {
      this.views[index]?.show(answer, index === exchanges.length - 1);
    });
    if (!isOther) this.announce(before, conversation);
    if (isOther || isAsked) this.atEnd = true;
    this.keepAtEnd();
  }

  /** Add to the answer that is running. However fast pieces come, they are shown once per frame at most. */
  addPiece(text: string): void {
    if (!this.conversation) return;
    const state = { current: this.conversation, earlier: [] };
    this.conversation = changed(state, { type: "piece", text }).current;
    this.pace.request();
  }

  private showLast(): void {
    const last = this.conversation?.exchanges.at(-1);
    if (!last) return;
    this.views.at(-1)?.show(last.answer, true);
    this.keepAtEnd();
  }

  private keepAtEnd(): void {
    if (this.atEnd) this.element.scrollTop = this.element.scrollHeight;
  }

  private announce(before: Conversation | undefined, now: Conversation): void {
    const ended = now.exchanges.at(-1)?.answer;
    const wasRunning = before?.exchanges[now.exchanges.length - 1]?.answer.state === "streaming";
    if (!ended || !wasRunning || ended.state === "streaming") return;
    const said = { done: "Answer finished.", stopped: "Answer stopped.", failed: "The answer failed." };
    this.announcer.textContent = `${said[ended.state]} ${ended.error ?? ended.text}`;
  }

  /** Have the extension open the link. The editor would open it too if the click came through to the page. */
  private followLink(event: Event): void {
    const link = event.target instanceof Element ? event.target.closest("a") : undefined;
    if (!link) return;
    event.preventDefault();
    event.stopPropagation();
    this.openLink(link.href);
  }
}
