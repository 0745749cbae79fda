import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createLocalOffice } from '../src/index.ts';
import { observeOffice } from '../src/telemetry/index.ts';

describe('an office on this machine', () => {
  it('writes logs where it was told to, and can be observed', async () => {
    await using folder = await temporaryFolder('semo-telemetry-');
    const office = createLocalOffice({
      stateDir: folder.path,
      allowedRoots: [folder.path],
      logs: {},
      memory: false,
      onFault: () => undefined,
    });
    const stop = observeOffice(office);
    const workspace = { kind: 'path', path: folder.path } as const;
    const { sessionId } = await office.sessions.create({ sessionId: 'one', agent: { kind: 'shell' }, workspace });
    await office.close();
    stop();
    expect(await readdir(join(folder.path, 'logs'))).toEqual([`${sessionId}.log`]);
    expect(await readFile(join(folder.path, 'logs', `${sessionId}.log`), 'utf8')).toContain('"opened"');
  });
});
