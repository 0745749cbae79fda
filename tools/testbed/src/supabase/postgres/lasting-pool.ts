import { Pool } from 'pg';
import type { PoolConfig } from 'pg';

/**
 * A pool that outlives the server's restarts: a connection that is cut fails what is asked over it, and nothing else. Without
 * listeners of their own, connections that are between two statements would end the process.
 */
export function lastingPool(config: PoolConfig): Pool {
  const pool = new Pool({ ...config, allowExitOnIdle: true });
  const ignore = (): void => undefined;
  return pool.on('error', ignore).on('connect', (client) => client.on('error', ignore));
}
