import {
  createOffice,
  memoryJobStore,
  type AttemptRecord,
  type JobRecord,
  type JobStore,
  type Office,
  type OfficeOptions,
  type SessionManager,
} from '../../src/index.ts';
import { createScriptedSessions } from '../../testing/index.ts';
import { job } from './office-stage.ts';

/** A host that outlives its offices, and a store that they share. */
export interface RestartStage {
  readonly host: SessionManager;
  readonly jobs: JobStore;
  /** What agents were sent. */
  readonly told: readonly {
    readonly sessionId: string;
    readonly turnId: string | undefined;
    readonly prompt: string;
  }[];
  /** An office over the host; closing it leaves the host alone. `change`: what differs of its sessions. */
  office(options?: Partial<OfficeOptions>, change?: Partial<SessionManager>): Office;
}

/** Sets a stage without time or processes. */
export function restartStage(): RestartStage {
  const host = createScriptedSessions();
  const jobs = memoryJobStore();
  const told: { sessionId: string; turnId: string | undefined; prompt: string }[] = [];
  return {
    host,
    jobs,
    told,
    office(options = {}, change = {}) {
      const own: Partial<SessionManager> = {
        close: async () => undefined,
        sendPrompt: (sessionId, prompt, prompted) => {
          told.push({ sessionId, turnId: prompted?.turnId, prompt });
          return host.sendPrompt(sessionId, prompt, prompted);
        },
        ...change,
      };
      const sessions = new Proxy(host, {
        get(target, name): unknown {
          const value: unknown = Reflect.get(own, name) ?? Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      return createOffice({
        backoff: { firstMs: 1, longestMs: 2 },
        pollMs: 5,
        leaseMs: 600,
        jobs,
        ...options,
        sessions,
      });
    },
  };
}

/** Leaves a job as an office that was killed has left it: claimed for a moment, with these attempts. */
export async function leftJob(
  { jobs }: RestartStage,
  attempts: readonly Partial<AttemptRecord>[],
  more: Parameters<typeof job>[0] = {},
): Promise<JobRecord> {
  const owner = 'off_dead';
  const { jobId, fence } = await jobs.put({ ...job(more), jobId: 'job_1' }, { owner, leaseMs: 1 });
  const ref = { jobId, owner, fence };
  let record = await jobs.change(ref, { kind: 'started' });
  for (const [number, attempt] of attempts.entries())
    record = await jobs.change(ref, { kind: 'attempt', attempt: { ...ATTEMPT, number, ...attempt } });
  return record;
}

const ATTEMPT: AttemptRecord = {
  number: 0,
  reason: 'first',
  sessionId: 'ses_1',
  turnId: 'turn_1',
  delivery: 'intent',
  conversationId: null,
  startedAt: 0,
  endedAt: null,
  outcome: null,
  error: null,
};
