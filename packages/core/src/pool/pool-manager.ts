import type { PoolManager, PoolOptions } from './pool.ts';
import { SessionPool } from './session-pool.ts';

export type * from './pool.ts';

/**
 * A pool over any {@link SessionManager}. It opens nothing before `initializeWarmPool` or the first `acquire`.
 *
 * @throws SemoError `invalid_argument`: an option is out of range.
 */
export function createPoolManager(options: PoolOptions): PoolManager {
  return new SessionPool(options);
}
