import type { Meter } from '@opentelemetry/api';

import type { Clock } from '../clock.ts';
import type { JobEvents } from '../job/job-events.ts';
import type { TurnUsage } from '../monitor/usage.ts';
import type { SessionEvents } from '../session/session-manager.ts';
import { endAttributes, seconds } from './attributes.ts';
import type { CrewBook } from './crew-book.ts';

/** Jobs take from seconds to days. */
const LONG = { advice: { explicitBucketBoundaries: [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400] } };
/** Turns and waits take from moments to hours. */
const SHORT = { advice: { explicitBucketBoundaries: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600] } };

/** Counts and times jobs, attempts, turns and what people are asked. */
export class JobMetrics {
  readonly #clock: Clock;
  readonly #book: CrewBook;
  readonly #instruments: ReturnType<typeof instruments>;
  /** What has been counted of the attempts of each job. */
  readonly #seen = new Map<string, Set<string>>();

  constructor(meter: Meter, { clock, book }: { readonly clock: Clock; readonly book: CrewBook }) {
    this.#clock = clock;
    this.#book = book;
    this.#instruments = instruments(meter);
  }

  submitted(): void {
    this.#instruments.submitted.add(1);
  }

  started({ job }: JobEvents['started']): void {
    const labels = this.#book.ofJob(job.jobId);
    this.#instruments.started.add(1, labels);
    if (job.attempts.length > 0) return;
    this.#instruments.queued.record(seconds(this.#clock.now() - job.submittedAt), labels);
  }

  attempt({ jobId, attempt }: JobEvents['attempt']): void {
    const labels = this.#book.ofJob(jobId);
    const { turnId, sessionId, startedAt, endedAt, outcome, error, reason, delivery } = attempt;
    if (sessionId !== '' && delivery === 'intent' && this.#isFirst(jobId, `${turnId} seated`))
      this.#instruments.sessionWait.record(seconds(this.#clock.now() - startedAt), labels);
    if (endedAt === null || outcome === null || !this.#isFirst(jobId, `${turnId} over`)) return;
    const told = { ...labels, ...endAttributes({ outcome, error }), 'semo.attempt.reason': reason };
    this.#instruments.attempt.record(seconds(endedAt - startedAt), told);
  }

  waiting({ jobId, wait }: JobEvents['waiting']): void {
    this.#instruments.waits.add(1, { ...this.#book.ofJob(jobId), 'semo.wait.for': wait.for });
  }

  ended({ jobId, result }: JobEvents['ended']): void {
    const told = { ...this.#book.ofJob(jobId), ...endAttributes(result) };
    this.#instruments.ended.add(1, told);
    this.#instruments.job.record(seconds(result.durationMs), told);
    this.#seen.delete(jobId);
  }

  left({ jobId }: JobEvents['left']): void {
    this.#seen.delete(jobId);
  }

  turn({ change, turn }: SessionEvents['turn']): void {
    if (turn.state.kind !== 'ended') return;
    const labels = this.#book.ofTurn(turn.turnId);
    if (change !== 'usage') {
      const told = { ...labels, ...endAttributes(turn.state) };
      this.#instruments.turn.record(seconds(turn.state.at - turn.acceptedAt), told);
    }
    // A turn tells it with its end or as a change of its own, never both.
    if (turn.usage === undefined) return;
    for (const [type, tokens] of tokenCounts(turn.usage))
      this.#instruments.tokens.add(tokens, { ...labels, 'semo.token.type': type });
    if (turn.usage.costUsd !== undefined) this.#instruments.cost.add(turn.usage.costUsd, labels);
  }

  request({ request: { kind, turnId } }: SessionEvents['request']): void {
    this.#instruments.requests.add(1, { ...this.#book.ofTurn(turnId), 'semo.request.kind': kind });
  }

  requestSettled({ request, state, at }: SessionEvents['request_settled']): void {
    const { kind, turnId, askedAt } = request;
    const told = { ...this.#book.ofTurn(turnId), 'semo.request.kind': kind, 'semo.request.end': state.kind };
    this.#instruments.requestWait.record(seconds(at - askedAt), told);
  }

  breaker({ name, state }: JobEvents['breaker']): void {
    this.#instruments.breakers.add(1, { 'semo.breaker.name': name, 'semo.breaker.state': state });
  }

  /** Whether this is news: an attempt is told several times. */
  #isFirst(jobId: string, news: string): boolean {
    const seen = this.#seen.get(jobId) ?? new Set();
    this.#seen.set(jobId, seen);
    const isFirst = !seen.has(news);
    seen.add(news);
    return isFirst;
  }
}

function instruments(meter: Meter) {
  const counter = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description });
  const long = (name: string, description: string) => meter.createHistogram(name, { unit: 's', description, ...LONG });
  const short = (name: string, description: string) =>
    meter.createHistogram(name, { unit: 's', description, ...SHORT });
  return {
    submitted: counter('semo.job.submitted', '{job}', 'Jobs put into the queue by this process'),
    started: counter('semo.job.started', '{job}', 'Jobs this process has begun to work on, or gone on with'),
    ended: counter('semo.job.ended', '{job}', 'Jobs that have ended, by how'),
    waits: counter('semo.job.waits', '{wait}', 'How often a job had to wait, by what for'),
    job: long('semo.job.duration', 'From the beginning of the work on a job to its end'),
    queued: short('semo.job.queue.duration', 'From the submission of a job to the beginning of the work on it'),
    attempt: long(
      'semo.attempt.duration',
      'From the beginning of an attempt, its wait for a session included, to its end',
    ),
    sessionWait: short('semo.session.wait.duration', 'How long an attempt waited for its session'),
    turn: short('semo.turn.duration', 'Response time: from the moment an agent took a prompt to the verdict'),
    tokens: counter('semo.turn.tokens', '{token}', 'Tokens, where the agent tells them'),
    cost: counter('semo.turn.cost', '{USD}', 'Cost at list price, where the agent tells it'),
    requests: counter('semo.request.asked', '{request}', 'What agents have asked of people'),
    requestWait: short('semo.request.wait.duration', 'How long a request waited for its answer or its end'),
    breakers: counter('semo.breaker.changes', '{change}', 'Changes of a circuit breaker, by the state it changed to'),
  };
}

function tokenCounts(usage: TurnUsage): readonly (readonly [string, number])[] {
  return [
    ['input', usage.inputTokens],
    ['output', usage.outputTokens],
    ['cache_read', usage.cacheReadTokens],
    ['cache_creation', usage.cacheCreationTokens],
  ];
}
