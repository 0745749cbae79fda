import { systemClock, type Cancel, type Clock } from '../clock.ts';
import { SemoError, isSemoError } from '../errors.ts';
import type { Notifier, RequestNotice } from '../notifier.ts';
import { parseEdge } from '../parse-edge.ts';
import {
  humanAnswerSchema,
  type HumanAnswer,
  type OpenRequest,
  type ResolvedHumanAnswer,
} from '../session/human-request.ts';
import type { SessionEvents, SessionManager, Unsubscribe } from '../session/session-manager.ts';
import { openedNotice, settledNotice } from './request-notice.ts';
import { compileRules, type RequestRule, type RuleVerdict } from './request-rule.ts';

/** Settled requests that are still known, so that an event that comes twice tells nobody twice. */
const REMEMBERED = 1000;

/**
 * Decides a request in code: an answer, or `null` to leave it to people. One that throws has left it to people.
 * `signal` aborts when nobody waits for the answer any more.
 */
export type RequestPolicy = (
  request: OpenRequest,
  call: { readonly signal: AbortSignal },
) => HumanAnswer | null | Promise<HumanAnswer | null>;

/** Something at the desk went wrong. It fails no job. */
export interface RequestDeskFault {
  readonly kind: 'policy_failed' | 'policy_slow' | 'notifier_failed' | 'answer_failed' | 'list_failed';
  readonly requestId?: string | undefined;
  readonly message: string;
}

/** Who answers requests, in this order. */
export interface RequestAnswerers {
  /**
   * Whether a request is for these to answer. Offices that share a host each answer for their own sessions only.
   * Default: all of them are.
   */
  readonly concerns?: ((request: OpenRequest) => boolean) | undefined;
  /** Default none. */
  readonly rules?: readonly RequestRule[] | undefined;
  /** Default: leaves everything to people. */
  readonly policy?: RequestPolicy | undefined;
  /**
   * How long a policy may think before people are told all the same, in milliseconds. Its answer counts whenever it comes.
   * Default 60 000.
   */
  readonly policyPatienceMs?: number | undefined;
  /** Tells people of what is left to them. Default: nobody is told; they may still list and answer. */
  readonly notifier?: Notifier | undefined;
  /** Default: printed to the error console. */
  readonly onFault?: ((fault: RequestDeskFault) => void) | undefined;
}

/** Options of {@link openRequestDesk}. */
export interface RequestDeskOptions extends RequestAnswerers {
  readonly sessions: SessionManager;
  readonly clock?: Clock | undefined;
  /** How often it looks for requests whose event was missed, in milliseconds. Default 30 000. */
  readonly relistAfterMs?: number | undefined;
  /** How long telling people may take, in milliseconds. Default 30 000. */
  readonly notifyTimeoutMs?: number | undefined;
}

/** Answers what agents ask, as far as rules and policy go, and tells people of the rest. */
export interface RequestDesk {
  /** Looks now at everything that waits. */
  refresh(): Promise<void>;
  /** Stops; what waits goes on waiting. */
  close(): void;
}

/**
 * Opens the desk for all requests of a session manager: those to come and those that wait already.
 *
 * @throws SemoError `invalid_argument`: a rule that is none, or whose pattern cannot be used.
 * @example
 * ```ts
 * const desk = openRequestDesk({
 *   sessions,
 *   rules: [{ name: 'read', tool: 'Read', answer: { behavior: 'allow' } }],
 *   policy: ({ kind }) => (kind === 'question' ? null : { behavior: 'deny', message: 'Ask me tomorrow.' }),
 *   notifier: webhookNotifier({ url }),
 * });
 * ```
 */
export function openRequestDesk(options: RequestDeskOptions): RequestDesk {
  const desk = new Desk(options, compileRules(options.rules ?? []));
  desk.open();
  return desk;
}

/** A request at the desk, until it is settled. */
interface Visit {
  readonly request: OpenRequest;
  readonly over: AbortController;
  /** People know of it. */
  isTold: boolean;
}

const printFault = ({ kind, requestId, message }: RequestDeskFault): void => {
  // oxlint-disable-next-line no-console -- nobody else has asked to be told
  console.error(`${kind}${requestId === undefined ? '' : ` (${requestId})`}: ${message}`);
};

class Desk implements RequestDesk {
  readonly #options: RequestDeskOptions;
  readonly #byRules: (request: OpenRequest) => RuleVerdict | null;
  readonly #clock: Clock;
  readonly #visits = new Map<string, Visit>();
  readonly #settled = new Set<string>();
  readonly #closing = new AbortController();
  #stops: Unsubscribe[] = [];
  #cancelRelist: Cancel = () => undefined;

  constructor(options: RequestDeskOptions, byRules: (request: OpenRequest) => RuleVerdict | null) {
    this.#options = options;
    this.#byRules = byRules;
    this.#clock = options.clock ?? systemClock;
  }

  open(): void {
    const { sessions } = this.#options;
    // Events first: what is asked between the two is then seen at least once.
    this.#stops = [
      sessions.on('request', ({ request }) => this.#receive({ ...request, session: 'alive' })),
      sessions.on('request_settled', (event) => this.#onSettled(event)),
    ];
    void this.refresh();
  }

  async refresh(): Promise<void> {
    this.#cancelRelist();
    const before = new Set(this.#visits.keys());
    try {
      const open = await this.#options.sessions.listRequests();
      // What nobody can hear an answer to is nobody's work.
      for (const request of open) if (request.session !== 'gone') this.#receive(request);
      for (const { requestId } of open) before.delete(requestId);
      for (const requestId of before) this.#leave(requestId);
    } catch (thrown) {
      this.#fault('list_failed', thrown);
    }
    if (this.#closing.signal.aborted) return;
    this.#cancelRelist();
    this.#cancelRelist = this.#clock.schedule(this.#options.relistAfterMs ?? 30_000, () => void this.refresh());
  }

  close(): void {
    this.#closing.abort();
    this.#cancelRelist();
    for (const stop of this.#stops.splice(0)) stop();
    for (const requestId of this.#visits.keys()) this.#leave(requestId);
  }

  #receive(request: OpenRequest): void {
    const { requestId } = request;
    const { concerns = () => true } = this.#options;
    if (!concerns(request)) return;
    if (this.#closing.signal.aborted || this.#visits.has(requestId) || this.#settled.has(requestId)) return;
    const visit: Visit = { request, over: new AbortController(), isTold: false };
    this.#visits.set(requestId, visit);
    void this.#serve(visit);
  }

  async #serve(visit: Visit): Promise<void> {
    const { request, over } = visit;
    const verdict = this.#byRules(request);
    if (verdict !== null) return this.#answer(visit, verdict.answer, `rule ${verdict.rule}`);
    const decided = await this.#byPolicy(visit);
    if (over.signal.aborted) return;
    if (decided !== null) return this.#answer(visit, decided, 'policy');
    await this.#tellPeople(visit);
  }

  async #tellPeople(visit: Visit): Promise<void> {
    if (visit.isTold || this.#options.notifier === undefined) return;
    visit.isTold = true;
    await this.#notify(openedNotice(visit.request), visit.over.signal);
  }

  async #byPolicy(visit: Visit): Promise<ResolvedHumanAnswer | null> {
    const { request, over } = visit;
    const { policy, policyPatienceMs = 60_000 } = this.#options;
    if (policy === undefined) return null;
    const cancelPatience = this.#clock.schedule(policyPatienceMs, () => {
      if (over.signal.aborted) return;
      const sentence = `The policy has not decided within ${policyPatienceMs} ms.`;
      this.#fault('policy_slow', new SemoError('wait_timed_out', sentence), request.requestId);
      void this.#tellPeople(visit);
    });
    over.signal.addEventListener('abort', cancelPatience, { once: true });
    try {
      const answer = await policy(structuredClone(request), { signal: over.signal });
      return answer === null ? null : parseEdge(humanAnswerSchema, answer, { what: 'answer of the policy' });
    } catch (thrown) {
      // Whatever went wrong there, it is no leave.
      if (!over.signal.aborted) this.#fault('policy_failed', thrown, request.requestId);
      return null;
    } finally {
      cancelPatience();
    }
  }

  async #answer({ request: { requestId } }: Visit, answer: ResolvedHumanAnswer, by: string): Promise<void> {
    try {
      await this.#options.sessions.answerRequest(requestId, answer, { by });
    } catch (thrown) {
      // Somebody else was faster, or the agent no longer wants to know.
      if (isSemoError(thrown, 'request_unknown')) return;
      // It is tried again with the next look at what waits.
      this.#leave(requestId);
      if (!this.#closing.signal.aborted) this.#fault('answer_failed', thrown, requestId);
    }
  }

  #onSettled({ request, state }: SessionEvents['request_settled']): void {
    const visit = this.#visits.get(request.requestId);
    this.#leave(request.requestId);
    this.#remember(request.requestId);
    if (visit?.isTold === true) void this.#notify(settledNotice(request, state), this.#closing.signal);
  }

  #leave(requestId: string): void {
    this.#visits.get(requestId)?.over.abort();
    this.#visits.delete(requestId);
  }

  #remember(requestId: string): void {
    this.#settled.add(requestId);
    const oldest = this.#settled.values().next().value;
    if (this.#settled.size > REMEMBERED && oldest !== undefined) this.#settled.delete(oldest);
  }

  async #notify(notice: RequestNotice, until: AbortSignal): Promise<void> {
    const { notifier, notifyTimeoutMs = 30_000 } = this.#options;
    if (notifier === undefined) return;
    const late = Promise.withResolvers<never>();
    const limit = new AbortController();
    const cancelLimit = this.#clock.schedule(notifyTimeoutMs, () => {
      limit.abort();
      late.reject(new SemoError('wait_timed_out', `Telling people took longer than ${notifyTimeoutMs} ms.`));
    });
    try {
      await Promise.race([notifier.notify(notice, { signal: AbortSignal.any([until, limit.signal]) }), late.promise]);
    } catch (thrown) {
      if (!until.aborted) this.#fault('notifier_failed', thrown, notice.requestId);
    } finally {
      cancelLimit();
    }
  }

  #fault(kind: RequestDeskFault['kind'], thrown: unknown, requestId?: string): void {
    const { onFault = printFault } = this.#options;
    try {
      onFault({ kind, requestId, message: SemoError.from(thrown).message });
    } catch (again) {
      printFault({ kind, requestId, message: SemoError.from(again).message });
    }
  }
}
