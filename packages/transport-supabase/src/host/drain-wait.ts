import { SemoError, type Cancel, type Clock, type Unsubscribe } from '@semo-office/core';

/** What a draining host is waited for. */
export interface DrainWait {
  /**
   * `turns`: no session has a turn at work, or a prompt that waits. `sessions`: none is left, which is so once an office's pool has
   * ended those that it kept ready, and jobs have given back theirs. Default `turns`.
   */
  readonly for?: 'turns' | 'sessions' | undefined;
  /** In milliseconds. Default: as long as it takes. */
  readonly timeoutMs?: number | undefined;
  /** Gives up waiting; the host goes on draining. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link untilDrained} looks at. */
export interface DrainView {
  readonly clock: Clock;
  /** Those that still have something to do. */
  readonly left: () => readonly string[];
  readonly onChange: (listener: () => void) => Unsubscribe;
  /** Aborts when the host is no more, with an error that says why. */
  readonly over: AbortSignal;
}

/**
 * Resolves when nothing is left. @throws SemoError `wait_timed_out` (its details name the sessions that are `left`), `aborted`, and
 * what `over` was aborted with.
 */
export function untilDrained(
  { clock, left, onChange, over }: DrainView,
  { timeoutMs, signal }: DrainWait,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stops: (Cancel | Unsubscribe)[] = [];
    const settle = (run: () => void): void => {
      for (const stop of stops.splice(0)) stop();
      run();
    };
    const look = (): void => {
      if (left().length === 0) settle(resolve);
    };
    const onAbort = (): void => settle(() => reject(givenUp(signal)));
    const onOver = (): void => settle(() => reject(SemoError.from(over.reason)));
    if (signal?.aborted === true) return reject(givenUp(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    over.addEventListener('abort', onOver, { once: true });
    stops.push(() => signal?.removeEventListener('abort', onAbort), onChange(look));
    stops.push(() => over.removeEventListener('abort', onOver));
    if (timeoutMs !== undefined)
      stops.push(clock.schedule(timeoutMs, () => settle(() => reject(tooLong(timeoutMs, left())))));
    look();
  });
}

function givenUp(signal: AbortSignal | undefined): SemoError {
  return new SemoError('aborted', 'The wait was given up. The host goes on draining.', { cause: signal?.reason });
}

function tooLong(timeoutMs: number, left: readonly string[]): SemoError {
  return new SemoError(
    'wait_timed_out',
    `The host had not drained after ${timeoutMs} ms. Wait again, or close it: what is at work is cut off then.`,
    { details: { left: [...left] } },
  );
}
