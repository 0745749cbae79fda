import { fileURLToPath } from 'node:url';
import { newId, type SemoError } from '@semo-office/core';
import { startSupabase, type LocalSupabase } from '@semo-office/testbed/supabase';

import { createSupabaseTransport, type SupabaseTransport, type SupabaseTransportOptions } from '../src/index.ts';

const MIGRATIONS = fileURLToPath(new URL('../supabase/migrations', import.meta.url));

/** Pauses that suit a database on this machine. */
export const TIMES = {
  fastPollMs: 15,
  slowPollMs: 60,
  livePollMs: 2000,
  eventBatchMs: 5,
  outputBatchMs: 10,
  closeTimeoutMs: 200,
} as const;

/** For what happens soon, on a machine that has other things to do as well. */
export const PATIENCE = { timeout: 30_000 } as const;

type Settings = Omit<Partial<SupabaseTransportOptions>, 'client' | 'url' | 'key' | 'accessToken'>;

/** A local project with our migrations in it. */
export interface Project extends AsyncDisposable {
  readonly supabase: LocalSupabase;
  /** An office of its own, so that tests do not see each other. */
  office(settings?: Settings): OfficeOfProject;
}

/** One office's transports. */
export interface OfficeOfProject {
  readonly officeId: string;
  /** What went wrong in any of its transports. */
  readonly problems: SemoError[];
  /** With the secret key, as an office's server has it. */
  readonly server: SupabaseTransport;
  /** With the publishable key and a token, as a host has it. */
  hostSide(hostId: string, settings?: Settings): SupabaseTransport;
  /** Is done when the office is closed. */
  closing(work: () => Promise<void>): void;
  close(): Promise<void>;
}

export async function startProject(): Promise<Project> {
  const supabase = await startSupabase();
  await supabase.applyMigrations(MIGRATIONS);
  return {
    supabase,
    office: (settings = {}) => officeOf(supabase, settings),
    [Symbol.asyncDispose]: () => supabase[Symbol.asyncDispose](),
  };
}

function officeOf(supabase: LocalSupabase, shared: Settings): OfficeOfProject {
  const officeId = newId('off');
  const { url } = supabase;
  const problems: SemoError[] = [];
  const works: (() => Promise<void>)[] = [];
  const make = (
    access: { key: string; accessToken?: () => Promise<string> },
    settings: Settings,
  ): SupabaseTransport => {
    const times = { ...TIMES, ...shared.times, ...settings.times };
    const transport = createSupabaseTransport({
      url,
      officeId,
      onProblem: (problem) => problems.push(problem),
      ...shared,
      ...settings,
      ...access,
      times,
    });
    works.push(() => transport.close());
    return transport;
  };
  return {
    officeId,
    problems,
    server: make({ key: supabase.secretKey }, {}),
    hostSide: (hostId, settings = {}) =>
      make({ key: supabase.publishableKey, accessToken: () => hostToken(supabase, { officeId, hostId }) }, settings),
    closing(work) {
      works.push(work);
    },
    async close() {
      await Promise.all(works.map((work) => work()));
    },
  };
}

/** A token for that host. */
export function hostToken(
  supabase: LocalSupabase,
  { officeId, hostId }: { readonly officeId: string; readonly hostId: string },
): Promise<string> {
  const semo = { role: 'host', office_id: officeId, host_id: hostId };
  return supabase.jwt({ sub: crypto.randomUUID(), app_metadata: { semo } });
}
