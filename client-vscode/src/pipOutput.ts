/** What pip and venv print, in the user's words. */
import type { Python } from "./environment";

/** Say why a step failed, and what to do about it. */
export function explainFailure(output: string, python: Python, folder: string): string {
  const [, explain] = reasons.find(([pattern]) => pattern.test(output)) ?? [];
  return explain?.(python.version, folder, output) ?? `pip says: ${lastLine(output)}`;
}

/** Return what a line of pip's output says is being done, or undefined. */
export function pipStep(line: string): string | undefined {
  const collecting = /^\s*Collecting ([\w.-]+)/.exec(line);
  if (collecting) {
    return `Looking for ${collecting[1]}`;
  }
  const downloading = /^\s*Downloading (?:\S*\/)?([A-Za-z0-9_.]+)-[^/\s]*(?: \(([^)]+)\))?/.exec(line);
  if (downloading) {
    return `Downloading ${[downloading[1], downloading[2]].filter(Boolean).join(", ")}`;
  }
  return /^Installing collected packages/.test(line) ? "Installing the packages" : undefined;
}

/** Return the line that tells an error, or else the last one. */
export function lastLine(output: string): string {
  const lines = output.trim().split("\n");
  return (lines.findLast((line) => /^\s*error:/i.test(line)) ?? lines.at(-1) ?? "").trim();
}

// The first that matches: without a network, pip also says that it found no distribution.
const reasons: [RegExp, (version: string, folder: string, output: string) => string][] = [
  [
    /No space left|ENOSPC|not enough space/i,
    (_, folder) => `There is no space left for ${folder}: about 400 MB are needed.`,
  ],
  [
    /CERTIFICATE_VERIFY_FAILED|SSLError/,
    () => "The package index has a certificate that pip does not trust: set `cert` in pip's configuration.",
  ],
  [
    /name resolution|getaddrinfo|NewConnectionError|Network is unreachable|ConnectTimeout|ReadTimeout|Connection (?:refused|reset|aborted)|ProxyError/i,
    () =>
      "The package index cannot be reached: look at the network, or at the proxy and index in pip's configuration.",
  ],
  [
    /ensurepip|No module named '?venv/,
    (version) => `Python ${version} has no venv. Debian/Ubuntu: apt install python${version}-venv`,
  ],
  [
    /No matching distribution found/,
    (version, _, output) => {
      const name = /No matching distribution found for ([\w.-]+)/.exec(output)?.[1] ?? "package";
      return `The package index has no ${name} that works with Python ${version} on this machine: choose another Python.`;
    },
  ],
  [/Permission denied|EACCES|Read-only file system/i, (_, folder) => `${folder} cannot be written to.`],
];
