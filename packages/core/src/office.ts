import { systemClock } from './clock.ts';
import { WarmCrew, DEFAULT_WARM } from './crew/warm-crew.ts';
import { fixedCrew, type AgentProfile, type AgentService } from './crew/agent-profile.ts';
import { SemoError } from './errors.ts';
import { newId } from './ids.ts';
import { JobDesk } from './job/job-desk.ts';
import type { JobParts } from './job/job-parts.ts';
import { clearLeftSessions, ownerMark } from './job/left-sessions.ts';
import { memoryJobStore } from './job/memory-job-store.ts';
import { officeCalls } from './office-calls.ts';
import { checkOfficeOptions } from './office-options.ts';
import type { Office, OfficeOptions } from './office-port.ts';
import { DEFAULT_BACKOFF } from './policy/backoff.ts';
import { createCircuitBreaker } from './policy/circuit-breaker.ts';
import { DEFAULT_FAILURE_POLICY } from './policy/failure-policy.ts';
import { createHostBreakers } from './policy/host-breakers.ts';
import { openRequestDesk } from './policy/request-desk.ts';
import { createPoolManager } from './pool/pool-manager.ts';

/** How long a job is an office process's own before it must say that it still is. */
const LEASE_MS = 30_000;
/** How often an office looks for jobs that others have put. */
const POLL_MS = 1000;
const DEFAULT_MAX = 6;
/** A host may be started later than the office, or have to be started again. */
const HOST_PATIENCE_MS = 600_000;
/** Books that take longer are waited for by nobody. */
const REPORT_PATIENCE_MS = 10_000;
const KEEP_ENDED_MS = 7 * 24 * 3_600_000;

/**
 * An office over any sessions: it keeps some ready, takes jobs, gives them to agents, and sees each through to its end.
 *
 * @throws SemoError `invalid_argument`: an option that cannot be used.
 *
 * @example
 * ```ts
 * const office = createOffice({
 *   sessions: createPtySessionManager({ repositories: { app: '/srv/app' } }),
 *   agents: [{ agentId: 'FE', agent: { kind: 'claude-stream' }, workspace: { kind: 'git', repoId: 'app' } }],
 * });
 * const { outcome, text } = await office.executeJob({ agentId: 'FE', prompt: 'Add a health page and commit.' });
 * await office.close();
 * ```
 */
export function createOffice(options: OfficeOptions): Office {
  checkOfficeOptions(options);
  const { sessions, clock = systemClock } = options;
  const { officeId, processId, owner } = nameOf(options);
  const parts = partsOf(options, owner);
  const crew = new WarmCrew({
    agents: parts.agents,
    counts: options.warm ?? DEFAULT_WARM,
    pool: parts.pool,
    onFault: (error) => desk.fault(error),
  });
  const requests = options.requests === undefined ? null : openRequestDesk({ ...options.requests, sessions, clock });
  const desk = new JobDesk({
    parts: { ...parts, agents: crew },
    owner: processId,
    leaseMs: options.leaseMs ?? LEASE_MS,
    concurrency: options.concurrency ?? options.pool?.max ?? DEFAULT_MAX,
    pollMs: options.jobs === undefined ? null : (options.pollMs ?? POLL_MS),
    keepEndedMs: options.keepEndedMs ?? KEEP_ENDED_MS,
    service: options.jobService ?? null,
    reportPatienceMs: options.reportPatienceMs ?? REPORT_PATIENCE_MS,
    notifier: options.notifier ?? options.requests?.notifier ?? null,
    onFault: options.onFault,
  });
  const warm = crew.refresh().then(() => parts.pool.initializeWarmPool());
  const left = clearLeftSessions({ ...parts, officeId, owner, onFault: (error) => desk.fault(error) });
  let closing: Promise<void> | null = null;
  const letGo = async (running: 'cancel' | 'leave'): Promise<void> => {
    await desk.close(running);
    requests?.close();
    await left.close();
    await parts.pool.close();
    desk.fallSilent();
  };
  const close = (running: 'cancel' | 'leave'): Promise<void> => letGo(running).then(() => sessions.close());
  try {
    desk.open();
  } catch (thrown) {
    // Nobody holds this office: what it has begun would go on for ever. The sessions are still whose they were.
    requests?.close();
    letGo('leave').catch((error: unknown) => desk.fault(SemoError.from(error)));
    throw thrown;
  }
  return facadeOf({ parts, desk, warm, close: ({ running = 'cancel' } = {}) => (closing ??= close(running)) });
}

/** What users of an office hold. */
function facadeOf({
  parts,
  desk,
  warm,
  close,
}: Pick<Office, 'close'> & {
  readonly parts: JobParts;
  readonly desk: JobDesk;
  readonly warm: Promise<void>;
}): Office {
  return {
    sessions: parts.sessions,
    executeJob: async (job, call) => desk.execute(job, officeCalls.execute(call)),
    submitJob: (job) => desk.submit(job),
    waitForJob: async (jobId, wait) => desk.wait(jobId, officeCalls.wait(wait)),
    getJob: (jobId) => parts.jobs.get(jobId),
    listJobs: (filter) => parts.jobs.list(filter),
    cancelJob: (jobId) => desk.cancel(jobId),
    retryJob: (jobId) => desk.reopen(jobId, 'retry'),
    resumeJob: (jobId) => desk.reopen(jobId, 'resume'),
    ready: () => warm,
    status: async () => ({
      running: desk.running,
      pool: parts.pool.getPoolStatus(),
      breakers: [parts.provider, ...parts.hosts.all].map(({ name, state, retryAt }) => ({ name, state, retryAt })),
    }),
    on: (name, listener) => desk.on(officeCalls.event(name), officeCalls.listener(listener)),
    close: async (how) => close(officeCalls.close(how)),
  };
}

/** Who this process is: to the store, and to the host. */
function nameOf({ officeId }: OfficeOptions) {
  const processId = newId('off');
  return { officeId, processId, owner: ownerMark(officeId, processId) };
}

function partsOf(options: OfficeOptions, owner: string): JobParts {
  const { sessions, clock = systemClock, agents = [], policy, breakers = {} } = options;
  return {
    sessions,
    clock,
    pool: createPoolManager({ max: DEFAULT_MAX, ...options.pool, owner, sessions, clock }),
    reusesSessions: options.pool?.reuse === 'clear',
    jobs: options.jobs ?? memoryJobStore({ clock }),
    agents: isService(agents) ? agents : fixedCrew(agents),
    worktrees: options.worktrees ?? null,
    policy: {
      classes: { ...DEFAULT_FAILURE_POLICY.classes, ...policy?.classes },
      codes: { ...DEFAULT_FAILURE_POLICY.codes, ...policy?.codes },
    },
    provider: createCircuitBreaker({ ...breakers.provider, name: 'provider', clock }),
    hosts: createHostBreakers({ ...breakers.host, clock }),
    backoff: { ...DEFAULT_BACKOFF, ...options.backoff },
    hostPatienceMs: options.hostPatienceMs ?? HOST_PATIENCE_MS,
  };
}

function isService(agents: readonly AgentProfile[] | AgentService): agents is AgentService {
  return !Array.isArray(agents);
}
