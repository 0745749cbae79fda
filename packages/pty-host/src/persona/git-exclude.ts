import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What {@link addPattern} changed, to be undone byte for byte by {@link removePattern}. */
export interface ExcludeChange {
  readonly fileMade: boolean;
  /** The last line had no end; it was given one. */
  readonly lineEndAdded: boolean;
}

/**
 * Adds a line to the repository's own ignore rules, which all its worktrees share. `announce` is told before anything is
 * written, so that a crash leaves no line that nobody remembers.
 */
export async function addPattern(
  commonFolder: string,
  pattern: string,
  announce: (change: ExcludeChange) => Promise<void>,
): Promise<void> {
  const path = excludeFile(commonFolder);
  const before = await read(path);
  const lineEndAdded = before !== null && before !== '' && !before.endsWith('\n');
  await announce({ fileMade: before === null, lineEndAdded });
  await mkdir(dirname(path), { recursive: true });
  await replace(path, `${before ?? ''}${lineEndAdded ? '\n' : ''}${pattern}\n`);
}

/** Takes the line out again. Every other line stays as it is, also those that came since. */
export async function removePattern(
  commonFolder: string,
  pattern: string,
  { fileMade, lineEndAdded }: ExcludeChange,
): Promise<void> {
  const path = excludeFile(commonFolder);
  const text = await read(path);
  if (text === null) return;
  const lines = text.split('\n');
  const at = lines.lastIndexOf(pattern);
  if (at === -1) return;
  const wasLast = at === lines.length - 2 && lines.at(-1) === '';
  lines.splice(at, 1);
  if (wasLast && lineEndAdded) lines.pop();
  const rest = lines.join('\n');
  if (rest === '' && fileMade) await rm(path, { force: true });
  else await replace(path, rest);
}

/** A path, relative to the worktree, as a pattern that matches it alone. */
export function anchoredPattern(relativePath: string): string {
  return `/${relativePath.replaceAll(/[\\*?[\]]/g, String.raw`\$&`)}`;
}

function excludeFile(commonFolder: string): string {
  return join(commonFolder, 'info', 'exclude');
}

async function read(path: string): Promise<string | null> {
  return readFile(path, 'latin1').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
}

/** At once, so that git never reads half a file; with the mode it had. */
async function replace(path: string, text: string): Promise<void> {
  const mode = await stat(path).then(
    (stats) => stats.mode & 0o777,
    () => 0o644,
  );
  const temporary = `${path}.${process.pid}.semo`;
  await writeFile(temporary, Buffer.from(text, 'latin1'), { mode });
  const handle = await open(temporary);
  await handle.chmod(mode);
  await handle.close();
  await rename(temporary, path);
}
