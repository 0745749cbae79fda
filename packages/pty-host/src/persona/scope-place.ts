import { lstat, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';

/** As many links in a row are followed; the kernel gives up at 40 as well. */
const MOST_LINKS = 40;

/** Where a file that a tool names really is. */
export type ScopePlace =
  /** Every path that would be changed, links resolved: the name itself and what it leads to. */
  | { readonly kind: 'file'; readonly paths: readonly string[] }
  | { readonly kind: 'folder'; readonly path: string }
  /** It cannot be said where it is. */
  | { readonly kind: 'unclear' };

/**
 * Finds out where a path leads that a tool was given. What does not exist yet is where the part of it that exists leads.
 */
export async function findScopePlace(named: string, cwd: string | null): Promise<ScopePlace> {
  if (!isPlain(named) || (cwd === null && !isAbsolute(named))) return { kind: 'unclear' };
  if (await climbsOutOfLink(named, cwd ?? '/')) return { kind: 'unclear' };
  // Claude Code composes what it is given, so both spellings may be the file.
  const spellings = [...new Set([named, named.normalize('NFC')])].map((path) => resolve(cwd ?? '/', path));
  const paths: string[] = [];
  for (const path of spellings) {
    const target = await realTarget(path, MOST_LINKS);
    const folder = await realTarget(dirname(path), MOST_LINKS);
    if (target === null || folder === null) return { kind: 'unclear' };
    if (await isFolder(target)) return { kind: 'folder', path: target };
    paths.push(join(folder, basename(path)), target);
  }
  return { kind: 'file', paths: [...new Set(paths)] };
}

/** Claude Code reads a leading "~" as the home, and drops blanks around a path. */
function isPlain(path: string): boolean {
  return path !== '' && path === path.trim() && !path.includes('\0') && path !== '~' && !path.startsWith('~/');
}

/** `link/../file` is two files: one by the letters, which is what most programs go by, one by where the link leads. */
async function climbsOutOfLink(named: string, cwd: string): Promise<boolean> {
  const segments = named.split('/');
  for (const [index, segment] of segments.entries()) {
    const before = segments.slice(0, index).join('/');
    if (segment !== '..' || before === '') continue;
    const found = await lstat(isAbsolute(named) ? before : join(cwd, before)).catch(() => null);
    if (found?.isDirectory() !== true) return true;
  }
  return false;
}

async function realTarget(path: string, linksLeft: number): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (thrown) {
    if (!isMissing(thrown) || linksLeft === 0 || dirname(path) === path) return null;
  }
  const folder = await realTarget(dirname(path), linksLeft);
  if (folder === null) return null;
  // A link to what is not there yet: writing to it makes its target.
  const link = await readlink(path).catch(() => null);
  return link === null ? join(folder, basename(path)) : realTarget(resolve(folder, link), linksLeft - 1);
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
