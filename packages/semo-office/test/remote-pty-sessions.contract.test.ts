import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describeSessionManagerContract } from '@semo-office/core/testing';

import {
  connectToSocket,
  createPtySessionManager,
  listenOnSocket,
  remoteSessions,
  serveSessions,
} from '../src/index.ts';

const program = fileURLToPath(new URL('../../pty-host/test/fixtures/prompted-program.mjs', import.meta.url));

async function makeRepository(path: string): Promise<void> {
  const run = promisify(execFile);
  await run('git', ['init', '--quiet', '--template=', path]);
  const author = ['-c', 'user.name=Test', '-c', 'user.email=test@example.invalid', '-c', 'commit.gpgSign=false'];
  await run('git', [...author, '-C', path, 'commit', '--quiet', '--allow-empty', '--message', 'Initial commit']);
}

// Office, socket, host, terminal, program: the whole way, with nothing in it that is not real.
describeSessionManagerContract('a program in a terminal of a host, over a unix socket', {
  canReset: false,
  slot: { kind: 'slot', repoId: 'app' },
  prompts: {
    quick: 'add 20 22',
    quickAnswer: 'The sum is 42. ✓',
    endless: 'endless',
    crash: 'crash',
    ask: null,
    printLines: (count) => `lines ${count}`,
  },
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'semo-remote-'));
    const path = join(folder, 'host.sock');
    const host = await listenOnSocket({ path });
    const repositories = { app: join(folder, 'app') };
    await makeRepository(repositories.app);
    const local = createPtySessionManager({ stateDir: join(folder, 'state'), repositories });
    const served = serveSessions(host, local);
    const sessions = remoteSessions(await connectToSocket({ path }));
    return {
      sessions,
      specFor: (sessionId) => ({
        sessionId,
        agent: { kind: 'command', command: [process.execPath, program] },
        workspace: { kind: 'path', path: folder },
      }),
      async whenListening(sessionId) {
        const listening = Promise.withResolvers<void>();
        const look = async (): Promise<void> => {
          const slice = await local.getOutput(sessionId);
          if (slice.as === 'text' && slice.text.includes('listening')) listening.resolve();
        };
        const stop = local.on('output', () => void look().catch(listening.reject));
        await look();
        await listening.promise.finally(stop);
      },
      async close() {
        await sessions.close();
        await served.close();
        await host.close();
        await local.close();
        await rm(folder, { recursive: true, maxRetries: 10 });
      },
    };
  },
});
