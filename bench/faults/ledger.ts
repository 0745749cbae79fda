import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'pg';

/** What a host's handler writes down, in the same server as the transport's tables and apart from them. */
export const LEDGER_SQL = `
  create schema ledger;
  -- What was to be done, once for each command.
  create table ledger.effects (command_id text primary key, session_id text not null);
  -- What the effects have come to: one that counted twice would show here.
  create table ledger.sums (session_id text primary key, effects integer not null);
  -- Every carrying-out, repeated ones too, in the order in which they happened.
  create table ledger.carryings (
    id bigserial primary key, command_id text not null, step text not null, process integer not null,
    at timestamptz not null default clock_timestamp()
  );
  create index on ledger.carryings (command_id);
`;

const BEGIN = `insert into ledger.carryings (command_id, step, process) values ($1, 'begun', $2)`;

const FINISH = `
  with effect as (
    insert into ledger.effects (command_id, session_id) values ($1, $3) on conflict do nothing returning session_id
  ), counted as (
    insert into ledger.sums as s (session_id, effects) select session_id, 1 from effect
    on conflict (session_id) do update set effects = s.effects + 1
  )
  insert into ledger.carryings (command_id, step, process) values ($1, 'ended', $2)`;

const RETRY_MS = 50;

/** Writes to the ledger over a connection of its own, and again until it is written: the server may be on its way up. */
export class Ledger {
  readonly #pool: Pool;

  constructor(url: string) {
    this.#pool = new Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 5000 });
    // A restart cuts idle connections; the pool opens new ones.
    this.#pool.on('error', () => undefined);
  }

  begin(commandId: string): Promise<unknown> {
    return this.#query(BEGIN, [commandId, process.pid]);
  }

  /** Has the effect, once however often it is asked for. */
  finish(commandId: string, sessionId: string): Promise<unknown> {
    return this.#query(FINISH, [commandId, process.pid, sessionId]);
  }

  async hasBegun(commandId: string): Promise<boolean> {
    return (await this.#query('select from ledger.carryings where command_id = $1 limit 1', [commandId])) > 0;
  }

  async isDone(commandId: string): Promise<boolean> {
    return (await this.#query('select from ledger.effects where command_id = $1', [commandId])) > 0;
  }

  /** Gives how many rows there were. */
  async #query(text: string, values: readonly unknown[]): Promise<number> {
    for (;;) {
      try {
        return (await this.#pool.query(text, [...values])).rowCount ?? 0;
      } catch {
        await pause(RETRY_MS);
      }
    }
  }
}
