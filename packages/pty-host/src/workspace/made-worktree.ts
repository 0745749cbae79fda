import { z } from 'zod';

/** The branch of one job, and the link that names the worktree by that job. */
const heldBranchSchema = z.object({
  branch: z.string(),
  /** The commit it began at. */
  baseCommit: z.string(),
  /** Whether the branch is ours too. */
  branchMade: z.boolean(),
  link: z.string().nullable(),
});

/** See {@link heldBranchSchema}. */
export type HeldBranch = z.infer<typeof heldBranchSchema>;

/** A worktree that we made, with all that is needed to take it away again, also by another process after a crash. */
export const madeWorktreeSchema = z.object({
  /** The repository it belongs to. */
  repository: z.string(),
  /** See `commonGitFolder`; asking git again takes time. */
  commonFolder: z.string().optional(),
  /** Where it is: absolute, symbolic links resolved. */
  path: z.string(),
  /** Folders above it that are removed with it when empty end here. */
  root: z.string(),
  /** `null`: a slot that has no job yet. */
  branch: z.string().nullable(),
  /** The commit it began at. */
  baseCommit: z.string(),
  /** Whether the branch is ours too. */
  branchMade: z.boolean(),
  /** What keeps it: only what is not committed, or commits too. */
  retain: z.enum(['dirty', 'changed']).default('dirty'),
  /** Whether it was there already and others may be at home in it: such a one is never removed. */
  reused: z.boolean().default(false),
  /** The symbolic link that leads to it: a slot is named by its job. */
  link: z.string().nullable().default(null),
  /** What a slot had before, as long as it has not been tidied up. */
  former: z.array(heldBranchSchema).default([]),
});

/** See {@link madeWorktreeSchema}. */
export type MadeWorktree = z.infer<typeof madeWorktreeSchema>;

/** What became of a worktree. `kept` says why in a sentence; nothing that could be work is ever removed. */
export type WorktreeRemoval =
  | { readonly kind: 'removed'; readonly branch: 'kept' | 'deleted' }
  | { readonly kind: 'kept'; readonly path: string; readonly reason: string };
