import { newId, remoteSessions, type SemoError } from '@semo-office/core';
import { EventLog, scriptedSpec } from '@semo-office/core/testing';
import { createClient } from '@supabase/supabase-js';
import { describe, expect, it } from 'vitest';

import { createSupabaseTransport } from '../src/index.ts';
import { linesOf } from '../src/realtime/realtime-line.ts';
import { PATIENCE, isGiven, type OfficeOfProject } from './project.ts';
import { projectStage } from './project-stage.ts';
import { create, keys, scriptedHost, slowHandler } from './scripted-hosts.ts';

const stage = projectStage();
const { begin } = stage;

describe('when things go wrong', () => {
  /** Runs a turn, and gives what was told of it once its end was. */
  async function toldOfATurn(office: OfficeOfProject, meanwhile: () => void = () => {}): Promise<string[]> {
    await scriptedHost(office, 'h1');
    const sessions = remoteSessions(office.server.office(), { pollIntervalMs: 60_000 });
    const log = new EventLog(sessions, 'ses_1');
    await sessions.create(scriptedSpec('ses_1'));
    meanwhile();
    const { turnId } = await sessions.sendPrompt('ses_1', 'say: hello');
    await sessions.waitForTurn('ses_1', turnId);
    await sessions.terminate('ses_1');
    await log.until(() => log.of('exit').length > 0);
    return log.changesOf(turnId).map(({ change }) => change);
  }
  const once = ['started', 'ended'];

  it.skipIf(isGiven)('goes on where every broadcast is lost', async () => {
    using _lost = stage.project.supabase.faults.realtime.tamperWithBroadcasts({ lose: 1 });
    expect(await toldOfATurn(begin({ times: { livePollMs: 50 } }))).toEqual(once);
  });

  it.skipIf(isGiven)('tells once what is announced twice, late and out of order', async () => {
    using _mixed = stage.project.supabase.faults.realtime.tamperWithBroadcasts({ duplicate: 0.7, delayMs: [0, 40] });
    expect(await toldOfATurn(begin())).toEqual(once);
  });

  it.skipIf(isGiven)('goes on while Realtime is down', async () => {
    using _down = stage.project.supabase.faults.realtime.goDown();
    expect(await toldOfATurn(begin())).toEqual(once);
  });

  it.skipIf(isGiven)('goes on when sockets are cut and channels closed', async () => {
    const { realtime } = stage.project.supabase.faults;
    const times = { livePollMs: 200 };
    expect(await toldOfATurn(begin({ times }), () => realtime.dropSockets())).toEqual(once);
    expect(await toldOfATurn(begin({ times }), () => realtime.closeChannels())).toEqual(once);
  });

  it.skipIf(isGiven)('joins again when the server has closed the channels', async () => {
    const office = begin();
    await scriptedHost(office, 'h1');
    office.server.office();
    const topics = [`office:${office.officeId}:commands:h1`, `office:${office.officeId}:events`];
    const joined = (): readonly string[] =>
      stage.project.supabase.realtime.joinedTopics.filter((topic) => topics.includes(topic));
    await expect.poll(joined, { timeout: 5000 }).toHaveLength(2);
    for (const topic of topics) stage.project.supabase.faults.realtime.closeChannels({ topic });
    await expect.poll(() => office.problems.length, { timeout: 5000 }).toBeGreaterThanOrEqual(2);
    await expect.poll(joined, { timeout: 5000 }).toHaveLength(2);
    expect(joined().toSorted()).toEqual(topics);
  });

  it.skipIf(isGiven)('keeps an answer that the project refuses for a moment, and tells it as it was', async () => {
    const office = begin();
    const host = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1 });
    const slow = slowHandler();
    host.serve(slow.handler);
    const link = office.server.office();
    await link.dispatch(create('ses_1'));
    const answer = link.dispatch(keys('ses_1'));
    await slow.untilAsked(1);
    // As for a token that is over, or keys that are just being changed.
    const refused = stage.project.supabase.faults.rest.answerWith({ status: 401 });
    slow.answers[0]?.({ success: true, result: null });
    await expect.poll(() => office.problems.map(({ code }) => code), { timeout: 10_000 }).toContain('sign_in_refused');
    refused.end();
    expect(await answer).toEqual({ success: true, result: null });
  });

  it.skipIf(isGiven)('tells that the line is down while the database is, and asks again by itself', async () => {
    // What was handed out into a cut connection is handed out again by the next claim, long before its lease is over.
    const office = begin({ times: { leaseMs: 60_000 } });
    await scriptedHost(office, 'h1');
    const link = office.server.office();
    const sessions = remoteSessions(link);
    await sessions.create(scriptedSpec('ses_1'));
    const told: string[] = [];
    link.onStatus((status) => told.push(status));
    const cut = stage.project.supabase.faults.rest.cutConnections({ when: 'after' });
    const sent = sessions.sendPrompt('ses_1', 'say: hello');
    await expect.poll(() => told, { timeout: 5000 }).toEqual(['disconnected']);
    cut.end();
    const { turnId } = await sent;
    await sessions.waitForTurn('ses_1', turnId);
    await expect.poll(() => told, { timeout: 5000 }).toEqual(['disconnected', 'connected']);
  });
});

describe('access', () => {
  it.skipIf(isGiven)('by a client that is signed in already leaves it as it was', async () => {
    const office = begin();
    await scriptedHost(office, 'h1');
    const { url, secretKey } = stage.project.supabase;
    const client = createClient(url, secretKey);
    const { officeId } = office;
    const transport = createSupabaseTransport({ client, officeId, times: { livePollMs: 60_000 } });
    const sessions = remoteSessions(transport.office());
    await expect.poll(() => client.getChannels().map(({ state }) => state)).toEqual(['joined']);
    await sessions.create(scriptedSpec('ses_1'));
    await transport.close();
    expect(client.getChannels()).toEqual([]);
    expect(await client.from('agent_sessions').select('session_id').eq('office_id', officeId)).toMatchObject({
      data: [{ session_id: 'ses_1' }],
    });
    await client.realtime.disconnect();
  });

  it.skipIf(isGiven)('by one client is shared: who closes an office leaves the channel to the other', async () => {
    const { officeId } = begin();
    const { supabase } = stage.project;
    const { url, secretKey } = supabase;
    const client = createClient(url, secretKey);
    const problems: string[] = [];
    const settings = { client, officeId, onProblem: ({ message }: SemoError) => problems.push(message) };
    const [first, second] = [createSupabaseTransport(settings), createSupabaseTransport(settings)];
    const topic = `office:${officeId}:events`;
    const lines = linesOf(client);
    const open = () => {
      const line = lines();
      const told: string[] = [];
      void line.join(topic, {
        onBroadcast: (event) => told.push(event),
        onStatus: (status) => told.push(status),
        onHeartbeat: () => {},
      });
      return { line, told };
    };
    first.office();
    const [one, other] = [open(), open()];
    second.office();
    for (const { told } of [one, other]) await expect.poll(() => told, PATIENCE).toEqual(['SUBSCRIBED']);
    await Promise.all([one.line.close(), first.close()]);
    expect(client.getChannels().map(({ state }) => state)).toEqual(['joined']);
    await supabase.sql(`select semo.tell_office($1, 'events', '{}')`, [officeId]);
    await expect.poll(() => other.told, PATIENCE).toEqual(['SUBSCRIBED', 'events']);
    expect({ one: one.told, problems }).toEqual({ one: ['SUBSCRIBED'], problems: [] });
    // What the server closes is closed for all, and made anew by who comes next.
    supabase.faults.realtime.closeChannels({ topic });
    await expect.poll(() => other.told.at(-1), PATIENCE).toBe('CLOSED');
    await other.line.close();
    const next = open();
    await expect.poll(() => next.told, PATIENCE).toEqual(['SUBSCRIBED']);
    await Promise.all([next.line.close(), second.close()]);
    expect(client.getChannels()).toEqual([]);
    await client.realtime.disconnect();
  });

  it.skipIf(isGiven)(
    'by tokens goes on when they are over, while partitions come and go, and misses no command',
    async () => {
      const officeId = newId('off');
      const { url, publishableKey: key, postgres } = stage.project.supabase;
      const problems: string[] = [];
      const fetched = { office: 0, host: 0 };
      const transportOf = (role: 'office' | 'host') =>
        createSupabaseTransport({
          url,
          key,
          officeId,
          // What is not announced would not be found before the test is over.
          times: { livePollMs: 600_000 },
          onProblem: ({ message }) => problems.push(message),
          accessToken() {
            fetched[role] += 1;
            const semo = { role, office_id: officeId, ...(role === 'host' ? { host_id: 'h1' } : {}) };
            const exp = Math.floor(Date.now() / 1000) + 3;
            return stage.project.supabase.jwt({ sub: crypto.randomUUID(), app_metadata: { semo }, exp });
          },
        });
      const [offices, hosts] = [transportOf('office'), transportOf('host')];
      const host = await hosts.host({ hostId: 'h1', capacity: 1 });
      const carriedOut: string[] = [];
      host.serve(async ({ commandId }) => {
        carriedOut.push(commandId);
        return { success: true, result: null };
      });
      const link = offices.office();
      await expect
        .poll(() => stage.project.supabase.realtime.joinedTopics.filter((topic) => topic.includes(officeId)), {
          timeout: 10_000,
        })
        .toHaveLength(2);
      const asked = [create('ses_1')];
      await link.dispatch(asked[0]!);
      for (let rotation = 0; rotation < 2; rotation += 1) {
        const { host: hostTokens, office: officeTokens } = fetched;
        await postgres.maintainPartitions(rotation % 2 === 0 ? 2 : 0);
        while (fetched.host === hostTokens || fetched.office === officeTokens) {
          const command = keys('ses_1');
          asked.push(command);
          expect(await link.dispatch(command)).toMatchObject({ success: true });
        }
      }
      expect(carriedOut).toEqual(asked.map(({ commandId }) => commandId));
      expect(problems).toEqual([]);
      await Promise.all([offices.close(), hosts.close()]);
    },
  );
});
