import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';

import { runDemo } from '../two-agents/demo.ts';
import { showProgress } from '../two-agents/progress.ts';

it('two agents make two real commits', async () => {
  const written: string[] = [];
  const status = await runDemo({ live: false, env: process.env, output: { write: (text) => written.push(text) } });
  const text = written.join('');
  expect(text).toMatch(/s {2}FE +executing\n/);
  expect(text).toMatch(/Mina \(FE\) +completed, certain +[0-9a-f]{7,} Add the greeting page/);
  expect(text).toMatch(/Joon \(BE\) +completed, certain +[0-9a-f]{7,} Add greet\(\) with a test/);
  expect(text).toContain('agent_end: Stop hook, 0 background tasks');
  expect(status).toBe(0);
});

it('a terminal is shown one line for each agent, drawn over again', () => {
  const written: string[] = [];
  const progress = showProgress(['FE', 'BE'], { isTTY: true, write: (text) => written.push(text) });
  progress.line('BE', { type: 'status', at: 0, sessionId: 'ses_1', status: 'executing' });
  progress.close();
  const [first = ''] = written;
  expect(first.split('\n')).toEqual([expect.stringMatching(/FE +waiting/), expect.stringMatching(/BE +executing/), '']);
  progress.close();
  // Two lines up, and over them.
  expect(written.at(-1)?.startsWith('\u001b[2A')).toBe(true);
});

it('says what is missing where a live run has no credential', async () => {
  // A folder for temporary files of its own: in the common one, other tests come and go.
  const temporary = await mkdtemp(path.join(tmpdir(), 'semo-live-'));
  onTestFinished(() => rm(temporary, { recursive: true, force: true }));
  vi.stubEnv('TMPDIR', temporary);
  onTestFinished(() => void vi.unstubAllEnvs());
  const written: string[] = [];
  const status = await runDemo({
    live: true,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
    output: { write: (text) => written.push(text) },
  });
  expect(status).toBe(1);
  expect(written.join('')).toContain('claude setup-token');
  expect(await readdir(temporary)).toEqual([]);
});
