import { isAbsolute, relative, sep } from 'node:path';
import { assertNever, scopeMatcher } from '@semo-office/core';

import type { ScopePlace } from './scope-place.ts';

/** What an agent may change. */
export interface Scope {
  /** The worktree, absolute, links resolved. */
  readonly root: string;
  /** Globs relative to it; at least one. */
  readonly patterns: readonly string[];
}

/** Whether a file tool may do what it wants to. */
export type ScopeVerdict = { readonly kind: 'allow' } | { readonly kind: 'deny'; readonly reason: string };

/** Whoever can write these can undo the scope: settings hold hooks, and git's own files say where the worktree is. */
const NEVER = /^\.claude\/settings(?:\.local)?\.json$|^\.git(?:\/|$)/i;

/** Whether a file is in scope, by where it really is. Pure: the same place always gets the same verdict. */
export function decideScope(place: ScopePlace | null, { root, patterns }: Scope): ScopeVerdict {
  if (place === null) return deny('The tool names no file.');
  switch (place.kind) {
    case 'unclear':
      return deny('It cannot be said where this path leads.');
    case 'folder':
      return deny('This path is a folder.');
    case 'file':
      return decideFile(place.paths, { root, patterns });
    default:
      return assertNever(place);
  }
}

function decideFile(paths: readonly string[], { root, patterns }: Scope): ScopeVerdict {
  const inScope = scopeMatcher(patterns);
  for (const path of paths) {
    const inside = relative(root, path);
    const name = inside.split(sep).join('/');
    const leaves = name === '' || name === '..' || name.startsWith('../') || isAbsolute(inside);
    if (leaves) return deny('It is outside the worktree.');
    if (NEVER.test(name)) return deny(`${name} is never in scope.`);
    if (!inScope(name)) return deny(`${name} is out of scope.`);
  }
  return { kind: 'allow' };
}

function deny(reason: string): ScopeVerdict {
  return { kind: 'deny', reason };
}
