import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';

// Every check is an npm script of the same name. Those of one stage need nothing of each other.
const stages: readonly (readonly string[])[] = [
  ['build'],
  ['typecheck', 'lint', 'arrows', 'deadcode', 'packages:check', 'format:check', 'size'],
];

const root = resolve(import.meta.dirname, '../..');

/** Runs one npm script; its output is shown only when it fails. */
async function runCheck(name: string): Promise<boolean> {
  const startedAt = performance.now();
  const child = spawn('npm', ['run', '--silent', name], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const status = await new Promise<number>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done(code ?? 1));
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (status !== 0) process.stdout.write(Buffer.concat(output));
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  return status === 0;
}

/** Runs a stage, a few checks at a time; after a failure nothing more is started. Resolves to false when one failed. */
async function runStage(names: readonly string[]): Promise<boolean> {
  const waiting = [...names];
  let passed = true;
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined && passed; name = waiting.shift()) {
      if (!(await runCheck(name))) passed = false;
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, worker));
  return passed;
}

for (const stage of stages) {
  if (!(await runStage(stage))) process.exit(1);
}
