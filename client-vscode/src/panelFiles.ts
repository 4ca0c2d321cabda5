/** Which files an `@` in the input offers. */
import type { FoundFile } from "./panelMessages";

/** What is never offered, beside what the user's settings exclude. */
export const excludedFiles =
  "**/{node_modules,.git,.hg,.svn,.venv,venv,__pycache__,.mypy_cache,.tox,dist,build,out,target}/**";

/** A glob that finds at least the files whose name holds the query's last part, in any case. */
export function fileGlob(query: string): string {
  const name = query.split("/").at(-1) ?? "";
  const letters = [...name].map(anyCase).join("");
  return letters ? `**/*${letters}*` : "**/*";
}

/** The best matches, the best first: names that begin with the query, then names, then paths that hold it. */
export function bestFiles(files: readonly FoundFile[], query: string): FoundFile[] {
  const wanted = query.toLowerCase();
  return files
    .map((file) => ({ file, rank: rank(file.path.toLowerCase(), wanted) }))
    .filter(({ rank }) => rank < noMatch)
    .sort((one, other) => one.rank - other.rank || one.file.path.length - other.file.path.length)
    .slice(0, mostFiles)
    .map(({ file }) => file);
}

/** The first few, each once. */
export function firstFiles(files: readonly FoundFile[]): FoundFile[] {
  return [...new Map(files.map((file) => [file.uri, file])).values()].slice(0, mostFiles);
}

/** How many are shown. */
const mostFiles = 8;

const noMatch = 3;

function rank(path: string, wanted: string): number {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name.startsWith(wanted) || path.startsWith(wanted)) return 0;
  if (name.includes(wanted)) return 1;
  return path.includes(wanted) ? 2 : noMatch;
}

function anyCase(character: string): string {
  if ("*?[]{}!,\\".includes(character)) return "?";
  const lower = character.toLowerCase();
  const upper = character.toUpperCase();
  return lower === upper ? character : `[${lower}${upper}]`;
}
