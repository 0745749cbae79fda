import type { Clock, SemoError } from '@semo-office/core';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';

import { supabaseDoor, type DatabaseDoor } from './database/database-door.ts';
import { freshLines, linesOf, type OpenRealtimeLine } from './realtime/realtime-line.ts';
import { TokenKeeper } from './realtime/token-keeper.ts';
import type { Database } from './database/database.ts';
import type { SupabaseAccess } from './transport-options.ts';

/** A project as we use it. */
export interface ProjectAccess {
  readonly door: DatabaseDoor;
  readonly openLine: OpenRealtimeLine;
  /** Whether the socket's heartbeats can be heard. */
  readonly hearsHeartbeats: boolean;
  /** Lets go of what was made here. */
  close(): void;
}

type ProjectClient = SupabaseClient<Database>;

/** What access is made with. */
export interface AccessParts {
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** There is a new token: channels must be told. */
  readonly onFreshToken: () => void;
  readonly onProblem: (problem: SemoError) => void;
}

/** Access by a client, or by what one is made from. */
export function accessTo(access: SupabaseAccess, parts: AccessParts): ProjectAccess {
  const { clock, onProblem, onFreshToken: onFresh } = parts;
  if ('client' in access)
    return {
      door: supabaseDoor(access.client, { clock }),
      openLine: linesOf(access.client),
      hearsHeartbeats: false,
      close() {
        // It is not ours.
      },
    };
  const { accessToken: fetchToken } = access;
  const tokens = fetchToken === undefined ? null : new TokenKeeper({ clock, fetchToken, onFresh, onProblem });
  const newClient = (): ProjectClient => clientOf(access, tokens, parts.heartbeatMs);
  const { host } = new URL(access.url);
  return {
    door: supabaseDoor(newClient(), { clock, host, tokens }),
    openLine: freshLines(newClient),
    hearsHeartbeats: true,
    close: () => tokens?.close(),
  };
}

function clientOf(
  { url, key }: Extract<SupabaseAccess, { url: string }>,
  tokens: TokenKeeper | null,
  heartbeatMs: number,
): ProjectClient {
  let isMade = false;
  // While it is made, a client prints whatever goes wrong with its token; it asks again when it has something to do.
  const accessToken = async (): Promise<string | null> => (isMade ? tokens?.current() : tokens?.held) ?? null;
  const client = createClient<Database>(url, key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    ...(tokens === null ? {} : { accessToken }),
    realtime: { heartbeatIntervalMs: heartbeatMs, reconnectAfterMs },
  });
  isMade = true;
  return client;
}

/** When a socket that was lost is tried again: sooner or later by chance, so that not all hosts come at once. */
function reconnectAfterMs(tries: number): number {
  const base = Math.min(500 * 2 ** Math.min(tries - 1, 10), 10_000);
  return base / 2 + Math.random() * base;
}
