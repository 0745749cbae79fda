import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';

import { runDemo } from '../two-agents/demo.ts';

it.each([{ isTTY: false }, { isTTY: true }])(
  'two agents make two real commits (terminal: $isTTY)',
  async ({ isTTY }) => {
    const written: string[] = [];
    const status = await runDemo({
      live: false,
      env: process.env,
      output: { isTTY, write: (text) => written.push(text) },
    });
    const text = written.join('');
    expect(text).toMatch(/Mina \(FE\) +completed, certain +[0-9a-f]{7,} Add the greeting page/);
    expect(text).toMatch(/Joon \(BE\) +completed, certain +[0-9a-f]{7,} Add greet\(\) with a test/);
    expect(text).toContain('agent_end: Stop hook, 0 background tasks');
    expect(status).toBe(0);
  },
);

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
