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
  const { clock } = parts;
  if ('client' in access)
    return {
      door: supabaseDoor(access.client, { clock }),
      openLine: linesOf(access.client),
      hearsHeartbeats: false,
      close() {
        // It is not ours.
      },
    };
  const keeper =
    access.accessToken === undefined
      ? null
      : new TokenKeeper({
          clock,
          fetchToken: access.accessToken,
          onFresh: parts.onFreshToken,
          onProblem: parts.onProblem,
        });
  const newClient = (): ProjectClient => clientOf(access, keeper, parts.heartbeatMs);
  return {
    door: supabaseDoor(newClient(), { clock }),
    openLine: freshLines(newClient),
    hearsHeartbeats: true,
    close: () => keeper?.close(),
  };
}

function clientOf(
  { url, key }: Extract<SupabaseAccess, { url: string }>,
  keeper: TokenKeeper | null,
  heartbeatMs: number,
): ProjectClient {
  return createClient<Database>(url, key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    ...(keeper === null ? {} : { accessToken: () => keeper.current() }),
    realtime: { heartbeatIntervalMs: heartbeatMs, reconnectAfterMs },
  });
}

/** When a socket that was lost is tried again: sooner or later by chance, so that not all hosts come at once. */
function reconnectAfterMs(tries: number): number {
  const base = Math.min(500 * 2 ** Math.min(tries - 1, 10), 10_000);
  return base / 2 + Math.random() * base;
}
