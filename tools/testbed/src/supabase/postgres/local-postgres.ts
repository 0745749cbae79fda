import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Pool, QueryResult } from 'pg';
import { newServerPlace, startSql, superuser } from './data-template.ts';
import { freePort } from './free-port.ts';
import { lastingPool } from './lasting-pool.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import { serverAccount } from './server-account.ts';
import { ServerProcess } from './server-process.ts';
import type { ServerPlace } from './server-process.ts';

/** Who can log in. `postgres` applies migrations and is no superuser; `supabase_admin` is one. */
export type LoginRole = 'postgres' | 'authenticator' | 'supabase_admin' | 'supabase_realtime_admin';

/** What node-postgres connects with. */
export interface ConnectionParameters {
  readonly host: string;
  readonly port: number;
  readonly user: LoginRole;
  readonly password: string;
  readonly database: 'postgres';
}

/** A row, with node-postgres' idea of its values. */
export type Row = Record<string, unknown>;

const migrationName = /^(\d+)_.*\.sql$/;

const migrationsTable = `
  create schema if not exists supabase_migrations;
  create table if not exists supabase_migrations.schema_migrations (version text primary key);
`;

/** For whom a request is made: what PostgREST tells the database before it runs one. */
export interface Caller {
  readonly role: 'anon' | 'authenticated' | 'service_role';
  /** What `auth.jwt()` gives, the role included. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A PostgreSQL server with the roles and schemas of a Supabase project, on 127.0.0.1. */
export interface LocalPostgres extends AsyncDisposable {
  /** The same over restarts. */
  readonly port: number;
  /** Default role: `postgres`. */
  connection(role?: LoginRole): ConnectionParameters;
  /** The same as a URL, for programs that take one. */
  url(role?: LoginRole): string;
  /**
   * Runs a statement as `postgres`. Without parameters it may be several, and the rows are the last one's.
   * @example await postgres.sql('select * from auth.users where id = $1', [id])
   */
  sql(text: string, params?: readonly unknown[]): Promise<Row[]>;
  /**
   * Runs a statement in a transaction of its own, as PostgREST runs a request: with the caller's role and claims.
   * @example await postgres.sqlAs({ role: 'authenticated', claims: { sub } }, 'select auth.uid()')
   */
  sqlAs(caller: Caller, text: string, params?: readonly unknown[]): Promise<Row[]>;
  /**
   * Applies the files `<digits>_<name>.sql` of a folder that are not applied yet, in the order of their names and as
   * `postgres`, as `supabase db push` does. Each is a transaction.
   * @throws Error with the file's name and what the server says.
   */
  applyMigrations(folder: string): Promise<void>;
  /**
   * Makes the partitions of `realtime.messages` for the days around today and drops older ones, as the Realtime server does daily.
   * @param inDays As it will be in so many days. Default: 0.
   */
  maintainPartitions(inDays?: number): Promise<void>;
  /** Cuts every connection and starts again, with the same port and data. */
  restart(): Promise<void>;
  /** Stops the server in its tracks: connections stay open, and nothing answers until `resume`. */
  pause(): void;
  resume(): void;
}

/**
 * Starts a PostgreSQL server of its own in a temporary folder. The server and the folder go when it is disposed, and also
 * when this process is killed.
 * @throws Error when no server is installed for this platform, or it does not start.
 * @example await using postgres = await startPostgres();
 */
export async function startPostgres(): Promise<LocalPostgres> {
  const place = await newServerPlace(postgresBinaries(), await serverAccount());
  const { server, port } = await startOnFreePort(place);
  const local = new PostgresServer(place, port, server);
  try {
    await local.prepare();
    return local;
  } catch (error) {
    await local[Symbol.asyncDispose]();
    throw error;
  }
}

/** Somebody else may take the port between our look and the server's. */
async function startOnFreePort(place: ServerPlace): Promise<{ readonly server: ServerProcess; readonly port: number }> {
  for (let triesLeft = 4; ; triesLeft -= 1) {
    const port = await freePort();
    try {
      return { server: await ServerProcess.start(place, port), port };
    } catch (error) {
      if (triesLeft > 0) continue;
      await rm(place.folder, { recursive: true, force: true });
      throw error;
    }
  }
}

class PostgresServer implements LocalPostgres {
  readonly port: number;
  readonly #place: ServerPlace;
  readonly #password = randomBytes(16).toString('hex');
  readonly #pool: Pool;
  #server: ServerProcess;

  constructor(place: ServerPlace, port: number, server: ServerProcess) {
    this.#place = place;
    this.port = port;
    this.#server = server;
    this.#pool = lastingPool({ ...this.connection(), max: 4 });
  }

  /** Sets the passwords, which the template has none of, and makes today's partitions. */
  async prepare(): Promise<void> {
    const roles: readonly LoginRole[] = ['postgres', 'authenticator', 'supabase_admin', 'supabase_realtime_admin'];
    await this.#asSuperuser(roles.map((role) => `alter role ${role} password '${this.#password}';`).join('\n'));
    await this.maintainPartitions();
  }

  async maintainPartitions(inDays = 0): Promise<void> {
    const today = `select set_config('testbed.today', (current_date + ${Math.trunc(inDays)})::text, false);`;
    await this.#asSuperuser(`${today}\n${await startSql()}`);
  }

  async #asSuperuser(text: string): Promise<void> {
    const client = new Client({ ...this.connection(superuser), host: this.#place.folder });
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  }

  connection(role: LoginRole = 'postgres'): ConnectionParameters {
    return { host: '127.0.0.1', port: this.port, user: role, password: this.#password, database: 'postgres' };
  }

  url(role: LoginRole = 'postgres'): string {
    return `postgresql://${role}:${this.#password}@127.0.0.1:${this.port}/postgres`;
  }

  async sql(text: string, params?: readonly unknown[]): Promise<Row[]> {
    // Several statements give a list of results, which the types of `pg` do not tell.
    const result: QueryResult<Row> | QueryResult<Row>[] = await this.#pool.query<Row>(text, params?.slice());
    const results: readonly QueryResult<Row>[] = Array.isArray(result) ? result : [result];
    return results.at(-1)?.rows ?? [];
  }

  async sqlAs({ role, claims = {} }: Caller, text: string, params?: readonly unknown[]): Promise<Row[]> {
    const client = await this.#pool.connect();
    try {
      await client.query('begin');
      await client.query("select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)", [
        role,
        JSON.stringify({ role, ...claims }),
      ]);
      const { rows } = await client.query<Row>(text, params?.slice());
      await client.query('commit');
      return rows;
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
  }

  async applyMigrations(folder: string): Promise<void> {
    await this.sql(migrationsTable);
    const applied = await this.sql('select version from supabase_migrations.schema_migrations');
    const known = new Set(applied.map((row) => row['version']));
    for (const file of (await readdir(folder)).sort()) {
      const [, version] = migrationName.exec(file) ?? [];
      if (version === undefined || known.has(version)) continue;
      try {
        // Without parameters all statements are one transaction.
        const text = await readFile(join(folder, file), 'utf8');
        await this.sql(`${text}\n;insert into supabase_migrations.schema_migrations values ('${version}')`);
      } catch (cause) {
        throw new Error(`Migration ${file} failed: ${String(cause)}`, { cause });
      }
    }
  }

  async restart(): Promise<void> {
    await this.#server.stop();
    this.#server = await ServerProcess.start(this.#place, this.port);
  }

  pause(): void {
    this.#server.pause();
  }

  resume(): void {
    this.#server.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.remove();
    await this.#pool.end();
    // Somebody may have killed the guard.
    await rm(this.#place.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  }
}
