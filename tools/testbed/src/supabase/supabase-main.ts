/**
 * Runs a local Supabase by itself:
 *   node tools/testbed/src/supabase/supabase-main.ts [--port N] [--migrations FOLDER] [--claims JSON]
 * Prints where it is and its keys as `NAME=value` lines, for a shell or an `.env` file, and ends on SIGTERM, SIGINT or
 * SIGHUP. With `--claims` it prints a user's token too, good for a day. Nothing is kept.
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { startSupabase } from './local-supabase.ts';

const usage = 'Usage: npm run supabase:local -- [--port N] [--migrations FOLDER] [--claims JSON]';
const tokenLifeS = 24 * 3_600;

const optionsSchema = z.object({
  port: z.coerce.number().int().min(0).max(65_535).default(0),
  migrations: z.string().optional(),
  claims: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.record(z.string(), z.unknown()))
    .optional(),
});

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, migrations: { type: 'string' }, claims: { type: 'string' } },
  });
  const { port, migrations, claims } = optionsSchema.parse(values);
  const stopped = stopRequested();
  await using supabase = await startSupabase({ port });
  if (migrations !== undefined) await supabase.applyMigrations(migrations);
  const lines = {
    SUPABASE_URL: supabase.url,
    SUPABASE_PUBLISHABLE_KEY: supabase.publishableKey,
    SUPABASE_SECRET_KEY: supabase.secretKey,
    SUPABASE_JWT_SECRET: supabase.jwtSecret,
    DATABASE_URL: supabase.postgres.url(),
    ...(claims && {
      SUPABASE_TOKEN: await supabase.jwt({ exp: Math.floor(Date.now() / 1_000) + tokenLifeS, ...claims }),
    }),
  };
  for (const [name, value] of Object.entries(lines)) console.log(`${name}=${value}`);
  await stopped;
}

function stopRequested(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // A shell and npm may both pass on one Ctrl-C: a second signal changes nothing.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve());
  return promise;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`);
  process.exitCode = 2;
}
