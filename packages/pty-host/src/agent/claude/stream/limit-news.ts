import { statedPauseMs } from '../limit-reset.ts';

/** What the API tells an agent to wait for is told on as a reset, or by the pauses it makes. */
const TOO_MANY_REQUESTS = 429;

/** Keeps what is told of a limit while a turn runs, for the error it may end with. */
export class LimitNews {
  #resetsAt: number | undefined;
  #pauseMs: number | undefined;

  /** `resetsAt` in epoch seconds. News of a limit that is only near are none. */
  onEvent({ status, resetsAt }: { readonly status: string; readonly resetsAt?: number | undefined }): void {
    this.#resetsAt = status === 'rejected' && resetsAt !== undefined ? resetsAt * 1000 : undefined;
  }

  onRetry({
    attempt,
    delayMs,
    status,
  }: {
    readonly attempt: number;
    readonly delayMs: number;
    readonly status: number | null;
  }): void {
    this.#pauseMs = status === TOO_MANY_REQUESTS ? statedPauseMs({ attempt, delayMs }) : undefined;
  }

  /**
   * When the limit resets, epoch milliseconds, if the API has stated it. What its last refusal stated is not told on once
   * no repeat is left; the refusal before it asked for the same limit, so its pause counts from `at`, that last refusal.
   */
  resetsAt(at: number): number | undefined {
    return this.#resetsAt ?? (this.#pauseMs === undefined ? undefined : at + this.#pauseMs);
  }
}
