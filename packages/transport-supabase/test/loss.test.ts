import { newId } from '@semo-office/core';
import { EventLog, expectError, scriptedSpec } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { calmSessions, fragileHost, giveUpLost, loseHost, type FragileHost } from './fragile-host.ts';
import { PATIENCE, isGiven, type OfficeOfProject } from './project.ts';
import { projectStage } from './project-stage.ts';

const stage = projectStage();
const { begin } = stage;

/** A host with a session that is at work on a prompt, seen by an office that asks seldom. */
async function atWork(prompt: string) {
  const office = begin({ realtime: false });
  const host = await fragileHost(stage.project, office, { hostId: 'h1' });
  const sessions = calmSessions(office);
  const log = new EventLog(sessions, 'ses_1');
  await sessions.create(scriptedSpec('ses_1'));
  const { turnId } = await sessions.sendPrompt('ses_1', prompt);
  const statuses = () => log.of('status').map(({ status }) => status);
  return { office, host, sessions, log, turnId, statuses };
}

const lose = async (office: OfficeOfProject, host: FragileHost): Promise<void> => {
  await host.cut();
  await loseHost(stage.project, office, host.hostId);
};

describe.skipIf(isGiven)('a lost host', () => {
  it('is told to whoever waits for its sessions, at once', async () => {
    const { office, host, sessions, turnId, statuses } = await atWork('hang');
    const waiting = [
      expectError(sessions.waitForTurn('ses_1', turnId), 'host_lost'),
      // Behind the one that runs.
      expectError(sessions.sendPrompt('ses_1', 'say: next'), 'host_lost'),
    ];
    await lose(office, host);
    for (const error of await Promise.all(waiting))
      expect(error.details).toEqual({ hostId: 'h1', state: 'lost', noticed: true });
    await expect.poll(statuses, PATIENCE).toContain('error');
    await expectError(sessions.get('ses_1'), 'host_lost');
  });

  it('that is back in time goes on, and its turns arrive', async () => {
    const { office, host, sessions, turnId, log, statuses } = await atWork('ask: Bash');
    await lose(office, host);
    await expect.poll(statuses, PATIENCE).toContain('error');
    const waiting = log.until(() => statuses().at(-1) === 'waiting_input');
    host.mend();
    await waiting;
    const epoch = host.link.epoch;
    await giveUpLost(stage.project, office);
    const [request] = await sessions.listRequests({ sessionId: 'ses_1' });
    await sessions.answerRequest(request?.requestId ?? '', { behavior: 'allow' });
    expect(await sessions.waitForTurn('ses_1', turnId)).toMatchObject({ text: 'allowed' });
    expect(host.link.epoch).toBe(epoch);
  });

  it('that is back too late changes nothing, and ends what was given up', async () => {
    const { office, host, sessions, turnId, log, statuses } = await atWork('ask: Bash');
    await lose(office, host);
    await giveUpLost(stage.project, office);
    await log.until(() => log.of('exit').length > 0);
    const state = { kind: 'ended', outcome: 'unknown', decidedBy: 'lost', error: { code: 'delivery_unknown' } };
    expect(await sessions.waitForTurn('ses_1', turnId)).toMatchObject({ state });
    expect(await sessions.get('ses_1')).toMatchObject({ status: 'terminated', exit: null });
    await expectError(sessions.sendPrompt('ses_1', 'say: more'), 'session_terminated');
    await sessions.terminate('ses_1');
    expect(await sessions.listRequests({ sessionId: 'ses_1' })).toEqual([]);
    const told = log.events.length;
    // Its agent goes on meanwhile, and comes to an end that nobody is to hear of.
    const [request] = await host.local.listRequests({ sessionId: 'ses_1' });
    await host.local.answerRequest(request?.requestId ?? '', { behavior: 'allow' });
    expect(await host.local.waitForTurn('ses_1', turnId)).toMatchObject({ text: 'allowed' });
    host.mend();
    await expect.poll(async () => (await host.local.get('ses_1'))?.status, PATIENCE).toBe('terminated');
    await sessions.create(scriptedSpec('ses_2'));
    expect(await sessions.waitForTurn('ses_1', turnId)).toMatchObject({ state });
    expect({ more: log.events.length - told, last: statuses().at(-1) }).toEqual({ more: 0, last: 'terminated' });
    const left = 'select session_id from agent_sessions where office_id = $1 and left_behind';
    await expect.poll(() => stage.project.supabase.sql(left, [office.officeId]), PATIENCE).toEqual([]);
  });

  it('is noticed and given up by the office itself', async () => {
    const office = begin({ times: { leaseMs: 300, hostGraceMs: 100 } });
    const host = await fragileHost(stage.project, office, { hostId: 'h1' });
    const sessions = calmSessions(office);
    const sessionId = newId('ses');
    const log = new EventLog(sessions, sessionId);
    await sessions.create(scriptedSpec(sessionId));
    await host.cut();
    const over = 'update session_hosts set lease_expires_at = semo.now() where office_id = $1';
    await stage.project.supabase.sql(over, [office.officeId]);
    await log.until(() => log.of('exit').length > 0);
    expect(log.of('status').map(({ status }) => status)).toEqual(['creating', 'ready', 'error', 'terminated']);
  });
});
