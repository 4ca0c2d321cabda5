import type { ServerCommand } from "./environment";

/** Return what stands for `phial` in a terminal, quoted where that is needed. */
export function shellWords(server: Pick<ServerCommand, "command" | "args"> | undefined): string[] {
  const words = server ? [server.command, ...server.args.filter((word) => word !== "serve")] : ["phial"];
  return words.map((word) => (/^[\w./:\\-]+$/.test(word) ? word : `"${word}"`));
}
