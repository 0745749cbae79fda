import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainmentLevel } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it, onTestFinished } from 'vitest';

import { containedStage, skipped } from './contained-stage.ts';

/** What an agent finds of secrets of the user that it runs as. docs/containment.md says the same. */
const FOUND: readonly (readonly [ContainmentLevel, found: { readonly file: boolean; readonly process: boolean }])[] = [
  ['process_group', { file: true, process: true }],
  ['pid_namespace', { file: true, process: false }],
  ['sandbox', { file: false, process: false }],
];

describe.for(FOUND)('at the level %s', ([level, found]) => {
  it.skipIf(skipped[level] !== '' || process.platform !== 'linux')(
    `an agent finds of what its user keeps: ${JSON.stringify(found)}${skipped[level]}`,
    async () => {
      const outer = await temporaryFolder('semo-outer-');
      onTestFinished(() => outer[Symbol.asyncDispose]());
      const secrets = join(outer.path, 'secrets');
      await mkdir(secrets, { mode: 0o700 });
      await writeFile(join(secrets, 'host.token'), 'hunter2', { mode: 0o600 });
      // As a host that was given a secret by its environment.
      const holder = spawn('sleep', ['1000'], { env: { ...process.env, HOLDER: 'hunter3' }, stdio: 'ignore' });
      onTestFinished(async () => {
        holder.kill('SIGKILL');
        await once(holder, 'exit');
      });
      await using stage = await containedStage({
        containment: { readable: level === 'sandbox' ? [outer.path] : [], hidden: [secrets] },
      });
      const { sessionId } = await stage.open({ level });
      const file = await stage.run(sessionId, `cat ${secrets}/host.token 2>&1`);
      const environments = await stage.run(
        sessionId,
        `cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep ^HOLDER`,
      );
      expect({ file: file.includes('hunter2'), process: environments.includes('hunter3') }).toEqual(found);
    },
  );
});
