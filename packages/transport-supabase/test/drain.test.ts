import { createPoolManager, poolKey, type SessionTemplate } from '@semo-office/core';
import { EventLog, expectError, scriptedSpec } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { calmSessions, fragileHost, loseHost } from './fragile-host.ts';
import { PATIENCE, isGiven, type OfficeOfProject } from './project.ts';
import { projectStage } from './project-stage.ts';

const stage = projectStage();
const begin = (): OfficeOfProject => stage.begin({ realtime: false });

describe.skipIf(isGiven)('a draining host', () => {
  it('takes no new session, and is waited for until its turns and then its sessions are over', async () => {
    const office = begin();
    // In good order: it has the time to tell all, also on a busy machine.
    const { link } = await fragileHost(stage.project, office, { hostId: 'h1', times: { closeTimeoutMs: 30_000 } });
    const sessions = calmSessions(office);
    await sessions.create(scriptedSpec('ses_1'));
    await link.drained();
    const { turnId } = await sessions.sendPrompt('ses_1', 'ask: Bash');
    await link.drain();
    await expectError(sessions.create(scriptedSpec('ses_2')), 'capacity_exhausted');
    const overdue = await expectError(link.drained({ timeoutMs: 1 }), 'wait_timed_out');
    expect(overdue.details).toEqual({ left: ['ses_1'] });
    const giveUp = new AbortController();
    const givenUp = expectError(link.drained({ signal: giveUp.signal }), 'aborted');
    giveUp.abort();
    await givenUp;
    const drained = link.drained();
    const [request] = await sessions.listRequests({ sessionId: 'ses_1' });
    await sessions.answerRequest(request?.requestId ?? '', { behavior: 'allow' });
    expect(await sessions.waitForTurn('ses_1', turnId)).toMatchObject({ text: 'allowed' });
    await drained;
    await expectError(link.drained({ for: 'sessions', timeoutMs: 1 }), 'wait_timed_out');
    const empty = link.drained({ for: 'sessions' });
    await sessions.terminate('ses_1');
    await empty;
    await link.close();
    // What has ended in good order is known without its host.
    expect(await sessions.get('ses_1')).toMatchObject({ status: 'terminated', terminalId: null, turnId: null });
    expect(await sessions.getTurn('ses_1', turnId)).toMatchObject({ text: 'allowed' });
    expect(await sessions.listRequests({ sessionId: 'ses_1' })).toEqual([]);
    await sessions.cancel('ses_1');
    await sessions.terminate('ses_1');
    await expectError(sessions.sendPrompt('ses_1', 'say: more'), 'session_terminated');
  });

  it('that its office drains still does when it was lost meanwhile, until the office takes that back', async () => {
    const office = begin();
    // Its next heartbeat is told, in a second.
    const host = await fragileHost(stage.project, office, { hostId: 'h1', times: { leaseMs: 3000 } });
    const sessions = calmSessions(office);
    const log = new EventLog(sessions, 'ses_1');
    await sessions.create(scriptedSpec('ses_1'));
    const drain = (isDraining: boolean) =>
      stage.project.supabase.sql('select semo_drain_host($1, $2, $3)', [office.officeId, 'h1', isDraining]);
    await drain(true);
    // The host has heard of it.
    await log.until(() => log.of('retiring').length > 0);
    const { epoch } = host.link;
    await host.cut();
    await loseHost(stage.project, office, 'h1');
    host.mend();
    await expect.poll(() => host.link.epoch, PATIENCE).toBeGreaterThan(epoch);
    await expectError(sessions.create(scriptedSpec('ses_2')), 'capacity_exhausted');
    await drain(false);
    expect(await sessions.create(scriptedSpec('ses_2'))).toMatchObject({ sessionId: 'ses_2' });
  });

  it('has the sessions that were kept ready on it replaced, where the office says that it is to drain', async () => {
    const office = begin();
    // Its next heartbeat is told, in two seconds.
    const { link, local } = await fragileHost(stage.project, office, { hostId: 'h1', times: { leaseMs: 6000 } });
    const sessions = calmSessions(office);
    const log = new EventLog(sessions, 'ses_1');
    const template: SessionTemplate = {
      agent: { kind: 'command', command: ['scripted'] },
      workspace: { kind: 'path', path: '/work' },
    };
    const key = poolKey(template);
    const pool = createPoolManager({ sessions, targets: [{ role: 'FE', count: 1, key, template }] });
    await pool.initializeWarmPool();
    await sessions.create(scriptedSpec('ses_1'));
    const other = await fragileHost(stage.project, office, { hostId: 'h2' });
    await stage.project.supabase.sql('select semo_drain_host($1, $2)', [office.officeId, 'h1']);
    await log.until(() => log.of('retiring').length > 0);
    const ready = () => other.local.list({ status: ['ready'] });
    await expect.poll(async () => (await ready()).length, PATIENCE).toBe(1);
    const left = async () => (await local.list({ status: ['ready'] })).map(({ sessionId }) => sessionId);
    await expect.poll(left, PATIENCE).toEqual(['ses_1']);
    await pool.close();
    await sessions.terminate('ses_1');
    await link.drained({ for: 'sessions' });
  });
});
