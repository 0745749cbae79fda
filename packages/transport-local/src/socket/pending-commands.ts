import { SemoError } from '@semo-office/core';
import type { CommandResult } from '@semo-office/core';

interface PendingCommand {
  resolve(result: CommandResult): void;
  reject(error: SemoError): void;
}

/** Commands that were sent and not yet answered, by the number they were sent with. */
export class PendingCommands {
  readonly #pending = new Map<number, PendingCommand>();
  #lastSeq = 0;

  /** Waits for the answer to what `send` sends. */
  add(send: (seq: number) => void, signal: AbortSignal | undefined): Promise<CommandResult> {
    this.#lastSeq += 1;
    const seq = this.#lastSeq;
    return new Promise((resolve, reject) => {
      const forget = (): void => {
        this.#pending.delete(seq);
        signal?.removeEventListener('abort', onAbort);
      };
      const settle = {
        resolve: (result: CommandResult) => {
          forget();
          resolve(result);
        },
        reject: (error: SemoError) => {
          forget();
          reject(error);
        },
      };
      const onAbort = (): void =>
        settle.reject(
          new SemoError('aborted', 'The command was given up. It may still be carried out.', { cause: signal?.reason }),
        );
      if (signal?.aborted === true) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(seq, settle);
      try {
        send(seq);
      } catch (thrown) {
        settle.reject(SemoError.from(thrown));
      }
    });
  }

  /** The answer with that number came; one that nobody waits for any more is passed over. */
  answer(seq: number, result: CommandResult): void {
    this.#pending.get(seq)?.resolve(result);
  }

  failAll(error: SemoError): void {
    for (const pending of this.#pending.values()) pending.reject(error);
  }
}
