import { z } from 'zod';

const folderName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'A folder name has letters, digits, "-" and "_".');

/** The branch of one job in a repository, and where its folder is. */
const job = {
  /** A commit, tag or branch to start from. Default `HEAD` of the repository. */
  base: z.string().min(1).max(1024).default('HEAD'),
  /** The branch the worktree is on; made if it does not exist. */
  branch: z.string().min(1).max(255),
  /** Folder names below the host's worktree root: `agent/{role}/{taskId}`. */
  role: folderName.optional(),
  taskId: folderName.optional(),
  /**
   * What keeps the worktree after the session. `dirty`: only what is not committed, since a branch keeps the rest.
   * `changed`: also commits, so that somebody can look at them in place. Default `dirty`.
   */
  retain: z.enum(['dirty', 'changed']).default('dirty'),
};

/**
 * Where an agent works. Paths belong to the host: it confines `path` to its allowed roots and maps `repoId` to a
 * repository of its own.
 *
 * - `path`: a folder that exists and is used as it is.
 * - `git`: a worktree the host makes from `base` on a new `branch`.
 * - `slot`: a worktree on no branch, for a session that is started before its job is known; `assign` gives it one.
 */
export const workspaceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('path'), path: z.string().min(1).max(4096) }),
  z.object({
    kind: z.literal('git'),
    /** A repository the host was configured with. */
    repoId: z.string().min(1).max(4096),
    ...job,
    /**
     * Go on in the worktree that an earlier session of this job has left, also with work that is not committed. At its
     * end the ordinary rule holds again. One that is gone is made anew. Default false.
     */
    takeUp: z.boolean().default(false),
  }),
  z.object({
    kind: z.literal('slot'),
    /** A repository the host was configured with. */
    repoId: z.string().min(1).max(4096),
    base: job.base,
    /** Folder name below the host's worktree root: `slot/{role}/{sessionId}`. Default: the persona's role. */
    role: folderName.optional(),
  }),
]);

/** Where an agent is asked to work; see {@link workspaceSchema}. */
export type Workspace = z.input<typeof workspaceSchema>;

/**
 * The job that a slot is given: its branch, and the name `agent/{role}/{taskId}` by which its folder is found. `role`
 * defaults to the slot's, `taskId` to the session's id.
 */
export const assignmentSchema = z.object(job);

/** See {@link assignmentSchema}. */
export type Assignment = z.input<typeof assignmentSchema>;
/** {@link Assignment} with defaults filled in. */
export type ResolvedAssignment = z.output<typeof assignmentSchema>;

/** Where an agent really works, on the host's disk. */
export const workspaceInfoSchema = z.object({
  /** A user's folder, or a worktree the host made; a slot is one of those, without a branch until it is assigned. */
  kind: z.enum(['path', 'git']),
  /** Absolute, symbolic links resolved. */
  path: z.string(),
  branch: z.string().optional(),
  repoId: z.string().optional(),
  /** Of a slot that has a job: the link `agent/{role}/{taskId}` that leads to `path`. */
  link: z.string().optional(),
  /** What became of the worktree, once the session has ended: why it is still there, or `null` when it is gone. */
  kept: z.object({ reason: z.string() }).nullable().optional(),
});

/** See {@link workspaceInfoSchema}. */
export type WorkspaceInfo = z.infer<typeof workspaceInfoSchema>;
