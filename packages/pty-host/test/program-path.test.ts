import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { temporaryFolder } from '@semo-office/testbed';
import { expect, it } from 'vitest';

import { findProgram } from '../src/program-path.ts';

it('finds the first program of a name that may be run', async () => {
  await using one = await temporaryFolder();
  await using other = await temporaryFolder();
  const folders = ['relative', '', join(one.path, 'missing'), one.path, other.path];
  expect(findProgram('tool', folders)).toBeNull();
  await writeFile(join(one.path, 'tool'), 'text', { mode: 0o644 });
  await writeFile(join(other.path, 'tool'), '#!/bin/sh\n', { mode: 0o755 });
  // Who is root may read everything, but not run what nobody may.
  expect(findProgram('tool', folders)).toBe(join(other.path, 'tool'));
});
