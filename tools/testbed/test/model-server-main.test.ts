import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseScript, temporaryFolder } from '../src/index.ts';
import { ask } from './messages-client.ts';

const program = fileURLToPath(new URL('../src/model-server-main.ts', import.meta.url));

function run(args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [program, ...args]);
}

async function urlOf(child: ChildProcessWithoutNullStreams): Promise<string> {
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return (JSON.parse(line) as { url: string }).url;
}

const ends: [string, (child: ChildProcessWithoutNullStreams) => void][] = [
  ['SIGTERM', (child) => void child.kill('SIGTERM')],
  ['its standard input closing', (child) => child.stdin.end()],
];

test.each(ends)('serves a script file until %s', async (_, stop) => {
  await using folder = await temporaryFolder();
  const script = join(folder.path, 'script.json');
  await writeFile(script, JSON.stringify([{ kind: 'text', text: 'From a file' }, { kind: 'hang' }]));
  const child = run(['--script', script]);
  const url = await urlOf(child);
  expect(await (await ask({ url })).text()).toContain('From a file');
  const hanging = ask({ url }).catch(() => 'ended');
  const exited = once(child, 'exit');
  stop(child);
  expect(await exited).toEqual([0, null]);
  expect(await hanging).toBe('ended');
});

test.each([
  [[], 'name a script file'],
  [['--script', '/nowhere.json'], 'ENOENT'],
  [['--script', program], 'JSON'],
  [['--script', program, '--port', '99999'], '65535'],
  [['--nonsense'], 'nonsense'],
])('wrong usage %j exits 2 and says why', async (args, reason) => {
  const child = run(args);
  const [errors] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(errors).toContain(reason);
  expect(errors).toContain('Usage: node');
  expect(child.exitCode).toBe(2);
});

test('a script file is checked strictly, and may route by the newest prompt', () => {
  expect(() => parseScript('[]')).toThrow('too_small');
  expect(() => parseScript('[{"kind":"text","text":"a","colour":"red"}]')).toThrow('colour');
  expect(parseScript('[{"kind":"cut"}]')).toEqual([{ kind: 'cut', at: 'text' }]);
  const step = [{ kind: 'text', text: 'a' }];
  const routed = parseScript(JSON.stringify({ routes: [{ promptIncludes: 'x', steps: step }], otherwise: step }));
  expect(routed).toBeTypeOf('function');
});
