import { remoteSessions, serveSessions } from '@semo-office/core';
import {
  SCRIPTED_PROMPTS,
  SCRIPTED_SLOT,
  createScriptedSessions,
  describeSessionManagerContract,
  scriptedSpec,
} from '@semo-office/core/testing';
import { afterAll, beforeAll, describe } from 'vitest';

import { startProject, type Project } from './project.ts';

// One project for both ways of hearing of things; each has an office of its own in it.
describe('over a local Supabase', () => {
  let project: Project;
  beforeAll(async () => {
    project = await startProject();
  });
  afterAll(() => project[Symbol.asyncDispose]());

  for (const realtime of [true, false])
    describeSessionManagerContract(`scripted sessions, ${realtime ? 'by announcements' : 'without Realtime'}`, {
      prompts: SCRIPTED_PROMPTS,
      canReset: true,
      slot: SCRIPTED_SLOT,
      async open() {
        const office = project.office({ realtime });
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
      },
    });
});
