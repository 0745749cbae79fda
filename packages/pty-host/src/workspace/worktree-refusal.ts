import { SemoError, isSemoError } from '@semo-office/core';

/** What git was to do when it would not. */
interface Asked {
  readonly repository: string;
  readonly branch: string;
  readonly base: string;
}

/** What git says (in the C locale), and the sentence that says what to do about it. */
const SENTENCES: readonly {
  readonly says: RegExp;
  readonly sentence: (asked: Asked, found: RegExpExecArray) => string;
}[] = [
  {
    says: /not a git repository/,
    sentence: ({ repository }) =>
      `${repository} is not a git repository. Make one there (git init), or name the folder of one.`,
  },
  {
    says: /is already (?:checked out|used by worktree) at '([^']*)'/,
    sentence: ({ branch }, [, place = 'another place']) =>
      `The branch ${branch} is already checked out at ${place}, and git lets it be in one place only. End what works there, or choose another branch.`,
  },
  {
    says: /cannot lock ref '[^']*': '(?:refs\/heads\/)?([^']*)' exists; cannot create/,
    sentence: ({ branch }, [, other = '']) =>
      `There is a branch ${other.replace(/^refs\/heads\//, '')} already, beside which git cannot keep one named ${branch}. Choose another name.`,
  },
  {
    says: /a branch named '[^']*' already exists/,
    sentence: ({ branch }) => `Somebody made the branch ${branch} just now. Try again, or choose another branch.`,
  },
  {
    says: /Needed a single revision|not a valid object name|unknown revision/,
    sentence: (asked) => noSuchCommit(asked).message,
  },
];

/** Whether git would not make a branch because there is one of that name. */
export function isTakenName(thrown: unknown): boolean {
  return isSemoError(thrown, 'git_failed') && /a branch named '[^']*' already exists/.test(wordsOf(thrown));
}

/** The error for a base that leads to no commit. */
export function noSuchCommit({ repository, base }: Pick<Asked, 'repository' | 'base'>): SemoError {
  return new SemoError(
    'git_failed',
    `There is no commit ${JSON.stringify(base)} in ${repository} to begin at. Fetch it, or name another base.`,
    { details: { repository, base } },
  );
}

/** The error for a slot that cannot be switched. Nothing in it was touched. */
export function workspaceDirty(
  path: string,
  { kind, reason }: { readonly kind: string; readonly reason: string },
): SemoError {
  return new SemoError(
    'workspace_dirty',
    `The slot ${path} cannot be given another job. ${reason} Look after it, or end its session, which keeps the folder.`,
    { details: { path, reason, kind } },
  );
}

/** Why git would not switch a slot although it looked clean, as `workspace_dirty` where that is it. */
export function switchRefusal(thrown: unknown, { path, ...asked }: Asked & { readonly path: string }): unknown {
  if (!isSemoError(thrown, 'git_failed')) return thrown;
  const words = wordsOf(thrown);
  const inTheWay = /files would be overwritten by (?:checkout|switch|merge):\n((?:\t[^\n]*\n?)+)/.exec(words)?.[1];
  if (inTheWay !== undefined) {
    const files = inTheWay.trim().split(/\s*\n\s*/);
    const reason = `It has ${files.join(', ')}, which the branch ${asked.branch} has too.`;
    return workspaceDirty(path, { kind: 'in_the_way', reason });
  }
  const unfinished = /cannot switch branch (?:while|in the middle of) (.+)/.exec(words)?.[1];
  if (unfinished !== undefined)
    return workspaceDirty(path, {
      kind: 'unfinished',
      reason: `Something of git was begun in it and not ended: ${unfinished}.`,
    });
  return worktreeRefusal(thrown, asked);
}

/** An error of git as a sentence that says what to do, where it is one that happens; git's own words stay in `details.stderr`. */
export function worktreeRefusal(thrown: unknown, asked: Asked): unknown {
  if (!isSemoError(thrown, 'git_failed')) return thrown;
  const words = wordsOf(thrown);
  for (const { says, sentence } of SENTENCES) {
    const found = says.exec(words);
    if (found === null) continue;
    return new SemoError('git_failed', sentence(asked, found), { details: thrown.details, cause: thrown });
  }
  return thrown;
}

function wordsOf({ details }: SemoError): string {
  const words = details['stderr'];
  return typeof words === 'string' ? words : '';
}
