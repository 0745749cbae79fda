import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RestInterference } from './faults/supabase-faults.ts';
import type { SupabaseFaults } from './faults/supabase-faults.ts';
import { startPostgres } from './postgres/local-postgres.ts';
import type { LocalPostgres } from './postgres/local-postgres.ts';
import { ProjectKeys } from './project-keys.ts';
import type { Claims } from './project-keys.ts';
import { RealtimeService } from './realtime/realtime-service.ts';
import type { RealtimeState } from './realtime/realtime-service.ts';
import { RestService } from './rest/rest-service.ts';

export interface SupabaseOptions {
  /** Of the HTTP origin. Default: 0, any free port. */
  readonly port?: number;
}

/** A Supabase project on 127.0.0.1: a real PostgreSQL server, REST, and Realtime without postgres_changes. */
export interface LocalSupabase extends AsyncDisposable {
  /** For `createClient`, without a slash at its end. */
  readonly url: string;
  /** What hosts use, together with a token. */
  readonly publishableKey: string;
  /** What the office's server uses; policies do not apply to it. */
  readonly secretKey: string;
  /** What users' tokens are signed with, by HS256. */
  readonly jwtSecret: string;
  /** The database itself; its `sql`, `sqlAs` and `applyMigrations` are here too. */
  readonly postgres: LocalPostgres;
  readonly sql: LocalPostgres['sql'];
  readonly sqlAs: LocalPostgres['sqlAs'];
  readonly applyMigrations: LocalPostgres['applyMigrations'];
  /** Who is connected to Realtime now. */
  readonly realtime: RealtimeState;
  /** Makes things go wrong. */
  readonly faults: SupabaseFaults;
  /**
   * A user's token. Defaults: role `authenticated`, an hour from now.
   * @example await supabase.jwt({ sub: userId, office_id: 'o1', exp: Math.floor(Date.now() / 1000) + 2 })
   */
  jwt(claims: Claims): Promise<string>;
}

/**
 * Starts one with an empty database of its own. Nothing of it is left when it is disposed, or its process is killed.
 * @throws Error when there is no PostgreSQL server for this machine, or it does not start.
 * @example
 * await using supabase = await startSupabase();
 * await supabase.applyMigrations('supabase/migrations');
 * const client = createClient(supabase.url, supabase.secretKey);
 */
export async function startSupabase({ port = 0 }: SupabaseOptions = {}): Promise<LocalSupabase> {
  await using cleanup = new AsyncDisposableStack();
  const postgres = await startPostgres();
  const keys = new ProjectKeys();
  const rest = cleanup.use(new RestService(postgres, keys));
  const realtime = cleanup.use(new RealtimeService(postgres, keys));
  // The last in is the first out: without the database nothing that still runs in it is waited for.
  cleanup.use(postgres);
  const interference = new RestInterference();
  const server = cleanup.adopt(originOf({ rest, realtime, interference }), (origin) => close(origin, realtime));
  server.listen(port, '127.0.0.1');
  await Promise.all([once(server, 'listening'), realtime.ready]);
  const resources = cleanup.move();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    publishableKey: keys.publishableKey,
    secretKey: keys.secretKey,
    jwtSecret: keys.jwtSecret,
    postgres,
    sql: (text, params) => postgres.sql(text, params),
    sqlAs: (caller, text, params) => postgres.sqlAs(caller, text, params),
    applyMigrations: (folder) => postgres.applyMigrations(folder),
    realtime,
    faults: { realtime, rest: interference, postgres },
    jwt: (claims) => keys.sign(claims),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

interface Services {
  readonly rest: RestService;
  readonly realtime: RealtimeService;
  readonly interference: RestInterference;
}

/** One origin for all services, as a project has it. */
function originOf({ rest, realtime, interference }: Services): Server {
  const serve = (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = urlOf(incoming);
    const service = /^\/(rest|realtime)\/v1\//.exec(url.pathname)?.[1];
    return interference.around(incoming, response, async (answer) => {
      if (service === 'rest') return rest.serve(incoming, answer, url);
      if (service === 'realtime') return realtime.serve(incoming, answer, url);
      answer.writeHead(404).end();
    });
  };
  return createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  }).on('upgrade', (incoming, stream) => {
    stream.on('error', () => undefined);
    realtime.upgrade(incoming, stream, urlOf(incoming));
  });
}

function urlOf({ url = '/' }: IncomingMessage): URL {
  return new URL(url, 'http://localhost');
}

async function close(server: Server, realtime: RealtimeService): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  // Those that became WebSockets are no longer the HTTP server's to close, and it waits for them.
  realtime.dropSockets();
  await closed;
}
