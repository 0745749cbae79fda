import { SemoError, isSemoError } from '@semo-office/core';

import type { DatabaseDoor } from '../database/database-door.ts';

/** The door as a store uses it: a database that does not answer is a store that cannot be used now, not a lost host. */
export function asStore(door: DatabaseDoor): DatabaseDoor {
  const translated = async <Value>(call: Promise<Value>): Promise<Value> => {
    try {
      return await call;
    } catch (thrown) {
      if (!isSemoError(thrown, 'host_lost')) throw thrown;
      throw new SemoError('store_unusable', thrown.message, { retryable: true, cause: thrown });
    }
  };
  return {
    call: (name, args) => translated(door.call(name, args)),
    select: (query) => translated(door.select(query)),
  };
}
