import { EventEmitter } from 'eventemitter3';

import type { Unsubscribe } from './session/session-manager.ts';

/** Options of {@link EventHub}. */
export interface EventHubOptions {
  /** Told what a listener threw. Default: it is printed to the error console. */
  readonly onListenerError?: ((thrown: unknown) => void) | undefined;
}

type Listener = (event: unknown) => void;

const printListenerError = (thrown: unknown): void => {
  // oxlint-disable-next-line no-console -- the last place left to tell of a bug in a caller's listener
  console.error('A listener of an event threw:', thrown);
};

/**
 * Typed events. A listener that throws never hurts the others nor whoever emits. Listeners are called in the order they
 * were added; one that is added while an event is being told hears of the next one.
 *
 * @example
 * ```ts
 * const hub = new EventHub<SessionEvents>();
 * const off = hub.on('exit', ({ code }) => console.log(code));
 * hub.emit('exit', { sessionId, code: 0, signal: null, at: Date.now() });
 * off();
 * ```
 */
export class EventHub<Events> {
  readonly #emitter = new EventEmitter();
  readonly #onListenerError: (thrown: unknown) => void;

  constructor({ onListenerError = printListenerError }: EventHubOptions = {}) {
    this.#onListenerError = onListenerError;
  }

  /** Calls `listener` with every event of that name from now on. */
  on<Name extends keyof Events & string>(name: Name, listener: (event: Events[Name]) => void): Unsubscribe {
    // A function of its own per subscription: the same listener added twice is two subscriptions, each taken back once.
    const guarded: Listener = (event) => {
      try {
        listener(event as Events[Name]);
      } catch (thrown) {
        this.#onListenerError(thrown);
      }
    };
    this.#emitter.on(name, guarded);
    return () => {
      this.#emitter.off(name, guarded);
    };
  }

  /** Tells every listener of that name, now. */
  emit<Name extends keyof Events & string>(name: Name, event: Events[Name]): void {
    this.#emitter.emit(name, event);
  }

  /** How many listeners an event has; without a name, all of them. */
  listenerCount(name?: keyof Events & string): number {
    const names = name === undefined ? this.#emitter.eventNames() : [name];
    return names.reduce((sum, each) => sum + this.#emitter.listenerCount(each), 0);
  }

  /** Takes all subscriptions back. */
  clear(): void {
    this.#emitter.removeAllListeners();
  }
}
