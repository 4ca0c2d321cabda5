import type { StatusResult } from "./protocol";

/** What the status bar shows. */
export interface StatusView {
  text: string;
  tooltip: string;
  severity: "none" | "warning" | "error";
}

/** Return what the status bar shows for a status, while so many answers are being written. */
export function statusView(status: StatusResult, running: number, completions: boolean): StatusView {
  const view = (text: string, severity: StatusView["severity"] = "none"): StatusView => ({
    text: `${text}`,
    tooltip: [status.message, ...details(status, completions)].join("\n\n"),
    severity,
  });
  switch (status.state) {
    case "off":
      return view("$(circle-slash) Phial: off");
    case "starting":
      return view("$(loading~spin) Phial: starting");
    case "loading":
      return view(`$(loading~spin) Phial: loading${percent(status.fraction)}`);
    case "failed":
      return view("$(error) Phial: failed", "error");
    case "ready":
      return view(readyText(status, running, completions), status.starter ? "warning" : "none");
  }
}

function readyText(status: StatusResult, running: number, completions: boolean): string {
  const icon = running > 0 ? "$(loading~spin)" : completions ? "$(beaker)" : "$(beaker-stop)";
  const model = status.starter ? "starter model" : (status.model ?? "own server");
  const device = status.device ? ` (${status.device})` : "";
  return `${icon} Phial: ${model}${device}`;
}

function percent(fraction: number | undefined): string {
  return fraction === undefined ? "" : ` ${Math.round(fraction * 100)} %`;
}

function details(status: StatusResult, completions: boolean): string[] {
  const found: string[] = [];
  if (status.tokensPerSecond !== undefined) {
    found.push(`${status.tokensPerSecond.toFixed(1)} tokens/s`);
  }
  if (status.starter) {
    found.push("This is the small starter model. Click to choose a better one.");
  }
  if (!completions) {
    found.push("Completions are off.");
  }
  return found;
}
