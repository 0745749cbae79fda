import { SemoError, type Cancel, type Clock, type CommandResult } from '@semo-office/core';

interface PendingAnswer {
  readonly settle: (run: () => void) => void;
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: SemoError) => void;
}

/** For how long an answer is waited for, and what is done when that was not long enough. */
export interface AnswerWait {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** Why it took too long. */
  readonly onTimeout: () => Promise<SemoError>;
}

/** Commands whose answers somebody waits for, by id. Several may wait for one. */
export class PendingAnswers {
  readonly #clock: Clock;
  readonly #waits = new Map<string, Set<PendingAnswer>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get ids(): readonly string[] {
    return [...this.#waits.keys()];
  }

  get isEmpty(): boolean {
    return this.#waits.size === 0;
  }

  has(commandId: string): boolean {
    return this.#waits.has(commandId);
  }

  /** Resolves with the answer. @throws SemoError `aborted`, or what `onTimeout` gives. */
  add(commandId: string, { signal, timeoutMs, onTimeout }: AnswerWait): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      let cancel: Cancel = () => {};
      const settle: PendingAnswer['settle'] = (run) => {
        cancel();
        signal?.removeEventListener('abort', onAbort);
        this.#forget(commandId, pending);
        run();
      };
      const onAbort = (): void => settle(() => reject(givenUp(signal, 'after')));
      const pending: PendingAnswer = { settle, resolve, reject };
      if (signal?.aborted === true) return reject(givenUp(signal, 'before'));
      signal?.addEventListener('abort', onAbort, { once: true });
      const waits = this.#waits.get(commandId) ?? new Set();
      this.#waits.set(commandId, waits.add(pending));
      cancel = this.#clock.schedule(timeoutMs, () => {
        onTimeout().then(
          (error) => settle(() => reject(error)),
          (thrown: unknown) => settle(() => reject(SemoError.from(thrown))),
        );
      });
    });
  }

  answer(commandId: string, result: CommandResult): void {
    for (const pending of this.#waits.get(commandId) ?? []) pending.settle(() => pending.resolve(result));
  }

  fail(commandId: string, error: SemoError): void {
    for (const pending of this.#waits.get(commandId) ?? []) pending.settle(() => pending.reject(error));
  }

  failAll(error: SemoError): void {
    for (const commandId of this.ids) this.fail(commandId, error);
  }

  #forget(commandId: string, pending: PendingAnswer): void {
    const waits = this.#waits.get(commandId);
    waits?.delete(pending);
    if (waits?.size === 0) this.#waits.delete(commandId);
  }
}

/** The error of a call that its signal gave up, before or after it was asked for. */
export function givenUp(signal: AbortSignal | undefined, when: 'before' | 'after'): SemoError {
  const outcome = { before: ' before it was asked for. Nothing is done.', after: '. It may still be carried out.' };
  return new SemoError('aborted', `The command was given up${outcome[when]}`, { cause: signal?.reason });
}
