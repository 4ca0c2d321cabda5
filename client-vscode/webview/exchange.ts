import { type Answer, type AnswerState, type Exchange, questionText } from "../src/conversation";
import { AnswerText, type CodeActions, showDone } from "./answer";
import { element, icon, iconButton, textButton } from "./dom";

/** What can be done with an answer. */
export interface AnswerActions extends CodeActions {
  retry(): void;
  continue(): void;
}

/** A question and its answer. */
export class ExchangeView {
  readonly element: HTMLElement;
  private readonly answer: HTMLElement;
  private readonly text: AnswerText;
  private readonly notes = element("div", { class: "answer-notes" });
  private shownNotes = "";

  constructor(
    exchange: Exchange,
    private readonly actions: AnswerActions,
  ) {
    this.text = new AnswerText(actions);
    this.answer = element(
      "article",
      { class: "answer", "aria-label": "Answer", "data-testid": "message-assistant" },
      this.text.element,
      this.notes,
    );
    this.element = element("div", { class: "exchange" }, questionElement(exchange), this.answer);
  }

  /** Bring the answer up to date; only the last of a conversation can be asked again. */
  show(answer: Answer, isLast: boolean): void {
    this.text.show(answer.text);
    this.answer.dataset.state = answer.state;
    this.answer.setAttribute("aria-busy", String(answer.state === "streaming"));
    const waiting = answer.state === "streaming" && answer.text === "";
    // Built anew only when they change, lest a button lose the focus.
    const wanted = JSON.stringify([answer.state, answer.cut, answer.error, waiting, isLast]);
    if (wanted === this.shownNotes) return;
    this.shownNotes = wanted;
    this.notes.replaceChildren(...this.notesFor(answer, waiting, isLast));
  }

  private notesFor(answer: Answer, waiting: boolean, isLast: boolean): HTMLElement[] {
    if (waiting) return [waitingElement()];
    const notes: Record<AnswerState, () => HTMLElement[]> = {
      streaming: () => [],
      stopped: () => [noteElement("stop-circle", "Stopped")],
      failed: () => [errorElement(answer.error ?? "Something went wrong.")],
      done: () => (answer.cut ? [noteElement("info", cutNote)] : []),
    };
    const actions = isLast && answer.state !== "streaming" ? [this.actionsFor(answer)] : [];
    return [...notes[answer.state](), ...actions];
  }

  private actionsFor({ state, text, cut }: Answer): HTMLElement {
    const actions = element("div", { class: "answer-actions" });
    if (state === "failed") {
      actions.append(textButton("Retry", "secondary", "retry", () => this.actions.retry()));
      return actions;
    }
    if (cut) {
      actions.append(textButton("Continue", "secondary", "continue", () => this.actions.continue()));
    }
    if (text) {
      const copy = iconButton("copy", "Copy answer", "copy-answer", () => {
        this.actions.copy(text);
        showDone(copy);
      });
      actions.append(copy);
    }
    actions.append(iconButton("refresh", "Retry", "retry", () => this.actions.retry()));
    return actions;
  }
}

const cutNote = "The answer was cut at its longest length (setting phial.chat.maxTokens).";

function questionElement({ question }: Exchange): HTMLElement {
  const chips = question.attachments.map(({ label }) =>
    element("span", { class: "chip", "data-testid": "chip", title: label }, icon("file"), chipLabel(label)),
  );
  return element(
    "article",
    { class: "question", "aria-label": "Question", "data-testid": "message-user" },
    ...(chips.length > 0 ? [element("div", { class: "chips" }, ...chips)] : []),
    element("div", { class: "question-text" }, questionText(question)),
  );
}

export function chipLabel(label: string): HTMLElement {
  return element("span", { class: "chip-label" }, label);
}

function waitingElement(): HTMLElement {
  const dots = [1, 2, 3].map(() => element("span", { class: "dot" }));
  return element("div", { class: "waiting", role: "img", "aria-label": "Waiting for the answer" }, ...dots);
}

function noteElement(iconName: string, text: string): HTMLElement {
  return element("div", { class: "note" }, icon(iconName), element("span", {}, text));
}

function errorElement(message: string): HTMLElement {
  return element("div", { class: "error-block" }, icon("error"), element("span", {}, message));
}
