import { remoteSessions, serveSessions, type SessionManager } from '@semo-office/core';
import { createScriptedSessions } from '@semo-office/core/testing';
import { createClient } from '@supabase/supabase-js';

import { createSupabaseTransport, type SupabaseHostLink, type SupabaseTransportOptions } from '../src/index.ts';
import { hostToken, TIMES, type OfficeOfProject, type Project } from './project.ts';

/** A line to the database that can be cut, for one client alone. */
export interface FragileLine {
  readonly fetch: typeof fetch;
  /** Nothing gets through any more; resolves when what was under way is over. */
  cut(): Promise<void>;
  mend(): void;
}

export function fragileLine(): FragileLine {
  let isCut = false;
  const underWay = new Set<Promise<unknown>>();
  return {
    async fetch(input, init) {
      if (isCut) throw new TypeError('The line is cut.');
      const asking = fetch(input, init);
      const over = asking.then(
        () => undefined,
        () => undefined,
      );
      underWay.add(over);
      const answer = await asking.finally(() => underWay.delete(over));
      return answer;
    },
    async cut() {
      isCut = true;
      await Promise.all(underWay);
    },
    mend() {
      isCut = false;
    },
  };
}

/** A host of scripted sessions whose line can be cut. */
export interface FragileHost extends FragileLine {
  readonly hostId: string;
  readonly link: SupabaseHostLink;
  /** Its own sessions, as they are, whatever the office thinks of them. */
  readonly local: SessionManager;
}

export async function fragileHost(
  { supabase }: Project,
  office: OfficeOfProject,
  {
    hostId,
    times = {},
    capacity = 10,
    local = createScriptedSessions(),
  }: { hostId: string; times?: SupabaseTransportOptions['times']; capacity?: number; local?: SessionManager },
): Promise<FragileHost> {
  const { officeId } = office;
  const line = fragileLine();
  const client = createClient(supabase.url, supabase.publishableKey, {
    accessToken: async () => hostToken(supabase, { officeId, hostId }),
    global: { fetch: line.fetch },
  });
  const transport = createSupabaseTransport({
    client,
    officeId,
    realtime: false,
    times: { ...TIMES, leaseMs: 60_000, ...times },
    onProblem: (problem) => office.problems.push(problem),
  });
  office.closing(() => transport.close());
  const link = await transport.host({ hostId, capacity });
  serveSessions(link, local);
  return { ...line, hostId, link, local };
}

/** Lets a host's lease run out, and has that noticed. */
export async function loseHost({ supabase }: Project, { officeId }: OfficeOfProject, hostId: string): Promise<void> {
  await supabase.sql('update session_hosts set lease_expires_at = semo.now() where office_id = $1 and host_id = $2', [
    officeId,
    hostId,
  ]);
  await supabase.sql('select semo_sweep($1, 1000, 3600000)', [officeId]);
}

/** Lets the time be over in which lost hosts may come back. */
export async function giveUpLost({ supabase }: Project, { officeId }: OfficeOfProject): Promise<void> {
  await supabase.sql('select semo_sweep($1, 1000, 0)', [officeId]);
}

/** The office's sessions, which ask seldom: whatever they learn in time they are told. */
export function calmSessions(office: OfficeOfProject): SessionManager {
  return remoteSessions(office.server.office(), { pollIntervalMs: 60_000, hostLostAfterMs: 60_000 });
}
