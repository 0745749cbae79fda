import { newId } from '../src/ids.ts';
import type { AttemptRecord, JobRecord } from '../src/job/job-record.ts';
import type { JobStore, LeaseRef } from '../src/job/job-store.ts';
import type { KeptJobSpec } from '../src/job/job.ts';
import type { JobResult } from '../src/job/run-line.ts';

/** A store that is ready to be tested. */
export interface OpenedJobStore {
  readonly store: JobStore;
  /** The same jobs through another object, as another office process would see them. Default: the store itself. */
  reopen?(): JobStore;
  /** Lets so much of the store's own time pass. */
  pass(ms: number): Promise<void> | void;
  close?(): Promise<void>;
}

/** What the parts of the suite are given: opens a store for a test. */
export type StartJobStore = () => Promise<{
  readonly store: JobStore;
  readonly again: () => JobStore;
  readonly pass: (ms: number) => Promise<void>;
}>;

/** How long the leases of the suite last. */
export const LEASE_MS = 10_000;

/** Who asks for jobs. */
export const lease = (owner = 'office_a'): { owner: string; leaseMs: number } => ({ owner, leaseMs: LEASE_MS });

/** A job for a member of the crew. */
export const jobSpec = (more: Partial<KeptJobSpec> = {}): KeptJobSpec & { readonly jobId: string } => ({
  jobId: newId('job'),
  prompt: 'Mach den Test grün. 한국어 🙂\n',
  agentId: 'ada',
  ...more,
});

/** A job that needs a session of its own. */
export function sessionJob(): KeptJobSpec {
  const workspace = { kind: 'path' as const, path: '/srv/한국어' };
  const session = { sessionId: newId('ses'), agent: { kind: 'claude-stream' as const }, workspace };
  return { jobId: newId('job'), prompt: 'Go.', session, context: { ticket: 'A-1' }, priority: 3, deadlineMs: 60_000 };
}

/** The lease under which a record is held. */
export function refOf({ jobId, lease: held }: JobRecord): LeaseRef {
  if (held === null) throw new Error(`Nobody holds ${jobId}.`);
  return { jobId, owner: held.owner, fence: held.fence };
}

/** An attempt that is under way. */
export const attempt = (number = 0, more: Partial<AttemptRecord> = {}): AttemptRecord => ({
  number,
  reason: number === 0 ? 'first' : 'crash',
  sessionId: newId('ses'),
  turnId: newId('turn'),
  delivery: 'intent',
  conversationId: null,
  startedAt: 5000,
  endedAt: null,
  outcome: null,
  error: null,
  ...more,
});

/** The same attempt, once it has crashed. */
export const crashed = (one: AttemptRecord): AttemptRecord => ({
  ...one,
  delivery: 'ended',
  conversationId: 'conv',
  endedAt: 6000,
  outcome: 'crashed',
  error: { code: 'agent_crashed', class: 'crash', message: 'It is gone.', retryable: true },
});

/** What a job came to. */
export const result = (more: Partial<JobResult> = {}): JobResult => ({
  outcome: 'completed',
  confidence: 'certain',
  text: 'Done. 🙂\n',
  milestones: [],
  evidence: [{ kind: 'agent_end', at: 7000, text: 'Done. 🙂\n', backgroundTasks: 0 }],
  attempts: [],
  sessionId: newId('ses'),
  conversationId: 'conv',
  workspace: { kind: 'path', path: '/work' },
  durationMs: 2000,
  error: null,
  ...more,
});
