import picomatch from 'picomatch';

/**
 * Tells of a path, relative to the worktree and with "/" between folders, whether one of the patterns names it. No
 * patterns name everything. A leading dot is a letter like any other: `src/**` has `src/.env` in it.
 *
 * @example
 * ```ts
 * const inScope = scopeMatcher(['src/**']);
 * inScope('src/app.ts'); // true
 * inScope('../app.ts'); // false
 * ```
 */
export function scopeMatcher(patterns: readonly string[]): (path: string) => boolean {
  const matches = patterns.length === 0 ? () => true : picomatch([...patterns], { dot: true, strictBrackets: true });
  return (path) => isWithin(path) && matches(path);
}

/** A matcher is only asked of what is in the worktree: `**` would name a path with ".." as well. */
function isWithin(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.split('/').includes('..');
}
