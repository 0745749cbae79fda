import type { MessagePort } from 'node:worker_threads';
import { SemoError, errorToWire } from '@semo-office/core';

import { StoreFile } from './file/store-file.ts';
import { storeError } from './file/unusable.ts';
import { jobOperations } from './job/job-operations.ts';
import { requestOperations } from './request/request-operations.ts';
import { sessionOperations } from './session/session-operations.ts';
import { turnOperations } from './session/turn-operations.ts';
import { OPENING, storeCallSchema, type StoreAnswer } from './store-message.ts';

/** All that can be asked of a store's file, by name. */
function storeOperations(file: StoreFile) {
  return {
    ...jobOperations(file),
    ...requestOperations(file),
    ...sessionOperations(file),
    ...turnOperations(file),
    close: (): void => {
      file.close();
    },
  };
}

/** See {@link storeOperations}. */
export type StoreOperations = ReturnType<typeof storeOperations>;

/**
 * Opens the file and answers calls, one after the other, until it is told to close. Whether the file could be opened is
 * its first answer.
 */
export function serveStore(path: string, port: MessagePort): void {
  const tell = (answer: StoreAnswer): void => port.postMessage(answer);
  const attempt = (id: number, action: () => unknown): void => {
    try {
      tell({ kind: 'done', id, result: action() });
    } catch (thrown) {
      tell({ kind: 'refused', id, error: errorToWire(storeError(path, thrown)) });
    }
  };
  attempt(OPENING, () => {
    const file = new StoreFile(path, (fault) => tell({ kind: 'fault', ...fault }));
    const operations = new Map(Object.entries(storeOperations(file)) as [string, (input: unknown) => unknown][]);
    port.on('message', (message: unknown) => {
      const { id, name, input } = storeCallSchema.parse(message);
      attempt(id, () => {
        const operation = operations.get(name);
        if (operation === undefined) throw new SemoError('internal', `A store has no operation ${name}.`);
        return operation(input);
      });
      if (name === 'close') port.close();
    });
  });
}
