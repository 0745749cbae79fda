import { SemoError, errorFromWire, assertNever } from '@semo-office/core';

import type { StoreFault } from './file/store-file.ts';
import { OPENING, storeAnswerSchema, type StoreCall } from './store-message.ts';
import type { StoreOperations } from './store-service.ts';

/** The other end of a store: the thread that has its file. */
export interface StoreThread {
  send(call: StoreCall): void;
  /** Whether waiting for it keeps the process alive. */
  holdProcess(hold: boolean): void;
  /** Resolves once it is gone. */
  stop(): Promise<void>;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: SemoError) => void;
}

/** Calls into the thread that has a store's file. */
export class StoreLink {
  readonly #thread: StoreThread;
  readonly #onFault: (fault: StoreFault) => void;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = OPENING;
  #over: SemoError | null = null;
  #closing: Promise<void> | null = null;

  constructor(thread: StoreThread, onFault: (fault: StoreFault) => void) {
    this.#thread = thread;
    this.#onFault = onFault;
  }

  /** Resolves once the file is open. @throws SemoError `store_unusable`. */
  async opened(): Promise<void> {
    try {
      await this.#answerTo(OPENING);
    } catch (thrown) {
      this.#over ??= SemoError.from(thrown);
      await this.#thread.stop();
      throw thrown;
    }
  }

  /** Has something done there. @throws SemoError, as the operation says; `closed`; `store_unusable`. */
  async call<Name extends keyof StoreOperations>(
    name: Name,
    ...[input]: Parameters<StoreOperations[Name]>
  ): Promise<ReturnType<StoreOperations[Name]>> {
    if (this.#over !== null) throw this.#over;
    this.#lastId += 1;
    const id = this.#lastId;
    try {
      this.#thread.send({ id, name, input });
    } catch (thrown) {
      // Functions, symbols and the like can go to no other thread, and are no data.
      throw new SemoError('invalid_argument', `${SemoError.from(thrown).message} Give plain data.`, { cause: thrown });
    }
    return (await this.#answerTo(id)) as ReturnType<StoreOperations[Name]>;
  }

  /** Takes what the thread has sent. */
  receive(message: unknown): void {
    const answer = storeAnswerSchema.parse(message);
    switch (answer.kind) {
      case 'done':
        this.#take(answer.id)?.resolve(answer.result);
        return;
      case 'refused':
        this.#take(answer.id)?.reject(errorFromWire(answer.error));
        return;
      case 'fault':
        this.#onFault({ place: answer.place, message: answer.message });
        return;
      default:
        assertNever(answer);
    }
  }

  /** Takes notice that the thread is gone; nothing is answered any more. */
  lost(error: SemoError): void {
    this.#over ??= error;
    for (const id of this.#waiting.keys()) this.#take(id)?.reject(this.#over);
  }

  /** Has everything done that was asked before, then closes the file. Twice is once. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#over === null) {
      const closing = this.call('close');
      this.#over = new SemoError('closed', 'The store is closed.');
      await closing;
    }
    await this.#thread.stop();
  }

  #answerTo(id: number): Promise<unknown> {
    this.#thread.holdProcess(true);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#thread.holdProcess(false);
    return waiting;
  }
}
