import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { SemoError } from '@semo-office/core';

/** The real paths of those that are there, each once. */
export async function realPaths(paths: readonly string[]): Promise<string[]> {
  const real = await Promise.all(paths.map((path) => realpath(path).catch(() => null)));
  return [...new Set(real.filter((path) => path !== null))];
}

/** Whether a real path is another one or below it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/**
 * Resolves paths that a session names, and keeps them inside the host's allowed roots and out of its own folders.
 * @throws SemoError `workspace_not_found`, `workspace_forbidden`.
 */
export async function confinedPaths(
  paths: readonly string[],
  {
    allowedRoots,
    forbidden,
  }: { readonly allowedRoots?: readonly string[] | undefined; readonly forbidden: readonly string[] },
): Promise<string[]> {
  const roots = allowedRoots === undefined ? ['/'] : await realPaths(allowedRoots);
  const closed = await realPaths(forbidden);
  const resolved: string[] = [];
  for (const path of paths) {
    const [real] = await realPaths([path]);
    if (real === undefined) {
      throw new SemoError('workspace_not_found', `There is no ${path} on this host for a sandbox to show.`, {
        details: { path },
      });
    }
    if (!roots.some((root) => isInside(real, root)) || closed.some((folder) => isInside(real, folder))) {
      const message = `This host does not let sandboxes show ${path}. Name something inside its allowed roots.`;
      throw new SemoError('workspace_forbidden', message, { details: { path } });
    }
    resolved.push(real);
  }
  return resolved;
}
