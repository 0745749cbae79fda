import pRetry from 'p-retry';

import { SemoError } from '../errors.ts';
import type { TurnError } from '../monitor/evidence.ts';
import { nextStep, type NextStep } from '../policy/failure-policy.ts';
import type { SessionUse } from '../pool/pool.ts';
import type { SessionInfo } from '../session/session.ts';
import type { WorkspaceInfo } from '../session/workspace.ts';
import { throughBreakers, type JobWait } from './attempt-gate.ts';
import { afterFailure, firstOrder, formerFailures, isWorthWaiting } from './attempt-order.ts';
import { isOutOfSight } from './out-of-sight.ts';
import { verdictOf } from './attempt-verdict.ts';
import type { AttemptEnd, AttemptOrder } from './attempt.ts';
import type { JobParts } from './job-parts.ts';
import type { JobPlan } from './job-plan.ts';
import { findJobPlace, type JobPlace } from './job-place.ts';
import type { AttemptRecord, JobChange, JobRecord } from './job-record.ts';
import { takeUpAttempt, type RecoveryCall } from './job-recovery.ts';
import { jobResult } from './job-result.ts';
import { endsWorkspace, giveBack } from './job-session.ts';
import type { JobResult } from './run-line.ts';

/** How often an attempt is begun anew in one go because its prompt was never sent. */
const MAX_UNSENT = 1;

/** What a job's run tells and asks while it goes on. */
export interface JobRunCall {
  /** Aborted with the SemoError that says why: `turn_cancelled`, `deadline_passed`, `lease_lost`, `closed`. */
  readonly signal: AbortSignal;
  /** When it must have ended, by this process's clock, in epoch milliseconds; `null`: no such moment. */
  readonly deadlineAt: number | null;
  /** Writes about the job, under its lease. */
  readonly write: (change: JobChange) => Promise<JobRecord>;
  /** Told of each session of the job as soon as its id is known. */
  readonly onSession: (sessionId: string) => void;
  readonly onAttempt: (attempt: AttemptRecord, role: string | null) => void;
  readonly onWait: (wait: JobWait) => void;
  /** Told of its end as soon as that is written down. */
  readonly onEnded: (result: JobResult) => void;
  /** Told of a worktree that was kept when its session was gone, and why. */
  readonly onKept: (kept: { readonly path: string; readonly reason: string }) => void;
  /** Told of what went wrong beside the job, and does not change its end. */
  readonly onFault: (error: SemoError) => void;
}

/** Makes p-retry go on: there is to be another attempt. */
class AnotherAttempt extends Error {
  readonly step: NextStep;

  constructor(step: NextStep) {
    super('There is to be another attempt.');
    this.step = step;
  }
}

/** One job from its claim to its end: attempts, one after the other, as the failure policy says. */
export class JobRun {
  readonly #parts: JobParts;
  readonly #call: JobRunCall;
  readonly #startedAt: number;
  readonly #failures: TurnError[] = [];
  #record: JobRecord;
  #plan: JobPlan | null = null;
  #order: AttemptOrder | null = null;
  #end: AttemptEnd | null = null;
  /** Where its last session worked; with what was kept of it, once that is known. */
  #workspace: WorkspaceInfo | null = null;

  constructor(parts: JobParts, record: JobRecord, call: JobRunCall) {
    this.#parts = parts;
    this.#call = call;
    this.#record = record;
    this.#startedAt = parts.clock.now();
  }

  /**
   * Does the job. How it ended is kept and resolved with.
   * @throws SemoError `lease_lost`: it is another office's by now; nothing is written about its end.
   */
  async run(): Promise<JobResult> {
    let place: JobPlace | null = null;
    let error: SemoError | null = null;
    try {
      place = await this.#findPlace();
      this.#record = await this.#call.write({ kind: 'started' });
      await this.#attempts(place);
    } catch (thrown) {
      // Why it was ended is judged at its end, together with how far it had come.
      const { signal } = this.#call;
      error = SemoError.from(signal.aborted ? signal.reason : thrown);
    }
    try {
      if (error?.code === 'lease_lost') throw error;
      return await this.#finish(error);
    } finally {
      await this.#letGo(error);
      // Whoever has the job now is in it.
      if (place !== null && error?.code !== 'lease_lost') await this.#leave(place);
    }
  }

  /** The office's own services may take their time: who has no more of it does not wait for them. */
  async #findPlace(): Promise<JobPlace> {
    const { signal } = this.#call;
    // What an office before this one has left running must be found to be ended.
    const mustBeFound = this.#record.attempts.at(-1)?.endedAt === null;
    const patience = mustBeFound ? undefined : signal;
    const finding = findJobPlace(this.#parts, this.#record.spec, { signal: patience, onWait: this.#call.onWait });
    if (mustBeFound) return finding;
    const gaveUp = Promise.withResolvers<never>();
    const giveUp = (): void => gaveUp.reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      return await Promise.race([finding, gaveUp.promise]);
    } catch (thrown) {
      if (signal.aborted)
        finding.then(
          (place) => this.#leave(place),
          () => undefined,
        );
      throw thrown;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  async #leave(place: JobPlace): Promise<void> {
    await place.leave().catch((thrown: unknown) => this.#call.onFault(SemoError.from(thrown)));
  }

  async #attempts({ plan }: JobPlace): Promise<void> {
    this.#plan = plan;
    this.#failures.push(...formerFailures(this.#record));
    const taken = await takeUpAttempt(this.#parts, { record: this.#record, plan }, this.#attemptCall());
    if (taken === null) this.#order = firstOrder(this.#record, plan);
    else if (taken.kind === 'unsent') this.#order = taken.order;
    else this.#end = taken.end;
    const { firstMs, longestMs } = this.#parts.backoff;
    await pRetry(() => this.#attemptOnce(), {
      // How often is the policy's affair.
      retries: Number.POSITIVE_INFINITY,
      minTimeout: firstMs,
      maxTimeout: longestMs,
      randomize: true,
      signal: this.#call.signal,
      shouldRetry: ({ error }) => error instanceof AnotherAttempt,
      shouldConsumeRetry: ({ error }) => error instanceof AnotherAttempt && isDelayed(error.step),
      onFailedAttempt: ({ error }) => {
        if (error instanceof AnotherAttempt && isDelayed(error.step))
          this.#call.onWait({ for: 'backoff', untilAt: null });
      },
    });
  }

  async #attemptOnce(): Promise<void> {
    if (this.#order !== null) this.#end = await this.#attempt(this.#order);
    const end = this.#end;
    const plan = this.#plan;
    this.#workspace = end?.workspace ?? this.#workspace;
    if (plan === null || end === null || end.error === null || this.#call.signal.aborted) return;
    const step = nextStep(this.#parts.policy, end.error, this.#failures);
    if (step.kind === 'end' || !isWorthWaiting(end.error, this.#call.deadlineAt)) return;
    this.#failures.push(end.error);
    await this.#log(end.attempt);
    const held = await this.#holdOrRelease(end, step);
    this.#order = afterFailure({ record: this.#record, plan, end, step, held });
    throw new AnotherAttempt(step);
  }

  /** Makes an attempt. What is lost from sight meanwhile is looked for as soon as its host answers, before it is judged. */
  async #attempt(order: AttemptOrder): Promise<AttemptEnd> {
    const call = this.#attemptCall();
    let end = await throughBreakers(this.#parts, { order, call, onWait: call.onWait });
    // Who does not wait for a host does not ask it either.
    if (this.#parts.hostPatienceMs === 0) return end;
    for (let unsent = 0; isOutOfSight(end, order) && !call.signal.aborted && unsent < MAX_UNSENT;) {
      const taken = await takeUpAttempt(this.#parts, { record: this.#record, plan: order.plan }, call);
      if (taken === null) break;
      if (taken.kind === 'unsent') unsent += 1;
      end =
        taken.kind === 'ended'
          ? taken.end
          : await throughBreakers(this.#parts, { order: taken.order, call, onWait: call.onWait });
    }
    return end;
  }

  /** A session goes on with the next attempt if it is fit for it, and if that comes at once. */
  async #holdOrRelease({ session, error }: AttemptEnd, step: NextStep): Promise<SessionInfo | null> {
    if (session === null) return null;
    const isSeen = error?.class !== 'host_lost';
    const isFit = isSeen && step.kind === 'again' && (session.status === 'ready' || session.status === 'executing');
    if (isFit) return session;
    this.#end = this.#end && { ...this.#end, session: null };
    const code = this.#end?.error?.code ?? 'unknown';
    await this.#release(session, { kind: 'spent', reason: `The attempt before it ended as ${code}.` });
    return null;
  }

  async #finish(error: SemoError | null): Promise<JobResult> {
    const { signal } = this.#call;
    if (this.#end !== null) await this.#log(this.#end.attempt);
    // Aborted too late, it has completed all the same; while it waited, what it waited for is not how it ended.
    const reason = signal.aborted && this.#end?.outcome === 'completed' ? null : error;
    const endedAt = this.#parts.clock.now();
    const inHand = this.#inHand(error);
    if (inHand !== null && endsWorkspace(this.#parts, inHand.session, inHand.use)) await this.#letGo(error);
    const result = jobResult({
      record: this.#record,
      end: this.#end,
      verdict: reason === null ? null : verdictOf(reason),
      workspace: this.#workspace,
      startedAt: this.#startedAt,
      endedAt,
    });
    await this.#call.write({ kind: 'ended', result });
    this.#call.onEnded(result);
    return result;
  }

  /** The session that is still in hand goes back to the pool, or is left to the office that has the job now. */
  async #letGo(error: SemoError | null): Promise<void> {
    const inHand = this.#inHand(error);
    if (inHand === null) return;
    this.#end = this.#end && { ...this.#end, session: null };
    this.#order = this.#order && { ...this.#order, held: null };
    await this.#release(inHand.session, inHand.use);
  }

  /** The session it still has, and in what condition that is. */
  #inHand(error: SemoError | null): { readonly session: SessionInfo; readonly use: SessionUse } | null {
    const session = this.#end?.session ?? this.#order?.held ?? null;
    if (session === null) return null;
    // Its own next start clears up what a lost host has; who does not wait for it cannot.
    const isGivenUp = this.#end?.error?.class === 'host_lost' && this.#parts.hostPatienceMs === 0;
    if (error?.code === 'lease_lost' || isGivenUp) return { session, use: { kind: 'abandoned' } };
    const isSound = this.#end?.outcome === 'completed' || this.#end?.outcome === 'failed';
    return { session, use: isSound ? { kind: 'reusable' } : { kind: 'spent', reason: 'Its job did not end well.' } };
  }

  async #release(session: SessionInfo, use: SessionUse): Promise<void> {
    // What is lost from sight may never be known to be gone, and what is another's is not to be gone.
    if (use.kind === 'abandoned' || this.#end?.error?.class === 'host_lost')
      return this.#parts.pool.release(session.sessionId, use);
    const workspace = await giveBack(this.#parts, session, use);
    if (workspace === null) return;
    this.#workspace = workspace;
    const { path, kept } = workspace;
    if (kept) this.#call.onKept({ path, reason: kept.reason });
  }

  async #log(attempt: AttemptRecord): Promise<void> {
    this.#record = await this.#call.write({ kind: 'attempt', attempt });
    this.#call.onAttempt(attempt, this.#plan?.role ?? null);
  }

  #attemptCall(): RecoveryCall {
    const { signal, onSession, onWait } = this.#call;
    return { signal, onSession, onWait, log: (attempt) => this.#log(attempt) };
  }
}

/** Whether the next attempt comes only after a while. */
function isDelayed({ kind }: NextStep): boolean {
  return kind === 'backoff' || kind === 'queue';
}
