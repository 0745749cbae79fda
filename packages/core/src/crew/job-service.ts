import type { JobRecord } from '../job/job-record.ts';
import type { JobResult } from '../job/run-line.ts';
import type { Workspace } from '../session/workspace.ts';

/** The office's own books of jobs. */
export interface JobService {
  /**
   * Told of the end of every job, at least once: again after it threw, after a crash or a `close()` that it did not answer in
   * time, and where two office processes look into the same store at the same moment. `jobId` and `endings` name the end.
   * Up to 8 are told at once, the oldest job first; one that is not answered within `reportPatienceMs` holds up no other.
   */
  onJobComplete(job: JobRecord, result: JobResult): Promise<void>;
}

/** What a worktree is wanted for. */
export interface WorktreeRequest {
  readonly jobId: string;
  readonly agentId: string;
  readonly role: string;
  readonly repoId: string;
  readonly base: string;
  readonly branch: string;
}

/** An office's own way to make worktrees, instead of the host's. */
export interface WorktreeService {
  /** Makes the folder a job is to be done in, or finds it again. */
  provide(request: WorktreeRequest): Promise<Workspace>;
  /** The job is over. */
  release(request: WorktreeRequest, workspace: Workspace): Promise<void>;
}
