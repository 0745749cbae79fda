import { join } from 'node:path';

import { withFileLock } from '../file-lock.ts';

/** Many may wait for one that removes a large folder. The lock of a host that died is taken over at once. */
const TIMEOUT_MS = 15 * 60_000;

/**
 * Lets one at a time change the worktrees and branches of a repository, over all hosts of this machine: git's own locks
 * make concurrent calls fail where waiting would do.
 *
 * @param commonFolder - See `commonGitFolder`.
 */
export function withRepositoryLock<Result>(commonFolder: string, action: () => Promise<Result>): Promise<Result> {
  return withFileLock(join(commonFolder, 'semo-worktrees.lock'), action, { timeoutMs: TIMEOUT_MS });
}
