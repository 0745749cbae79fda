import type { Clock } from '../clock.ts';
import type { AgentService } from '../crew/agent-profile.ts';
import type { WorktreeService } from '../crew/job-service.ts';
import type { PoolManager } from '../pool/pool.ts';
import type { Backoff } from '../policy/backoff.ts';
import type { CircuitBreaker } from '../policy/circuit-breaker.ts';
import type { FailurePolicy } from '../policy/failure-policy.ts';
import type { HostBreakers } from '../policy/host-breakers.ts';
import type { SessionManager } from '../session/session-manager.ts';
import type { JobStore } from './job-store.ts';

/** What jobs are done with. */
export interface JobParts {
  readonly sessions: SessionManager;
  readonly pool: PoolManager;
  /** Whether the pool keeps the session of a job for the next one. */
  readonly reusesSessions: boolean;
  readonly jobs: JobStore;
  readonly agents: AgentService;
  readonly worktrees: WorktreeService | null;
  readonly policy: FailurePolicy;
  /** Stands before the model's provider, for the whole office. */
  readonly provider: CircuitBreaker;
  /** Stand before the hosts that run the sessions. */
  readonly hosts: HostBreakers;
  readonly backoff: Backoff;
  /** For how long a host that does not answer is waited for, beyond what each question to it takes; 0: not at all. */
  readonly hostPatienceMs: number;
  readonly clock: Clock;
}
