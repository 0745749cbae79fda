import { fileURLToPath } from 'node:url';
import { newId } from '@semo-office/core';
import { startPostgres, type Caller, type LocalPostgres, type Row } from '@semo-office/testbed/supabase';
import { Pool } from 'pg';

const MIGRATIONS = fileURLToPath(new URL('../../supabase/migrations', import.meta.url));

/** Time stands still unless a test lets it pass: every time in these functions is `semo.now()`. */
const STILL_CLOCK = `
  create table semo.test_clock as select timestamptz '2026-01-01 00:00:00Z' as at;
  create or replace function semo.now() returns timestamptz language sql stable set search_path = '' as
    $$ select at from semo.test_clock $$;
`;

/** What older projects begin with: all that is made in `public` is everybody's, unless somebody says otherwise. */
const OPEN_BY_DEFAULT = ['tables', 'functions', 'sequences']
  .map((kind) => `alter default privileges in schema public grant all on ${kind} to anon, authenticated, service_role;`)
  .join('\n');

/** What functions are given as JSON; everything else goes as it is. */
const JSON_ARGUMENTS: ReadonlySet<string> = new Set(
  'agents info payload result error record state step turn spec change'.split(' ').map((name) => `p_${name}`),
);

export type Arguments = Readonly<Record<string, unknown>>;

/** A call of one of our functions as the API makes it, by name. */
export function callOf(name: string, args: Arguments): { readonly text: string; readonly values: unknown[] } {
  const names = Object.keys(args);
  const list = names.map((argument, index) => `${argument} => $${index + 1}`).join(', ');
  const values = names.map((argument) =>
    JSON_ARGUMENTS.has(argument) && args[argument] !== null ? JSON.stringify(args[argument]) : args[argument],
  );
  return { text: `select * from public.${name}(${list})`, values };
}

/** Somebody who calls our functions over the API. */
export interface Client {
  readonly caller: Caller;
  /** The rows that a function gives. Rejects with the server's error; its `hint` is our code. */
  rows(name: string, args?: Arguments): Promise<Row[]>;
  /** The first row. */
  row(name: string, args?: Arguments): Promise<Row>;
  /** What a function that gives a single value gives. */
  value(name: string, args?: Arguments): Promise<unknown>;
  select(text: string): Promise<Row[]>;
}

/** A host that has registered. */
export interface Host extends Client {
  readonly officeId: string;
  readonly hostId: string;
  readonly epoch: string;
  claim(more?: Arguments): Promise<Row[]>;
  complete(command: Row, result?: unknown): Promise<unknown>;
  fail(command: Row, error?: unknown): Promise<unknown>;
}

/** The code of our own with which a call was refused, else the server's; `null`: it was not. */
export async function hintOf(call: Promise<unknown>): Promise<string | null> {
  return call.then(
    () => null,
    (error: { readonly hint?: string; readonly code?: string }) => error.hint ?? error.code ?? 'unexpected',
  );
}

/** An office of its own, so that tests do not see each other. */
export interface Office {
  readonly officeId: string;
  /** The office's server, by the secret key. */
  readonly server: Client;
  /** Somebody with a token of this office. */
  readonly member: Client;
  /** The client of a host that has not registered. */
  hostClient(hostId: string): Client;
  register(hostId: string, more?: Arguments): Promise<Host>;
  enqueue(kind: string, more?: Arguments): Promise<Row>;
  /** Makes a session that is there, on the host that was chosen for it. */
  session(more?: Arguments): Promise<{ readonly sessionId: string; readonly hostId: string }>;
}

/** A database with our migrations in it, and with its time in our hands. */
export interface Stage extends AsyncDisposable {
  readonly postgres: LocalPostgres;
  office(): Office;
  client(caller: Caller, defaults?: Arguments): Client;
  /** Lets so much of the server's time pass. */
  pass(ms: number): Promise<void>;
}

export async function startStage(): Promise<Stage> {
  const postgres = await startPostgres();
  await postgres.sql(OPEN_BY_DEFAULT);
  await postgres.applyMigrations(MIGRATIONS);
  await postgres.sql(STILL_CLOCK);
  // As PostgREST logs in. Connections are kept, since there are many calls, and each says anew who calls.
  const pool = new Pool({ ...postgres.connection('authenticator'), max: 8 });
  // A pool has ended before its sockets have: what the server says to them as it stops is of no interest.
  pool.on('error', () => undefined);
  const client = (caller: Caller, defaults: Arguments = {}): Client => clientOf(pool, caller, defaults);
  return {
    postgres,
    client,
    office: () => officeOf(client),
    async pass(ms) {
      await postgres.sql(`update semo.test_clock set at = at + $1 * interval '1 millisecond'`, [ms]);
    },
    async [Symbol.asyncDispose]() {
      await pool.end();
      await postgres[Symbol.asyncDispose]();
    },
  };
}

/** The claims of a token for an office or one of its hosts. */
export const semoClaims = (semo: Arguments): Arguments => ({ app_metadata: { semo } });

function clientOf(pool: Pool, { role, claims }: Caller, defaults: Arguments): Client {
  const query = async (text: string, values?: unknown[]): Promise<Row[]> => {
    const connection = await pool.connect();
    try {
      await connection.query("select set_config('role', $1, false), set_config('request.jwt.claims', $2, false)", [
        role,
        JSON.stringify({ role, ...claims }),
      ]);
      return (await connection.query<Row>(text, values)).rows;
    } finally {
      connection.release();
    }
  };
  const rows: Client['rows'] = (name, args = {}) => {
    const { text, values } = callOf(name, { ...defaults, ...args });
    return query(text, values);
  };
  return {
    caller: { role, ...(claims === undefined ? {} : { claims }) },
    rows,
    row: async (name, args) => (await rows(name, args))[0] ?? {},
    value: async (name, args) => Object.values((await rows(name, args))[0] ?? {})[0],
    select: (text) => query(text),
  };
}

function officeOf(client: Stage['client']): Office {
  const officeId = newId('off');
  const office = { p_office_id: officeId };
  const server = client({ role: 'service_role' }, office);
  const member = client({ role: 'authenticated', claims: semoClaims({ role: 'office', office_id: officeId }) }, office);
  const hostClient = (hostId: string): Client =>
    client(
      { role: 'authenticated', claims: semoClaims({ role: 'host', office_id: officeId, host_id: hostId }) },
      { ...office, p_host_id: hostId },
    );
  const enqueue: Office['enqueue'] = (kind, more = {}) => {
    const { p_payload = {}, p_session_id: sessionId } = more;
    const payload = { kind, ...(sessionId === undefined ? {} : { sessionId }), ...(p_payload as object) };
    return server.row('semo_enqueue_command', {
      p_command_id: newId('cmd'),
      p_kind: kind,
      ...more,
      p_payload: payload,
    });
  };
  return {
    officeId,
    server,
    member,
    hostClient,
    enqueue,
    async register(hostId, more = {}) {
      const registering = hostClient(hostId);
      const { epoch } = await registering.row('semo_register_host', { p_protocol: 1, p_capacity: 10, ...more });
      return hostOf(client(registering.caller, { ...office, p_host_id: hostId, p_epoch: epoch }), {
        officeId,
        hostId,
        epoch: String(epoch),
      });
    },
    async session(more = {}) {
      const sessionId = newId('ses');
      const { host_id: hostId } = await enqueue('create_session', { p_session_id: sessionId, ...more });
      return { sessionId, hostId: String(hostId) };
    },
  };
}

function hostOf(client: Client, { officeId, hostId, epoch }: Pick<Host, 'officeId' | 'hostId' | 'epoch'>): Host {
  const lease = ({ command_id, lease_token }: Row): Arguments => ({
    p_command_id: command_id,
    p_lease_token: lease_token,
  });
  return {
    ...client,
    officeId,
    hostId,
    epoch,
    claim: (more) => client.rows('semo_claim_commands', more),
    complete: (command, result = null) => client.rows('semo_complete_command', { ...lease(command), p_result: result }),
    fail: (command, error = { code: 'internal' }) =>
      client.rows('semo_fail_command', { ...lease(command), p_error: error }),
  };
}
