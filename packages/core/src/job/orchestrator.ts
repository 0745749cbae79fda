import type { Clock } from '../clock.ts';
import { SemoError, assertNever } from '../errors.ts';
import { newId } from '../ids.ts';
import { turnError } from '../monitor/verdict.ts';
import { parseEdge } from '../parse-edge.ts';
import { checkPrompt } from '../session/prompt.ts';
import type { SessionManager } from '../session/session-manager.ts';
import type { SessionInfo } from '../session/session.ts';
import type { Outcome, TurnInfo } from '../session/turn.ts';
import { followSession } from './job-lines.ts';
import { jobSpecSchema, type JobSpec } from './job.ts';
import type { JobResult, RunLine } from './run-line.ts';

/** The job is over by then: an agent that does not leave when asked has nothing left to finish. */
const JOB_GRACE_MS = 2000;

/** How a job is to be watched and stopped. */
export interface ExecuteOptions {
  /** Cancels the job: its turn ends as `cancelled`, its session is terminated. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of everything while it happens; `result` comes last. */
  readonly onLine?: ((line: RunLine) => void) | undefined;
}

/**
 * Runs one job from beginning to end: session, prompt, turn, result. Nothing of the session is left afterwards.
 *
 * @throws SemoError `invalid_argument`, `invalid_prompt`, `prompt_too_long`: the job could not even begin. Everything
 * later is an outcome of the result.
 */
export async function executeJob({
  sessions,
  clock,
  job,
  options = {},
}: {
  readonly sessions: SessionManager;
  readonly clock: Clock;
  readonly job: JobSpec;
  readonly options?: ExecuteOptions;
}): Promise<JobResult> {
  const { prompt, session: wanted, options: promptOptions } = parseEdge(jobSpecSchema, job, { what: 'job' });
  checkPrompt(prompt);
  const sessionId = wanted.sessionId ?? newId('ses');
  const startedAt = clock.now();
  const unfollow = followSession(sessions, sessionId, (line) => options.onLine?.(line));
  const cancel = () => {
    sessions.cancel(sessionId).catch(() => undefined);
  };
  try {
    const run = await runTurn({ sessions, spec: { ...wanted, sessionId }, prompt, promptOptions, options, cancel });
    // A host that is lost would only be waited for once more; its own next start clears up.
    if (run.error?.code !== 'host_lost')
      await sessions.terminate(sessionId, { graceMs: JOB_GRACE_MS }).catch(() => undefined);
    const result = toResult({ ...run, sessionId, startedAt, endedAt: clock.now() });
    options.onLine?.({ type: 'result', at: clock.now(), ...result });
    return result;
  } finally {
    options.signal?.removeEventListener('abort', cancel);
    unfollow();
  }
}

/** How far a job's one turn came. */
interface Run {
  readonly session: SessionInfo | null;
  readonly turn: TurnInfo | null;
  readonly error: SemoError | null;
}

async function runTurn({
  sessions,
  spec,
  prompt,
  promptOptions,
  options,
  cancel,
}: {
  readonly sessions: SessionManager;
  readonly spec: Parameters<SessionManager['create']>[0];
  readonly prompt: string;
  readonly promptOptions: JobSpec['options'];
  readonly options: ExecuteOptions;
  readonly cancel: () => void;
}): Promise<Run> {
  const { signal } = options;
  let session: SessionInfo | null = null;
  try {
    session = await sessions.create(spec, { signal });
    const sending = sessions.sendPrompt(spec.sessionId, prompt, promptOptions);
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) cancel();
    const accepted = await sending;
    const turn = await sessions.waitForTurn(spec.sessionId, accepted.turnId);
    // Only now it is known which conversation it is. Without that the job has its result all the same.
    session = (await sessions.get(spec.sessionId).catch(() => null)) ?? session;
    return { session, turn, error: null };
  } catch (thrown) {
    return { session, turn: null, error: SemoError.from(thrown) };
  }
}

function toResult({
  session,
  turn,
  error,
  sessionId,
  startedAt,
  endedAt,
}: Run & { sessionId: string; startedAt: number; endedAt: number }): JobResult {
  const verdict =
    turn?.state.kind === 'ended'
      ? turn.state
      : verdictOf(error ?? new SemoError('internal', 'The turn has no verdict.'));
  const attempt = {
    sessionId,
    turnId: turn?.turnId ?? null,
    outcome: verdict.outcome,
    startedAt,
    endedAt,
    error: verdict.error,
  };
  return {
    outcome: verdict.outcome,
    confidence: verdict.confidence,
    text: turn?.text ?? '',
    milestones: turn?.milestones ?? [],
    evidence: turn?.evidence ?? [],
    attempts: [attempt],
    sessionId,
    conversationId: session?.agent.conversationId ?? null,
    workspace: session?.workspace ?? null,
    durationMs: endedAt - startedAt,
    error: verdict.error,
  };
}

/** The verdict on a job whose turn never began or was lost from sight. */
function verdictOf(error: SemoError) {
  const confidence = 'certain' as const;
  return {
    outcome: outcomeOf(error),
    confidence,
    error: { ...turnError(error.code, error.message, error), class: error.class, retryable: error.retryable },
  };
}

function outcomeOf({ class: errorClass, code }: SemoError): Outcome {
  if (code === 'delivery_unknown') return 'unknown';
  switch (errorClass) {
    case 'crash':
      return 'crashed';
    case 'timeout':
      return 'timed_out';
    case 'cancelled':
      return 'cancelled';
    case 'host_lost':
      return 'unknown';
    case 'not_found':
    case 'permission':
    case 'rate_limit':
    case 'overloaded':
    case 'auth':
    case 'invalid_request':
    case 'capacity':
    case 'unknown':
      return 'failed';
    default:
      return assertNever(errorClass);
  }
}
