/** Small decisions about text that passes between the panel and the editor. */
import type { Range } from "vscode-languageclient";

/** The name of a file and the lines of it that are selected, counted from one as editors show them. */
export function contextLabel(path: string, selected?: Range): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!selected) return name;
  const first = selected.start.line + 1;
  // A selection of whole lines ends at the beginning of the line after them.
  const endsBefore = selected.end.character === 0 && selected.end.line > selected.start.line;
  const last = selected.end.line + (endsBefore ? 0 : 1);
  return first === last ? `${name}:${first}` : `${name}:${first}-${last}`;
}

/** Code to put in the place of other code: it ends a line only where that did. */
export function replacement(code: string, replaced: string): string {
  const bare = code.replace(/\r?\n$/, "");
  return /\n$/.test(replaced) ? `${bare}\n` : bare;
}

/** Code to put at a cursor: before code that begins where the cursor is, it ends a line. */
export function insertion(code: string, lineBefore: string, lineAfter: string): string {
  const isBeforeCode = lineBefore.trim() === "" && lineAfter.trim() !== "";
  return replacement(code, isBeforeCode ? "\n" : "") + (isBeforeCode ? lineBefore : "");
}

/** The address of a link that may be opened: only http and https lead out of the editor. */
export function safeLink(href: string): string | undefined {
  if (!URL.canParse(href)) return undefined;
  const { protocol, href: address } = new URL(href);
  return protocol === "http:" || protocol === "https:" ? address : undefined;
}

/** The editor's id of the language that a code block names; undefined where it knows none such. */
export function languageId(named: string, known: readonly string[]): string | undefined {
  const name = named.trim().toLowerCase();
  const id = languageNames.get(name) ?? name;
  return known.includes(id) ? id : undefined;
}

const languageNames: ReadonlyMap<string, string> = new Map([
  ["bash", "shellscript"],
  ["c#", "csharp"],
  ["c++", "cpp"],
  ["cs", "csharp"],
  ["docker", "dockerfile"],
  ["golang", "go"],
  ["htm", "html"],
  ["js", "javascript"],
  ["jsx", "javascriptreact"],
  ["kt", "kotlin"],
  ["make", "makefile"],
  ["md", "markdown"],
  ["objc", "objective-c"],
  ["pl", "perl"],
  ["ps1", "powershell"],
  ["py", "python"],
  ["python3", "python"],
  ["rb", "ruby"],
  ["rs", "rust"],
  ["sh", "shellscript"],
  ["shell", "shellscript"],
  ["text", "plaintext"],
  ["ts", "typescript"],
  ["tsx", "typescriptreact"],
  ["txt", "plaintext"],
  ["yml", "yaml"],
  ["zsh", "shellscript"],
]);
