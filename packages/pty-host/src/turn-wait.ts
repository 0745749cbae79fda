import { SemoError, type Clock, type TurnInfo } from '@semo-office/core';

import type { LiveTurn } from './live-turn.ts';

/** Waits for a turn's end. Giving up waiting leaves the turn as it is. */
export async function waitForTurn(
  turn: LiveTurn,
  {
    timeoutMs,
    signal,
    clock,
  }: { readonly timeoutMs?: number | undefined; readonly signal?: AbortSignal | undefined; readonly clock: Clock },
): Promise<TurnInfo> {
  if (turn.hasEnded) return turn.info();
  const givenUp = Promise.withResolvers<never>();
  const onAbort = () => {
    givenUp.reject(new SemoError('aborted', 'Waiting for the turn was given up. The turn goes on.'));
  };
  const cancelTimer =
    timeoutMs === undefined
      ? () => undefined
      : clock.schedule(timeoutMs, () => {
          givenUp.reject(
            new SemoError(
              'wait_timed_out',
              `The turn has not ended within ${timeoutMs} ms of waiting. It goes on; wait again or cancel it.`,
            ),
          );
        });
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    return await Promise.race([turn.ended, givenUp.promise]);
  } finally {
    cancelTimer();
    signal?.removeEventListener('abort', onAbort);
  }
}
