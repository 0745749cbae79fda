import { SemoError } from '@semo-office/core';

import type { AgentIo } from '../../agent-driver.ts';

/** A promise that only rejects, and the way to call it off. */
export interface Patience {
  readonly promise: Promise<never>;
  cancel(): void;
}

/** Waits for a prompt to be taken: rejects when time is up (`prompt_not_accepted`) or the session ends (`agent_crashed`). */
export function patienceWith(
  io: Pick<AgentIo, 'clock' | 'lastWords'>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Patience {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const cancelTimer = io.clock.schedule(timeoutMs, () => {
    const seen = io.lastWords();
    const sentence = `The agent did not take the prompt within ${timeoutMs} ms. Its terminal shows:\n${seen}`;
    reject(new SemoError('prompt_not_accepted', sentence));
  });
  const onAbort = () => {
    reject(new SemoError('agent_crashed', 'The agent ended before it had taken the prompt.'));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    promise,
    cancel: () => {
      cancelTimer();
      signal.removeEventListener('abort', onAbort);
    },
  };
}
