import type { Cancel, Clock } from '../clock.ts';
import { SemoError, isSemoError } from '../errors.ts';
import type { CallOptions, Unsubscribe } from '../session/session-manager.ts';
import type { TurnInfo } from '../session/turn.ts';
import { abortedError } from './command-sender.ts';
import { isLossNoticed, type LinkStatus } from './transport.ts';

/** What {@link waitForTurnEnd} needs to follow one turn. */
export interface TurnWatch {
  readonly turnId: string;
  readonly clock: Clock;
  readonly hostLostAfterMs: number;
  readonly pollIntervalMs: number;
  readonly wait: { readonly timeoutMs?: number | undefined } & CallOptions;
  /** Asks the host once. */
  readonly ask: (signal: AbortSignal) => Promise<TurnInfo | null>;
  /** Tells every change of this turn. */
  readonly onTurn: (listener: (turn: TurnInfo) => void) => Unsubscribe;
  /** Tells that something is the matter with the session: then it is asked at once. */
  readonly onTrouble: (listener: () => void) => Unsubscribe;
  readonly onStatus: (listener: (status: LinkStatus) => void) => Unsubscribe;
}

/** Resolves with the turn once it has ended: by its event, or because the host says so when asked. */
export function waitForTurnEnd(watch: TurnWatch): Promise<TurnInfo> {
  return new Promise((resolve, reject) => {
    new TurnWait(watch, { resolve, reject }).begin();
  });
}

interface Settlers {
  readonly resolve: (turn: TurnInfo) => void;
  readonly reject: (error: SemoError) => void;
}

class TurnWait {
  readonly #watch: TurnWatch;
  readonly #settlers: Settlers;
  readonly #stops: (() => void)[] = [];
  readonly #given = new AbortController();
  #isAsking = false;
  #cancelPoll: Cancel | null = null;
  /** Runs while a question is unanswered or the line is down: whichever began first. */
  #cancelLost: Cancel | null = null;

  constructor(watch: TurnWatch, settlers: Settlers) {
    this.#watch = watch;
    this.#settlers = settlers;
  }

  begin(): void {
    const { wait, clock, onTurn, onTrouble, onStatus } = this.#watch;
    const { signal, timeoutMs } = wait;
    if (signal?.aborted === true) {
      this.#fail(abortedError(signal));
      return;
    }
    if (signal !== undefined) {
      const onAbort = (): void => this.#fail(abortedError(signal));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#stops.push(() => signal.removeEventListener('abort', onAbort));
    }
    if (timeoutMs !== undefined)
      this.#stops.push(clock.schedule(timeoutMs, () => this.#fail(waitTimedOut(this.#watch.turnId, timeoutMs))));
    // Events first, the question second: an end between the two is then seen at least once.
    this.#stops.push(
      onTurn((turn) => this.#see(turn)),
      onTrouble(() => this.#ask()),
      onStatus((status) => this.#seeLine(status)),
    );
    this.#ask();
  }

  #see(turn: TurnInfo): void {
    if (turn.state.kind === 'ended') this.#settle(() => this.#settlers.resolve(turn));
  }

  #seeLine(status: LinkStatus): void {
    if (status === 'connected') this.#ask();
    else if (status === 'disconnected') this.#startLost();
    else this.#fail(new SemoError('closed', 'The line to the host was closed while a turn was waited for.'));
  }

  #ask(): void {
    if (this.#isAsking || this.#given.signal.aborted) return;
    this.#isAsking = true;
    this.#cancelPoll?.();
    this.#startLost();
    this.#watch.ask(this.#given.signal).then(
      (turn) => this.#answered(turn),
      (thrown: unknown) => this.#refused(SemoError.from(thrown)),
    );
  }

  #answered(turn: TurnInfo | null): void {
    this.#stopLost();
    if (turn === null) this.#fail(turnUnknown(this.#watch.turnId));
    else this.#see(turn);
    this.#askLater();
  }

  #refused(error: SemoError): void {
    // Only a host that may be back in a moment is asked again; one that answers with an error has answered.
    if (!isSemoError(error, 'host_lost') || isLossNoticed(error)) this.#fail(error);
    this.#askLater();
  }

  #askLater(): void {
    this.#isAsking = false;
    if (this.#given.signal.aborted) return;
    this.#cancelPoll = this.#watch.clock.schedule(this.#watch.pollIntervalMs, () => this.#ask());
  }

  #startLost(): void {
    const { clock, hostLostAfterMs } = this.#watch;
    this.#cancelLost ??= clock.schedule(hostLostAfterMs, () =>
      this.#fail(
        new SemoError(
          'host_lost',
          `The host has not answered for ${hostLostAfterMs} ms; how the turn went on is not known.`,
        ),
      ),
    );
  }

  #stopLost(): void {
    this.#cancelLost?.();
    this.#cancelLost = null;
  }

  #fail(error: SemoError): void {
    this.#settle(() => this.#settlers.reject(error));
  }

  #settle(run: () => void): void {
    if (this.#given.signal.aborted) return;
    this.#given.abort();
    this.#cancelPoll?.();
    this.#stopLost();
    for (const stop of this.#stops.splice(0)) stop();
    run();
  }
}

/** The error of a wait that took too long. */
function waitTimedOut(turnId: string, timeoutMs: number): SemoError {
  return new SemoError(
    'wait_timed_out',
    `Turn ${turnId} did not end within ${timeoutMs} ms. It goes on; wait again or cancel it.`,
  );
}

/** The error of a question after a turn nobody knows. */
function turnUnknown(turnId: string): SemoError {
  return new SemoError('turn_unknown', `There is no turn ${turnId} in this session.`);
}
