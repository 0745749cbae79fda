import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { remoteSessions, serveSessions } from '@semo-office/core';
import type { HostLink, OfficeLink } from '@semo-office/core';
import {
  SCRIPTED_PROMPTS,
  SCRIPTED_SLOT,
  createScriptedSessions,
  describeSessionManagerContract,
  scriptedSpec,
} from '@semo-office/core/testing';
import type { OpenedSessions } from '@semo-office/core/testing';

import { connectToSocket, inProcessTransport, listenOnSocket } from '../src/index.ts';

function overLine(
  { office, host }: { readonly office: OfficeLink; readonly host: HostLink },
  cleanUp: () => Promise<void>,
): OpenedSessions {
  const local = createScriptedSessions();
  const served = serveSessions(host, local);
  const sessions = remoteSessions(office);
  return {
    sessions,
    specFor: scriptedSpec,
    async close() {
      await sessions.close();
      await served.close();
      await host.close();
      await local.close();
      await cleanUp();
    },
  };
}

describeSessionManagerContract('scripted sessions, in process', {
  prompts: SCRIPTED_PROMPTS,
  canReset: true,
  slot: SCRIPTED_SLOT,
  async open() {
    return overLine(inProcessTransport(), async () => {});
  },
});

describeSessionManagerContract('scripted sessions, over a unix socket', {
  prompts: SCRIPTED_PROMPTS,
  canReset: true,
  slot: SCRIPTED_SLOT,
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'semo-socket-'));
    const path = join(folder, 'host.sock');
    const host = await listenOnSocket({ path });
    const office = await connectToSocket({ path });
    return overLine({ office, host }, () => rm(folder, { recursive: true }));
  },
});
