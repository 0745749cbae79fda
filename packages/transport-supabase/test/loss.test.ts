import { newId } from '@semo-office/core';
import { EventLog, expectError, scriptedSpec } from '@semo-office/core/testing';
import { createClient } from '@supabase/supabase-js';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createSupabaseTransport } from '../src/index.ts';
import { calmSessions, fragileHost, giveUpLost, loseHost, type FragileHost } from './fragile-host.ts';
import { PATIENCE, TIMES, isGiven, type OfficeOfProject } from './project.ts';
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

  it('that is forgotten is not asked for any more, and is heard anew when it comes back', async () => {
    const { officeId } = begin({ realtime: false });
    const { url, secretKey, supabase } = stage.project;
    let asked = '{}';
    const client = createClient(url, secretKey, {
      global: {
        fetch(input, init) {
          const { pathname } = new URL(input instanceof Request ? input.url : input);
          if (pathname.endsWith('/semo_read_events') && typeof init?.body === 'string') asked = init.body;
          return fetch(input, init);
        },
      },
    });
    const transport = createSupabaseTransport({ client, officeId, realtime: false, times: TIMES });
    onTestFinished(() => transport.close());
    const link = transport.office();
    const [heard, statuses]: [string[], string[]] = [[], []];
    link.onEvent((event) => (event.name === 'exit' ? heard.push(event.sessionId) : undefined));
    link.onStatus((status) => statuses.push(status));
    // Each says one thing, in the name of a session.
    const come = async (from: number, to: number) => {
      const hosts = `insert into session_hosts (office_id, host_id, capacity, protocol, lease_expires_at)
        select $1, 'vm-' || vm, 1, 1, now() + interval '1 hour' from generate_series($2::int, $3::int) as vm`;
      const batches = `insert into semo.event_batches (office_id, host_id, epoch, seq, events)
        select office_id, host_id, epoch, 1, jsonb_build_array(jsonb_build_object(
          'name', 'exit', 'sessionId', host_id, 'code', 0, 'signal', null, 'at', 0))
        from session_hosts where office_id = $1`;
      await supabase.sql(hosts, [officeId, from, to]);
      await supabase.sql(batches, [officeId]);
    };
    const namedHosts = () => Object.keys((JSON.parse(asked) as { p_after?: object }).p_after ?? {}).length;
    // The feed begins with what is told from then on.
    await expect.poll(() => asked, PATIENCE).toContain('p_after');
    await come(1, 120);
    await expect.poll(namedHosts, PATIENCE).toBe(120);
    await supabase.sql('delete from session_hosts where office_id = $1', [officeId]);
    await come(120, 250);
    await expect.poll(namedHosts, PATIENCE).toBe(131);
    expect(heard.filter((one) => one === 'vm-120')).toHaveLength(2);
    expect({ told: heard.length, hosts: new Set(heard).size, statuses }).toEqual({
      told: 251,
      hosts: 250,
      statuses: [],
    });
  });
});
