import type { SemoError } from '@semo-office/core';

import type { DatabaseDoor } from './database-door.ts';

/** A door that can be closed: nobody waits at it any more, whatever the database does. */
export class ClosableDoor implements DatabaseDoor {
  readonly #door: DatabaseDoor;
  readonly #closed = new AbortController();

  constructor(door: DatabaseDoor) {
    this.#door = door;
  }

  /** Calls that are under way, and all later ones, fail with `why`. What was asked may be done all the same. */
  close(why: SemoError): void {
    this.#closed.abort(why);
  }

  call: DatabaseDoor['call'] = (name, args) => this.#untilClosed(() => this.#door.call(name, args));

  select: DatabaseDoor['select'] = (query) => this.#untilClosed(() => this.#door.select(query));

  #untilClosed<Value>(ask: () => Promise<Value>): Promise<Value> {
    const { signal } = this.#closed;
    return new Promise((resolve, reject) => {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it is the error that it was closed with
      const onClose = (): void => reject(signal.reason);
      if (signal.aborted) return onClose();
      signal.addEventListener('abort', onClose, { once: true });
      ask()
        .finally(() => signal.removeEventListener('abort', onClose))
        .then(resolve, reject);
    });
  }
}
