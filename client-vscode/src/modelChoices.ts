import type { ModelEntry, StatusResult } from "./protocol";

/** A row of the model picker. */
export type ModelChoice =
  | { kind: "heading"; label: string }
  | { kind: "model"; label: string; description: string; detail: string; entry: ModelEntry };

const headings = {
  installed: "Installed",
  pull: "To download",
  export: "To export on this machine",
} as const;

/** Return the rows of the model picker: what is installed first, then by how hard it is to get. */
export function modelChoices(models: readonly ModelEntry[]): ModelChoice[] {
  return (["installed", "pull", "export"] as const).flatMap((obtain) => {
    const rows = models.filter((model) => model.obtain === obtain).map(modelChoice);
    return rows.length > 0 ? [{ kind: "heading" as const, label: headings[obtain] }, ...rows] : [];
  });
}

/** Return the rows of the device picker. */
export function deviceChoices(
  chosen: string,
  status: StatusResult,
): { label: string; description: string; detail: string }[] {
  const current = status.state === "ready" && status.device ? ` Now: ${status.device}.` : "";
  const devices: Record<string, string> = {
    AUTO: `The GPU where it has enough memory, else the CPU.${current}`,
    CPU: "Works everywhere.",
    GPU: "Reads long prompts much faster, and leaves the CPU to you.",
    NPU: "Uses the least power; prompts are limited in length.",
  };
  if (!(chosen in devices)) {
    devices[chosen] = "As set.";
  }
  return Object.entries(devices).map(([label, detail]) => ({
    label,
    description: label === chosen ? "chosen" : "",
    detail,
  }));
}

function modelChoice(entry: ModelEntry): ModelChoice {
  return {
    kind: "model",
    label: entry.inUse ? `$(check) ${entry.title}` : entry.title,
    description: [
      entry.downloadBytes && entry.obtain === "pull" ? `${gigabytes(entry.downloadBytes)} to download` : "",
      entry.memoryBytes ? `needs ${gigabytes(entry.memoryBytes)} of memory` : "",
      entry.fits === false ? "$(warning) does not fit into what is free now" : "",
    ]
      .filter(Boolean)
      .join(" · "),
    detail: [entry.device ? `suits ${article(entry.device)}` : "", entry.licence, entry.note]
      .filter(Boolean)
      .join(" · "),
    entry,
  };
}

function article(device: string): string {
  return device === "NPU" ? "an NPU" : `a ${device}`;
}

function gigabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
