import type { PanelCommand } from "../src/panelMessages";
import type { StatusResult } from "../src/protocol";
import { element, icon, textButton } from "./dom";

/** Which model answers, where and how fast; or why none does. */
export class ModelNote {
  readonly element = element("footer", { class: "model-note", "data-testid": "model-note" });
  private readonly text = element("span", { class: "model-text", role: "status" });
  private readonly bar = element("progress", { max: "1", "aria-label": "Loading the model", hidden: true });
  private readonly action = element("span");

  constructor(private readonly run: (command: PanelCommand) => void) {
    this.element.append(this.text, this.action, this.bar);
  }

  show(status: StatusResult): void {
    this.element.dataset.state = status.state;
    this.element.title = status.deviceReason ?? "";
    const symbol = status.state === "failed" || status.state === "off" ? "warning" : "chip";
    const words = noteText(status);
    // Said again only when it reads differently: it is a live region.
    if (this.text.textContent !== words) this.text.replaceChildren(icon(symbol), words);
    this.bar.hidden = status.state !== "loading";
    this.bar.value = status.fraction ?? 0;
    this.action.replaceChildren(...this.actions(status));
  }

  private actions({ state, starter }: StatusResult): HTMLElement[] {
    if (state === "failed") {
      return [textButton("Doctor", "link", "doctor", () => this.run("phial.doctor"))];
    }
    if (state === "off") {
      return [textButton("Repair", "link", "repair", () => this.run("phial.menu"))];
    }
    if (state === "ready" && starter) {
      return [
        textButton("Select a better one", "link", "select-model", () => this.run("phial.model.select")),
      ];
    }
    return [];
  }
}

export function noteText(status: StatusResult): string {
  switch (status.state) {
    case "ready":
      return usesOwnServer(status) ? status.message : readyText(status);
    case "loading":
      return `Loading the model: ${Math.round((status.fraction ?? 0) * 100)} %`;
    case "starting":
      return status.message || "Starting…";
    case "failed":
    case "off":
      return status.message || "No model answers.";
  }
}

/** A server of the user's is named by the message, and no device is known of it. */
export function usesOwnServer({ state, device, message }: StatusResult): boolean {
  return state === "ready" && device === undefined && message !== "";
}

/** Only a model on a device of ours, or one on its way there, is sure to keep everything here. */
export function staysHere({ state, device }: StatusResult): boolean {
  return device !== undefined || state === "loading" || state === "starting";
}

function readyText({ model, device, starter, tokensPerSecond }: StatusResult): string {
  const place = device ? ` on ${device}` : "";
  const kind = starter ? " · starter model" : "";
  const speed = tokensPerSecond === undefined ? "" : ` · ${tokensPerSecond.toFixed(1)} tokens/s`;
  return `${model ?? "Model"}${place}${kind}${speed}`;
}
