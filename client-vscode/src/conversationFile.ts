import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Keeps the conversations of a workspace in a file.
 *
 * The editor's own store for such things writes a while later, and a window that is reloaded meanwhile loses them.
 */
export class ConversationFile {
  private readonly path: string;

  constructor(private readonly folder: string) {
    this.path = join(folder, "conversations.json");
  }

  /** Return what is there; undefined for nothing, or for what cannot be read. */
  read(): unknown {
    try {
      return JSON.parse(readFileSync(this.path, "utf8"));
    } catch {
      return undefined;
    }
  }

  /** Take the place of what was there, at once or not at all; without a place to write, the history is lost alone. */
  write(value: unknown): void {
    const staged = `${this.path}.new`;
    try {
      mkdirSync(this.folder, { recursive: true });
      writeFileSync(staged, JSON.stringify(value), { mode: 0o600 });
      renameSync(staged, this.path);
    } catch (error) {
      console.warn(`Phial's conversations cannot be kept: ${error}`);
    }
  }
}
