import { DatabaseError } from 'pg';
import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { lastingPool } from '../postgres/lasting-pool.ts';
import type { Caller, LocalPostgres } from '../postgres/local-postgres.ts';

/** What a caller may do on a private topic, by extension. */
export interface Permission {
  readonly broadcast: boolean;
  readonly presence: boolean;
}

const extensionRows = z.array(z.object({ extension: z.enum(['broadcast', 'presence']) }));
const insufficientPrivilege = '42501';

/**
 * Asks the policies on `realtime.messages`, in the way of the Realtime server: by rows that are never committed. Who may
 * select a row of a topic may hear it, who may insert one may send.
 */
export class ChannelPolicies implements AsyncDisposable {
  readonly #pool: Pool;

  constructor(postgres: LocalPostgres) {
    const connection = postgres.connection('supabase_realtime_admin');
    this.#pool = lastingPool({ ...connection, max: 5 });
  }

  /** @throws what the database says, when it cannot be reached or a policy is wrong. */
  async mayHear(topic: string, caller: Caller): Promise<Permission> {
    return this.#rolledBack(async (client) => {
      const inserted = await client.query<{ readonly id: string }>(
        `insert into realtime.messages (topic, extension) values ($1, 'broadcast'), ($1, 'presence') returning id`,
        [topic],
      );
      await setCaller(client, topic, caller);
      const { rows } = await client.query(
        'select extension from realtime.messages where topic = $1 and id = any ($2)',
        [topic, inserted.rows.map(({ id }) => id)],
      );
      const seen = new Set(extensionRows.parse(rows).map(({ extension }) => extension));
      return { broadcast: seen.has('broadcast'), presence: seen.has('presence') };
    });
  }

  /** @throws as `mayHear` does. */
  async maySend(topic: string, caller: Caller): Promise<Permission> {
    return this.#rolledBack(async (client) => {
      await setCaller(client, topic, caller);
      return {
        broadcast: await mayInsert(client, topic, 'broadcast'),
        presence: await mayInsert(client, topic, 'presence'),
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }

  async #rolledBack<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken = true;
    try {
      await client.query('begin');
      const result = await work(client);
      await client.query('rollback');
      broken = false;
      return result;
    } finally {
      // After an error the transaction ends with its connection.
      client.release(broken);
    }
  }
}

async function setCaller(client: PoolClient, topic: string, { role, claims }: Caller): Promise<void> {
  await client.query(
    `select set_config('role', $1, true), set_config('realtime.topic', $2, true),
       set_config('request.jwt.claims', $3, true), set_config('request.headers', '{}', true)`,
    [role, topic, JSON.stringify(claims ?? { role })],
  );
}

async function mayInsert(client: PoolClient, topic: string, extension: string): Promise<boolean> {
  await client.query('savepoint probe');
  try {
    // Nothing is returned: to see the row would need the right to hear.
    await client.query('insert into realtime.messages (topic, extension) values ($1, $2)', [topic, extension]);
    return true;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== insufficientPrivilege) throw error;
    await client.query('rollback to savepoint probe');
    return false;
  }
}
