import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';

import { runDay } from '../crew-office/day.ts';

// The store's thread reads it when it starts: names of our packages lead to their sources there too.
const fromSources = new URL('../../tools/from-sources.ts', import.meta.url).href;
process.env['NODE_OPTIONS'] = `${process.env['NODE_OPTIONS'] ?? ''} --import=${fromSources}`;

const ours = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('semo-day-')).length;

it('a crew has a day with a crash and a limit, and all six jobs are done', async () => {
  const before = await ours();
  const written: string[] = [];
  const status = await runDay({ env: process.env, write: (text) => written.push(text) });
  const text = written.join('');
  expect(text).toContain('3 agents are ready, and 6 jobs come in.');
  expect(text).toMatch(
    /BE health +completed +first(, rate_limit)?, crash(, rate_limit)? +[0-9a-f]{7,} Add api\/health\.js/,
  );
  expect(text).toMatch(/FE about +completed +first, rate_limit +[0-9a-f]{7,} Add web\/about\.html/);
  expect(text).toMatch(/QA list +completed +first +[0-9a-f]{7,} Add checks\/list\.md +agent\/QA\/list/);
  expect(status).toBe(0);
  expect(await ours()).toBeLessThanOrEqual(before);
}, 120_000);
