import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';

import { remainingProcesses } from '../../bench/leaks/leak-remains.ts';
import { runTwoMachines } from '../supabase/two-machines.ts';

it('an office and a host do a job as two processes over Supabase, and leave nothing behind', async () => {
  const temporary = await mkdtemp(path.join(tmpdir(), 'semo-two-'));
  onTestFinished(() => rm(temporary, { recursive: true, force: true }));
  // PostgreSQL may run as somebody else.
  await chmod(temporary, 0o755);
  vi.stubEnv('TMPDIR', temporary);
  onTestFinished(() => void vi.unstubAllEnvs());
  const written: string[] = [];
  const status = await runTwoMachines({ write: (text) => written.push(text) });
  const text = written.join('');
  expect(text).toContain('Host mac-1 serves.');
  expect(text).toContain('office.ts  completed, certain: greet() is there, and committed.');
  expect(text).toMatch(/On agent\/be-greet: [0-9a-f]{7,} Add greet\(\)\n$/);
  expect(status).toBe(0);
  expect(await readdir(temporary)).toEqual([]);
  if (process.platform !== 'linux') return;
  expect(await remainingProcesses({ folder: temporary, repository: { path: temporary } as never })).toEqual([]);
});
