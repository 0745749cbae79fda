import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pool, PoolClient } from 'pg';
import { lastingPool } from '../postgres/lasting-pool.ts';
import type { Caller, LocalPostgres } from '../postgres/local-postgres.ts';
import type { ProjectKeys } from '../project-keys.ts';
import { functionCall } from './function-call.ts';
import type { FunctionCache, Statement } from './function-call.ts';
import { RestError, toRestError } from './rest-error.ts';
import { readRestRequest } from './rest-request.ts';
import type { RestRequest } from './rest-request.ts';
import { countQuery, tableQuery } from './table-query.ts';

/** PostgREST takes a token for so long after its end. */
const clockSkewS = 30;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentRange?: string;
}

/**
 * The part of PostgREST that clients of this project use: functions, and tables with plain columns and simple filters.
 * Each request is a transaction of its own with the caller's role and claims, so grants and policies decide as they do
 * on a hosted project. What it does not know it refuses.
 */
export class RestService implements AsyncDisposable {
  readonly #keys: ProjectKeys;
  readonly #pool: Pool;
  readonly #functions: FunctionCache = new Map();

  constructor(postgres: LocalPostgres, keys: ProjectKeys) {
    this.#keys = keys;
    this.#pool = lastingPool({ ...postgres.connection('authenticator'), max: 10, pipeline: true });
  }

  /** Answers every request, failed ones included. */
  async serve(incoming: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    let isAnonymous = true;
    try {
      const caller = await this.#authenticate(incoming);
      isAnonymous = caller.role === 'anon';
      const request = await readRestRequest(incoming, url);
      const { status, body, contentRange } = await this.#run(request, caller);
      if (contentRange !== undefined) response.setHeader('content-range', contentRange);
      send(response, status, request.method === 'HEAD' ? '' : body);
    } catch (error) {
      const { status, body } = toRestError(error, { isAnonymous });
      send(response, status, JSON.stringify(body));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }

  async #authenticate({ headers }: IncomingMessage): Promise<Caller> {
    const key = headers['apikey'];
    if (key === undefined) {
      const hint = 'No `apikey` request header or url param was found.';
      throw new RestError(401, { message: 'No API key found in request', hint });
    }
    const caller = this.#keys.callerOf(String(key));
    if (caller === undefined) {
      throw new RestError(401, { message: 'Invalid API key', hint: 'Double check your API key.' });
    }
    const token = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
    if (token === undefined || token === key) return caller;
    const reading = await this.#keys.read(token, { toleranceS: clockSkewS });
    if (reading.kind === 'valid') return reading.caller;
    throw reading.kind === 'expired'
      ? new RestError(401, { code: 'PGRST303', message: 'JWT expired' })
      : new RestError(401, { code: 'PGRST301', message: `No suitable key or wrong key type (${reading.kind})` });
  }

  async #run(request: RestRequest, caller: Caller): Promise<Answer> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      const statement =
        request.target.kind === 'function'
          ? await functionCall(client, request, this.#functions)
          : await tableQuery(client, request);
      // Sent together: the first that fails makes the later ones fail, and what counts is the first.
      const [, , body] = await Promise.all([
        client.query(statement.readOnly ? BEGIN_READING : BEGIN),
        setCaller(client, request, caller),
        runForBody(client, statement),
      ]);
      const answer = await this.#answer(client, request, { ...statement, body });
      await client.query(COMMIT);
      return answer;
    } catch (error) {
      await client.query('rollback').catch((cause: unknown) => {
        broken = cause instanceof Error ? cause : new Error(String(cause));
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async #answer(
    client: PoolClient,
    request: RestRequest,
    { shape, body }: Pick<Statement, 'shape'> & { readonly body: string | undefined },
  ): Promise<Answer> {
    if (shape === 'nothing') {
      return { status: request.target.kind === 'table' && request.method === 'POST' ? 201 : 204, body: '' };
    }
    const status = request.target.kind === 'table' && request.method === 'POST' ? 201 : 200;
    if (shape === 'value') return { status, body: body ?? 'null' };
    const rows = JSON.parse(body ?? '[]') as readonly unknown[];
    const total = request.preferences.has('count=exact') ? await runForBody(client, countQuery(request)) : '*';
    const range = rows.length === 0 ? '*' : `0-${rows.length - 1}`;
    const contentRange = `${range}/${total ?? '*'}`;
    if (!request.wantsObject) return { status, body: body ?? '[]', contentRange };
    if (rows.length === 1) return { status, body: JSON.stringify(rows[0]), contentRange };
    throw new RestError(406, {
      code: 'PGRST116',
      message: 'Cannot coerce the result to a single JSON object',
      details: `The result contains ${rows.length} rows`,
    });
  }
}

// Statements by name travel with what comes after them; plain ones are each a message of their own.
const BEGIN = { name: 'begin', text: 'begin' };
const BEGIN_READING = { name: 'begin-reading', text: 'begin read only' };
const COMMIT = { name: 'commit', text: 'commit' };

async function setCaller(client: PoolClient, request: RestRequest, { role, claims }: Caller): Promise<void> {
  await client.query({
    name: 'set-caller',
    text: `select set_config('search_path', 'public, extensions', true), set_config('role', $1, true),
      set_config('request.jwt.claims', $2, true), set_config('request.method', $3, true),
      set_config('request.headers', $4, true)`,
    values: [role, JSON.stringify(claims ?? { role }), request.method, JSON.stringify(request.headers)],
  });
}

/** Prepared once on each connection, as PostgREST does it. */
async function runForBody(client: PoolClient, { text, params }: Statement): Promise<string | undefined> {
  const name = createHash('sha1').update(text).digest('hex');
  const { rows } = await client.query<{ readonly body: string | null }>({ name, text, values: params.slice() });
  return rows[0]?.body ?? undefined;
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(body);
}
