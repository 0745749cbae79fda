/**
 * Runs the scripted model server by itself:
 *   node tools/testbed/src/model-server-main.ts --script FILE.json [--port N]
 * Prints `{"url":"http://127.0.0.1:…"}` as one line, and ends on SIGTERM, SIGINT or when its standard input closes:
 * whoever starts it keeps that open (a shell gives `/dev/null` to a command it runs with `&`).
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { startModelServer } from './model/model-server.ts';
import { readScript } from './model/script-file.ts';

const usage = 'Usage: node model-server-main.ts --script FILE.json [--port N]';

const optionsSchema = z.object({
  script: z.string({ error: 'name a script file with --script' }),
  port: z.coerce.number().int().min(0).max(65_535).default(0),
});

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { script: { type: 'string' }, port: { type: 'string' } } });
  const { script, port } = optionsSchema.parse(values);
  await using server = await startModelServer({ script: await readScript(script), port });
  process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);
  await stopRequested();
}

function stopRequested(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  process.once('SIGTERM', stop).once('SIGINT', stop);
  process.stdin.once('end', stop).once('error', stop).resume();
  return promise.finally(() => process.stdin.destroy());
}

function describe(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  return error instanceof Error ? error.message : String(error);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${describe(error)}\n${usage}\n`);
  process.exitCode = 2;
}
