import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it, vi } from 'vitest';

import { containerCommand, fillIn, type ContainerRun } from '../../src/containment/container.ts';
import { containedStage, processesWith, skipped } from './contained-stage.ts';
import { containerScript } from './stand-in-container.ts';

describe('the host’s command for containers', () => {
  it('is filled in; an argument whose word stands for nothing is left out, any other stays', () => {
    const words = { workdir: '/work', git: null, tty: '-t' };
    const command = ['run', '{tty}', '--volume={workdir}:{workdir}', '--volume={git}:{git}', '--label={other}', '{}'];
    expect(fillIn(command, words)).toEqual(['run', '-t', '--volume=/work:/work', '--label={other}', '{}']);
  });

  it('gets the names of variables in a file, and no value on its command line', async () => {
    await using folder = await temporaryFolder();
    const run: ContainerRun = {
      options: { command: ['env', '{env-file}', '--name={session}'] },
      agent: ['agent', '--flag'],
      env: { PATH: process.env['PATH'] ?? '', HOME: '/home/me', API_KEY: 'hunter2' },
      over: 'pipe',
      sessionId: 'ses_1',
      workdir: '/work',
      git: null,
      folders: { config: folder.path, tmp: '/tmp/own' },
    };
    const command = await containerCommand(run);
    const names = join(folder.path, 'semo-env-names');
    expect(command).toEqual([expect.stringMatching(/\/env$/), names, '--name=ses_1', 'agent', '--flag']);
    expect(await readFile(names, 'utf8')).toBe('API_KEY\n');
  });

  it.skipIf(skipped.container !== '')(`hands a secret on that no command line shows${skipped.container}`, async () => {
    await using stage = await containedStage({ containment: { container: { command: containerScript() } } });
    const { sessionId, containment } = await stage.open(
      { level: 'container' },
      { environment: { set: { TOKEN: 'hunter2hunter2' } } },
    );
    expect(containment.guarantees.files.kind).toBe('declared');
    expect(await stage.run(sessionId, 'echo "$TOKEN in a $SHELL_OF"')).toContain('hunter2hunter2 in a container');
    // The stand-in sets it by `env NAME=VALUE` and becomes the agent: what stays shows nothing.
    expect(await processesWith('hunter2hunter2')).toEqual([]);
  });

  it.skipIf(skipped.container !== '')(
    `is stopped by the host’s other command, once the session has ended${skipped.container}`,
    async () => {
      await using folder = await temporaryFolder();
      const stopped = join(folder.path, 'stopped');
      await using stage = await containedStage({
        containment: { container: { command: containerScript(), stop: ['sh', '-c', `echo {session} >> ${stopped}`] } },
      });
      const { sessionId } = await stage.open({ level: 'container' });
      await stage.sessions.terminate(sessionId);
      await vi.waitFor(async () => expect(await readFile(stopped, 'utf8')).toBe(`${sessionId}\n`), 20_000);
    },
  );
});
