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
    sentence: ({ repository, base }) =>
      `There is no commit ${JSON.stringify(base)} in ${repository} to begin at. Fetch it, or name another base.`,
  },
];

/** An error of git as a sentence that says what to do, where it is one that happens; git's own words stay in `details.stderr`. */
export function worktreeRefusal(thrown: unknown, asked: Asked): unknown {
  if (!isSemoError(thrown, 'git_failed')) return thrown;
  const words = thrown.details['stderr'];
  if (typeof words !== 'string') return thrown;
  for (const { says, sentence } of SENTENCES) {
    const found = says.exec(words);
    if (found === null) continue;
    return new SemoError('git_failed', sentence(asked, found), { details: thrown.details, cause: thrown });
  }
  return thrown;
}
