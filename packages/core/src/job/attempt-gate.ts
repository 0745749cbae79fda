import type { Cancel, Clock } from '../clock.ts';
import { SemoError, isSemoError } from '../errors.ts';
import type { TurnError } from '../monitor/evidence.ts';
import type { BreakerVerdict, CircuitBreaker } from '../policy/circuit-breaker.ts';
import type { HostBreakers } from '../policy/host-breakers.ts';
import { makeAttempt, type AttemptCall, type AttemptEnd, type AttemptOrder } from './attempt.ts';
import type { JobParts } from './job-parts.ts';

/** What a job waits for: a limit's reset or an overloaded provider, its host, or its turn after a failure. */
export interface JobWait {
  readonly for: 'provider' | 'host' | 'backoff';
  /** Epoch milliseconds, if known. */
  readonly untilAt: number | null;
}

/** A limit that names no moment: how long until it is tried again. */
const UNSTATED_LIMIT_MS = 60_000;
/** An agent that has worked for so long after a limit's reset has proven that it is over. */
const PROOF_MS = 15_000;

/**
 * Makes an attempt once both breakers let it through. While one is half open the first attempts go ahead and the others wait
 * for news of them: the end of their turn, or that it has gone well for a while.
 */
export async function throughBreakers(
  parts: JobParts,
  { order, call, onWait }: { order: AttemptOrder; call: AttemptCall; onWait: (wait: JobWait) => void },
): Promise<AttemptEnd> {
  const { provider, hosts, clock } = parts;
  // Which host a new session gets is for its manager to say, and not known before.
  const breaker = hosts.of(order.held?.hostId);
  const hosted = (onAccepted: () => void) =>
    whenClosed({ breaker, clock, signal: call.signal, onWait: (untilAt) => onWait({ for: 'host', untilAt }) }, () =>
      attemptOnHost(hosts, breaker, () => makeAttempt(parts, order, { ...call, onAccepted })),
    );
  return whenClosed(
    { breaker: provider, clock, signal: call.signal, onWait: (untilAt) => onWait({ for: 'provider', untilAt }) },
    () => provenAttempt(parts, hosted),
  );
}

/** What goes wrong counts for the host that it went wrong on, as soon as that is known; what goes well, also for all. */
async function attemptOnHost(
  hosts: HostBreakers,
  breaker: CircuitBreaker,
  attempt: () => Promise<AttemptEnd>,
): Promise<AttemptEnd> {
  const of = (end: AttemptEnd): CircuitBreaker => (end.session === null ? breaker : hosts.of(end.session.hostId));
  const end = await breaker.execute(attempt, (known) => {
    const said = saysOfHost(known);
    return said.kind === 'failure' && of(known) !== breaker ? { kind: 'neutral' } : said;
  });
  if (of(end) !== breaker) await tell(of(end), { end, says: saysOfHost });
  return end;
}

/** Counts what is known. The breaker opens by this, or is open already. */
async function tell(
  breaker: CircuitBreaker,
  { end, says }: { readonly end: AttemptEnd; readonly says: (end: AttemptEnd) => BreakerVerdict },
): Promise<void> {
  await breaker.execute(async () => end, says).catch(() => undefined);
}

/** Counts an attempt as soon as its agent has worked well for a while, and once more if it fails later on. */
async function provenAttempt(
  { provider, clock }: JobParts,
  attempt: (onAccepted: () => void) => Promise<AttemptEnd>,
): Promise<AttemptEnd> {
  let stopProof: Cancel = () => undefined;
  const made: { running?: Promise<AttemptEnd> } = {};
  const begin = (): Promise<AttemptEnd | 'proven'> => {
    const proven = Promise.withResolvers<'proven'>();
    // Waiting for a session proves nothing: only from now on the agent asks its model.
    const onAccepted = (): void => {
      stopProof = clock.schedule(PROOF_MS, () => proven.resolve('proven'));
    };
    made.running = attempt(onAccepted).finally(() => stopProof());
    return Promise.race([made.running, proven.promise]);
  };
  const news = await provider.execute(begin, (known) =>
    known === 'proven' ? { kind: 'success' } : saysOfProvider(known, clock),
  );
  if (news !== 'proven') return news;
  const end = await (made.running ?? attempt(() => undefined));
  await tell(provider, { end, says: (known) => saysOfProvider(known, clock) });
  return end;
}

interface Gate {
  readonly breaker: CircuitBreaker;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onWait: (untilAt: number) => void;
}

async function whenClosed<Result>(gate: Gate, attempt: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await attempt();
    } catch (thrown) {
      if (!isSemoError(thrown, 'circuit_open') || thrown.details['name'] !== gate.breaker.name) throw thrown;
      const retryAt = Number(thrown.details['retryAt']);
      gate.onWait(retryAt);
      await until(retryAt, gate);
    }
  }
}

function until(moment: number, { clock, signal }: Pick<Gate, 'clock' | 'signal'>): Promise<void> {
  return new Promise((resolve, reject) => {
    // A timer may be a trace early by the clock it is compared with.
    const cancel = clock.schedule(Math.max(1, moment - clock.now() + 1), () => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    });
    const giveUp = (): void => {
      cancel();
      reject(SemoError.from(signal.reason));
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
}

/** Only what tells something of the provider counts. */
function saysOfProvider({ outcome, error }: AttemptEnd, clock: Clock): BreakerVerdict {
  if (outcome === 'completed') return { kind: 'success' };
  if (error?.class === 'rate_limit') return { kind: 'failure', retryAt: limitEnd(error, clock.now()) };
  if (error?.class === 'overloaded' || error?.code === 'model_unreachable') return { kind: 'failure' };
  return { kind: 'neutral' };
}

/** When a limit ends: as it says, or some time from now. */
function limitEnd({ retryAt }: TurnError, now: number): number {
  return retryAt ?? now + UNSTATED_LIMIT_MS;
}

function saysOfHost({ turn, error }: AttemptEnd): BreakerVerdict {
  if (error?.class === 'host_lost' || error?.code === 'agent_start_failed') return { kind: 'failure' };
  return turn === null ? { kind: 'neutral' } : { kind: 'success' };
}
