// A Supabase project in a process of its own, as it is on a machine of its own: started by bench-project.ts, asked by messages.
import { fileURLToPath } from 'node:url';
import { startSupabase, type Claims, type LocalSupabase } from '@semo-office/testbed/supabase';

const migrations = fileURLToPath(
  new URL('../supabase/migrations', import.meta.resolve('@semo-office/transport-supabase')),
);

/** What a project can be asked, by the name of the message. */
export interface ProjectCalls {
  sql(text: string): Promise<Record<string, unknown>[]>;
  jwt(claims: Claims): Promise<string>;
  /** The whole way to the project: REST and Realtime. */
  cutNetwork(): void;
  restoreNetwork(): void;
  /** As the Realtime server does every day, so many days on. */
  maintainPartitions(inDays: number): Promise<void>;
  dropSockets(): number;
  joinedTopics(): readonly string[];
}

/** One message to a project. */
export interface ProjectQuestion {
  readonly id: number;
  readonly call: keyof ProjectCalls;
  readonly argument: unknown;
}

/** Where a project is, and its keys. */
export interface ProjectAddress {
  readonly url: string;
  readonly publishableKey: string;
  readonly secretKey: string;
  /** Of its PostgreSQL, as who applies migrations. */
  readonly databaseUrl: string;
}

/** Its answer. The first message of a project has no id. */
export type ProjectAnswer =
  | ({ readonly id: 0 } & ProjectAddress)
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

function callsOf(supabase: LocalSupabase): ProjectCalls {
  let faults = new DisposableStack();
  return {
    sql: (text) => supabase.sql(text),
    jwt: (claims) => supabase.jwt(claims),
    cutNetwork() {
      faults.use(supabase.faults.rest.cutConnections());
      faults.use(supabase.faults.realtime.goDown());
    },
    restoreNetwork() {
      faults.dispose();
      faults = new DisposableStack();
    },
    maintainPartitions: (inDays) => supabase.postgres.maintainPartitions(inDays),
    dropSockets: () => supabase.faults.realtime.dropSockets(),
    joinedTopics: () => supabase.realtime.joinedTopics,
  };
}

await using supabase = await startSupabase();
await supabase.applyMigrations(migrations);
const calls = callsOf(supabase);
const say = (answer: ProjectAnswer): void => void process.send?.(answer);
process.on('message', ({ id, call, argument }: ProjectQuestion) => {
  const ask = async (): Promise<unknown> => (calls[call] as (argument: unknown) => unknown)(argument);
  ask().then(
    (result) => say({ id, result }),
    (error: unknown) => say({ id, error: String(error) }),
  );
});
const { url, publishableKey, secretKey, postgres } = supabase;
say({ id: 0, url, publishableKey, secretKey, databaseUrl: postgres.url() });
await new Promise((resolve) => process.once('disconnect', resolve));
