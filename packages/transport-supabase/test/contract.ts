import { remoteSessions, serveSessions } from '@semo-office/core';
import {
  SCRIPTED_PROMPTS,
  SCRIPTED_SLOT,
  createScriptedSessions,
  describeSessionManagerContract,
  scriptedSpec,
  type OpenedSessions,
} from '@semo-office/core/testing';
import { afterAll, beforeAll, describe } from 'vitest';

import { startProject, type OfficeOfProject, type Project } from './project.ts';

/** The contract over a project of its own, with Realtime or by looking alone. */
export function describeContract(title: string, { realtime }: { readonly realtime: boolean }): void {
  describe('over a local Supabase', () => {
    let project: Project;
    beforeAll(async () => {
      project = await startProject();
    });
    afterAll(() => project[Symbol.asyncDispose]());

    describeSessionManagerContract(title, {
      prompts: SCRIPTED_PROMPTS,
      canReset: true,
      slot: SCRIPTED_SLOT,
      open: () => openOver(project.office({ realtime })),
    });
  });
}

async function openOver(office: OfficeOfProject): Promise<OpenedSessions> {
  const host = await office.hostSide('h1').host({ hostId: 'h1', capacity: 100 });
  const local = createScriptedSessions();
  const served = serveSessions(host, local);
  const sessions = remoteSessions(office.server.office());
  return {
    sessions,
    specFor: scriptedSpec,
    async close() {
      await sessions.close();
      await served.close();
      await office.close();
      await local.close();
    },
  };
}
