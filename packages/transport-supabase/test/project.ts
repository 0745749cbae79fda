import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { newId, type SemoError } from '@semo-office/core';
import { startSupabase, type LocalSupabase } from '@semo-office/testbed/supabase';
import { z } from 'zod';

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

const environmentSchema = z.object({
  SUPABASE_URL: z.url(),
  SUPABASE_SECRET_KEY: z.string(),
  SUPABASE_PUBLISHABLE_KEY: z.string(),
  SUPABASE_JWT_SECRET: z.string(),
});

/** Whether the tests run against a project that is there already. Nothing can be made to go wrong in it: such tests are skipped. */
export const isGiven = process.env['SUPABASE_URL'] !== undefined;

/** Where a project is, and whom it trusts. */
interface ProjectAddress {
  readonly url: string;
  readonly publishableKey: string;
  readonly secretKey: string;
  readonly jwtSecret: string;
}

/** A project with our migrations in it: a local one of its own, or the one that the environment names. */
export interface Project extends ProjectAddress, AsyncDisposable {
  /** @throws Error where the project is given. */
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
  if (isGiven) return givenProject();
  const supabase = await startSupabase();
  await supabase.applyMigrations(MIGRATIONS);
  const { url, publishableKey, secretKey, jwtSecret } = supabase;
  const address = { url, publishableKey, secretKey, jwtSecret };
  return {
    ...address,
    supabase,
    office: (settings = {}) => officeOf(address, settings),
    [Symbol.asyncDispose]: () => supabase[Symbol.asyncDispose](),
  };
}

function givenProject(): Project {
  const environment = environmentSchema.parse(process.env);
  const address = {
    url: environment.SUPABASE_URL,
    publishableKey: environment.SUPABASE_PUBLISHABLE_KEY,
    secretKey: environment.SUPABASE_SECRET_KEY,
    jwtSecret: environment.SUPABASE_JWT_SECRET,
  };
  return {
    ...address,
    get supabase(): never {
      throw new Error('This project is given: skip what makes things go wrong.');
    },
    office: (settings = {}) => officeOf(address, settings),
    async [Symbol.asyncDispose]() {
      // It is not ours.
    },
  };
}

function officeOf(project: ProjectAddress, shared: Settings): OfficeOfProject {
  const officeId = newId('off');
  const { url } = project;
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
    server: make({ key: project.secretKey }, {}),
    hostSide: (hostId, settings = {}) =>
      make(
        { key: project.publishableKey, accessToken: async () => hostToken(project, { officeId, hostId }) },
        settings,
      ),
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
  { jwtSecret }: Pick<ProjectAddress, 'jwtSecret'>,
  { officeId, hostId }: { readonly officeId: string; readonly hostId: string },
): string {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const semo = { role: 'host', office_id: officeId, host_id: hostId };
  const claims = { sub: crypto.randomUUID(), aud: 'authenticated', role: 'authenticated', exp, app_metadata: { semo } };
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${createHmac('sha256', jwtSecret).update(signed).digest('base64url')}`;
}
