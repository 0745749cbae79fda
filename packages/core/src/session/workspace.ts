import { z } from 'zod';

/**
 * Where an agent works. Paths belong to the host: it confines `path` to its allowed roots and maps `repoId` to a
 * repository of its own.
 *
 * - `path`: a folder that exists and is used as it is.
 * - `git`: a worktree the host makes from `base` on a new `branch`.
 */
export const workspaceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('path'), path: z.string().min(1).max(4096) }),
  z.object({
    kind: z.literal('git'),
    /** A repository the host was configured with. */
    repoId: z.string().min(1).max(4096),
    /** A commit, tag or branch to start from. Default `HEAD`. */
    base: z.string().min(1).max(1024).default('HEAD'),
    /** The branch the worktree is on; made if it does not exist. */
    branch: z.string().min(1).max(255),
    /** Folder names below the host's worktree root: `agent/{role}/{taskId}`. */
    role: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/)
      .optional(),
    taskId: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/)
      .optional(),
    /**
     * What keeps the worktree after the session. `dirty`: only what is not committed, since a branch keeps the rest.
     * `changed`: also commits, so that somebody can look at them in place. Default `dirty`.
     */
    retain: z.enum(['dirty', 'changed']).default('dirty'),
  }),
]);

/** Where an agent is asked to work; see {@link workspaceSchema}. */
export type Workspace = z.input<typeof workspaceSchema>;

/** Where an agent really works, on the host's disk. */
export const workspaceInfoSchema = z.object({
  kind: z.enum(['path', 'git']),
  /** Absolute, symbolic links resolved. */
  path: z.string(),
  branch: z.string().optional(),
  repoId: z.string().optional(),
});

/** See {@link workspaceInfoSchema}. */
export type WorkspaceInfo = z.infer<typeof workspaceInfoSchema>;
