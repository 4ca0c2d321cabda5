import type { ChatAttachment, Question } from "../src/conversation";
import type { StatusResult } from "../src/protocol";
import { element, icon } from "./dom";
import { staysHere, usesOwnServer } from "./modelNote";

export interface WelcomeHooks {
  ask(question: Question): void;
  /** Let the user write a question about the active file. */
  askAboutFile(): void;
  /** The active file, or the selection in it. */
  active(): ChatAttachment | undefined;
}

/** What an empty conversation shows. */
export class Welcome {
  readonly element = element("section", {
    class: "welcome",
    "aria-label": "Welcome",
    "data-testid": "welcome",
  });
  private readonly place = element("p", { class: "welcome-place" });
  private readonly examples: Example[];

  constructor(private readonly hooks: WelcomeHooks) {
    this.examples = [
      { button: exampleButton("lightbulb", "Explain the selection"), needs: "selection" },
      { button: exampleButton("file", "Ask about this file"), needs: "file" },
      { button: exampleButton("beaker", "Write tests"), needs: "file" },
    ];
    const [explain, about, test] = this.examples.map(({ button }) => button);
    explain?.addEventListener("click", () => this.askFor("explain", "Explain this code."));
    about?.addEventListener("click", () => hooks.askAboutFile());
    test?.addEventListener("click", () => this.askFor("test", "Write tests for this code."));
    this.element.append(
      element("h2", {}, "What are you working on?"),
      element("p", {}, "Ask about your code, or begin with one of these."),
      element("div", { class: "examples" }, ...this.examples.map(({ button }) => button)),
      this.place,
    );
    this.followEditor(undefined);
  }

  followEditor(active: ChatAttachment | undefined): void {
    for (const { button, needs } of this.examples) {
      button.disabled = needs === "selection" ? active?.range === undefined : active === undefined;
      button.title = button.disabled ? reasons[needs] : "";
    }
  }

  showStatus(status: StatusResult): void {
    this.place.hidden = !staysHere(status) && !usesOwnServer(status);
    const words = usesOwnServer(status) ? status.message : "Everything stays on this machine.";
    this.place.replaceChildren(icon(usesOwnServer(status) ? "info" : "lock"), words);
  }

  private askFor(task: Question["task"], text: string): void {
    const active = this.hooks.active();
    if (active) this.hooks.ask({ text, task, attachments: [active] });
  }
}

interface Example {
  button: HTMLButtonElement;
  needs: "selection" | "file";
}

const reasons: Record<Example["needs"], string> = {
  selection: "Select some code in an editor first",
  file: "Open a file in an editor first",
};

function exampleButton(iconName: string, label: string): HTMLButtonElement {
  return element("button", { type: "button", class: "example" }, icon(iconName), label);
}
