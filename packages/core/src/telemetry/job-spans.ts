import { SpanStatusCode, context, trace, type Attributes, type Span, type Tracer } from '@opentelemetry/api';

import type { Clock } from '../clock.ts';
import type { JobEvents } from '../job/job-events.ts';
import type { AttemptRecord } from '../job/job-record.ts';
import type { TurnError } from '../monitor/evidence.ts';
import type { SessionEvents } from '../session/session-manager.ts';
import type { TurnInfo } from '../session/turn.ts';
import { endAttributes, errorAttributes, shownName } from './attributes.ts';

interface OpenAttempt {
  readonly number: number;
  readonly turnId: string;
  readonly span: Span;
  turn: Span | null;
  /** The turn, once it has ended and while it is not known what it used: its span is kept open for that. */
  turnEnd: TurnInfo | null;
  isOver: boolean;
}

interface OpenJob {
  readonly span: Span;
  readonly attempts: Map<number, OpenAttempt>;
}

/** A span for each job, in it one for each attempt, in it one for the turn. */
export class JobSpans {
  readonly #tracer: Tracer;
  readonly #clock: Clock;
  readonly #jobs = new Map<string, OpenJob>();

  constructor(tracer: Tracer, clock: Clock) {
    this.#tracer = tracer;
    this.#clock = clock;
  }

  started({ job: { jobId, spec, priority, attempts } }: JobEvents['started']): void {
    // One that this process had left and has taken up again.
    this.#close(jobId);
    const agentId = spec.agentId ?? spec.session?.agentId;
    const attributes = {
      'semo.job.id': shownName(jobId),
      'semo.job.priority': priority,
      'semo.job.attempts_before': attempts.length,
      ...(agentId === undefined ? {} : { 'semo.agent.id': shownName(agentId) }),
    };
    const span = this.#begin('semo.job', attributes, { within: null, moment: this.#clock.now() });
    this.#jobs.set(jobId, { span, attempts: new Map() });
  }

  attempt({ jobId, attempt, role }: JobEvents['attempt']): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    const known = job.attempts.get(attempt.number) ?? this.#beginAttempt(job, { jobId, attempt, role });
    if (known.isOver) return;
    if (attempt.sessionId !== '') known.span.setAttribute('semo.session.id', shownName(attempt.sessionId));
    if (attempt.endedAt === null || attempt.outcome === null) return;
    // Its end may have been lost on the way.
    if (known.turnEnd === null) known.turn?.end(at(attempt.endedAt));
    else finishTurn(known, known.turnEnd);
    known.turn = null;
    known.isOver = true;
    finish(known.span, { ...attempt, outcome: attempt.outcome, at: attempt.endedAt });
  }

  waiting({ jobId, wait }: JobEvents['waiting']): void {
    const untilAt = wait.untilAt === null ? {} : { 'semo.wait.until': new Date(wait.untilAt).toISOString() };
    const told = { 'semo.wait.for': wait.for, ...untilAt };
    this.#jobs.get(jobId)?.span.addEvent('waiting', told, at(this.#clock.now()));
  }

  turn({ change, turn, at: moment }: SessionEvents['turn']): void {
    const attempt = this.#attemptOf(turn.turnId);
    if (attempt === null) return;
    // What it used is all that is still to come.
    if (attempt.turnEnd !== null) return finishTurn(attempt, turn);
    const attributes = { 'semo.turn.id': turn.turnId, 'semo.session.id': turn.sessionId };
    const place = { within: attempt.span, moment: turn.acceptedAt };
    const span = (attempt.turn ??= this.#begin('semo.turn', attributes, place));
    if (turn.state.kind !== 'ended') {
      if (change !== 'started' && change !== 'progress') span.addEvent(change, {}, at(moment));
      return;
    }
    if (turn.usageFollows === true) attempt.turnEnd = turn;
    else finishTurn(attempt, turn);
  }

  ended({ jobId, result }: JobEvents['ended']): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    const { outcome, error, attempts, usage } = result;
    job.span.setAttribute('semo.job.attempts', attempts.length);
    if (usage) job.span.setAttributes(usageAttributes(usage));
    finish(job.span, { outcome, error, at: this.#clock.now() });
    this.#close(jobId);
  }

  /** Its end is told elsewhere, or never. */
  left({ jobId }: JobEvents['left']): void {
    this.#jobs.get(jobId)?.span.setAttribute('semo.job.left', true);
    this.#close(jobId);
  }

  /** Ends what is open, as it is. */
  close(): void {
    for (const jobId of this.#jobs.keys()) this.#close(jobId);
  }

  #beginAttempt(job: OpenJob, { jobId, attempt, role }: JobEvents['attempt']): OpenAttempt {
    const { number, turnId, startedAt, reason } = attempt;
    if (role !== null) job.span.setAttribute('semo.role', shownName(role));
    const attributes = {
      'semo.job.id': shownName(jobId),
      'semo.attempt.number': number,
      'semo.attempt.reason': reason,
      'semo.turn.id': turnId,
      ...(role === null ? {} : { 'semo.role': shownName(role) }),
    };
    const span = this.#begin('semo.attempt', attributes, { within: job.span, moment: startedAt });
    const begun: OpenAttempt = { number, turnId, span, turn: null, turnEnd: null, isOver: false };
    job.attempts.set(number, begun);
    return begun;
  }

  #begin(
    name: 'semo.job' | 'semo.attempt' | 'semo.turn',
    attributes: Attributes,
    { within, moment }: { readonly within: Span | null; readonly moment: number },
  ): Span {
    const parent = within === null ? context.active() : trace.setSpan(context.active(), within);
    return this.#tracer.startSpan(name, { startTime: at(moment), attributes }, parent);
  }

  #attemptOf(turnId: string): OpenAttempt | null {
    for (const { attempts } of this.#jobs.values())
      for (const attempt of attempts.values()) if (attempt.turnId === turnId && !attempt.isOver) return attempt;
    return null;
  }

  #close(jobId: string): void {
    const job = this.#jobs.get(jobId);
    this.#jobs.delete(jobId);
    const now = at(this.#clock.now());
    for (const attempt of job?.attempts.values() ?? []) {
      if (attempt.turnEnd !== null) finishTurn(attempt, attempt.turnEnd);
      attempt.turn?.end(now);
      if (!attempt.isOver) attempt.span.end(now);
    }
    // Ending twice changes nothing, but is complained about.
    if (job?.span.isRecording() === true) job.span.end(now);
  }
}

type End = Pick<AttemptRecord, 'error'> & {
  readonly outcome: NonNullable<AttemptRecord['outcome']>;
  readonly at: number;
};

/** Ends the span of a turn with its verdict, and with what the turn is known to have used. */
function finishTurn(attempt: OpenAttempt, { state, usage }: TurnInfo): void {
  const { turn: span } = attempt;
  attempt.turn = null;
  attempt.turnEnd = null;
  if (span === null || state.kind !== 'ended') return;
  span.setAttributes({ 'semo.confidence': state.confidence, 'semo.decided_by': state.decidedBy });
  if (usage !== undefined) span.setAttributes(usageAttributes(usage));
  finish(span, state);
}

function finish(span: Span, { outcome, error, at: moment }: End): void {
  span.setAttributes(endAttributes({ outcome, error }));
  if (error !== null) recordError(span, error, moment);
  else if (outcome === 'completed') span.setStatus({ code: SpanStatusCode.OK });
  span.end(at(moment));
}

function recordError(span: Span, error: TurnError, moment: number): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.code });
  span.addEvent('error', { ...errorAttributes(error), 'semo.error.retryable': error.retryable }, at(moment));
}

function usageAttributes(usage: NonNullable<SessionEvents['turn']['turn']['usage']>): Attributes {
  const { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens, costUsd } = usage;
  return {
    'semo.tokens.input': inputTokens,
    'semo.tokens.output': outputTokens,
    'semo.tokens.cache_read': cacheReadTokens,
    'semo.tokens.cache_creation': cacheCreationTokens,
    ...(costUsd === undefined ? {} : { 'semo.cost.usd': costUsd }),
  };
}

/** A moment in the one form that is never taken for anything else: small numbers count from the process's start. */
function at(moment: number): Date {
  return new Date(moment);
}
