import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';

import { runDemo } from '../two-agents/demo.ts';

const ours = async () => (await readdir(tmpdir())).filter((name) => /^semo-(repo|demo)-/.test(name)).length;

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
  const before = await ours();
  const written: string[] = [];
  const status = await runDemo({
    live: true,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
    output: { write: (text) => written.push(text) },
  });
  expect(status).toBe(1);
  expect(written.join('')).toContain('claude setup-token');
  expect(await ours()).toBeLessThanOrEqual(before);
});
