import type { SessionStore } from '@semo-office/core';

import type { StoreLink } from '../store-link.ts';

/** The sessions and turns of a store whose file is in another thread. */
export function sqliteSessionStore(link: StoreLink): SessionStore {
  return {
    putSession: (record) => link.call('putSession', { record }),
    getSession: (sessionId) => link.call('getSession', { sessionId }),
    listSessions: (filter = {}) => link.call('listSessions', filter),
    putTurn: (record) => link.call('putTurn', { record }),
    advanceTurn: (...[sessionId, turnId, step]) => link.call('advanceTurn', { sessionId, turnId, step }),
    forgetTurn: (sessionId, turnId) => link.call('forgetTurn', { sessionId, turnId }),
    getTurn: (sessionId, turnId) => link.call('getTurn', { sessionId, turnId }),
    listTurns: (filter = {}) => link.call('listTurns', filter),
    prune: (endedBefore) => link.call('pruneSessions', { endedBefore }),
  };
}
