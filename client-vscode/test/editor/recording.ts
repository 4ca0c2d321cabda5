/** What the language server of an editor says, read from a file that a program between the two writes. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./codeServer";

export interface Said {
  /** The pieces of all answers. */
  pieces: string[];
  /** The last whole answer. */
  answer: string;
  /** Whether a request was cancelled in mid-work. */
  cancelled: boolean;
}

/** Settings with which the server of this checkout runs behind the recorder. */
export function recordedServer(file: string): Record<string, unknown> {
  const tools = join(root, ".venv", "bin");
  const recorder = join(root, "client-vscode", "test", "editor", "recorder.mjs");
  const server = [join(tools, "python"), "-m", "phial", "serve"];
  return { "phial.server.command": [join(tools, "node"), recorder, file, ...server] };
}

export async function readSaid(file: string): Promise<Said> {
  const messages = parse(await readFile(file));
  const answers = messages.flatMap(({ result }) => (typeof result?.text === "string" ? [result.text] : []));
  return {
    pieces: messages.flatMap(({ method, params }) =>
      method === "$/progress" && typeof params.value.text === "string" ? [params.value.text] : [],
    ),
    answer: answers.at(-1) ?? "",
    cancelled: messages.some(({ error }) => error?.code === -32800),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: these are messages of every kind
function parse(data: Buffer): any[] {
  const messages = [];
  let at = 0;
  while (true) {
    const body = data.indexOf("\r\n\r\n", at);
    const [, length] = /Content-Length: (\d+)/.exec(data.toString("latin1", at, Math.max(at, body))) ?? [];
    const end = body + 4 + Number(length);
    if (body < 0 || !(end <= data.length)) {
      return messages; // the rest is still on its way
    }
    messages.push(JSON.parse(data.toString("utf8", body + 4, end)));
    at = end;
  }
}
