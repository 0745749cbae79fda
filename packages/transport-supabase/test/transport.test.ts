import { newId, remoteSessions, serveSessions, type Command, type CommandResult } from '@semo-office/core';
import { EventLog, createScriptedSessions, expectError, scriptedSpec } from '@semo-office/core/testing';
import { createClient } from '@supabase/supabase-js';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { createSupabaseTransport, type SupabaseHostLink } from '../src/index.ts';
import { isGiven, startProject, type OfficeOfProject, type Project } from './project.ts';

let project: Project;
const offices: OfficeOfProject[] = [];
const begin: Project['office'] = (settings) => {
  const office = project.office(settings);
  offices.push(office);
  return office;
};
beforeAll(async () => {
  project = await startProject();
});
afterEach(() => Promise.all(offices.splice(0).map((office) => office.close())));
afterAll(() => project[Symbol.asyncDispose]());

/** A host of scripted sessions. */
async function scriptedHost(office: OfficeOfProject, hostId: string, capacity = 10): Promise<SupabaseHostLink> {
  const host = await office.hostSide(hostId).host({ hostId, capacity });
  serveSessions(host, createScriptedSessions());
  return host;
}

/** A host that answers when told to, and what it has been asked. */
function slowHandler() {
  const asked: Command[] = [];
  const waits: (() => void)[] = [];
  const answers: ((result: CommandResult) => void)[] = [];
  const handler = (command: Command): Promise<CommandResult> => {
    if (command.body.kind === 'create_session') return Promise.resolve({ success: true, result: null });
    asked.push(command);
    for (const go of waits.splice(0)) go();
    return new Promise((resolve) => answers.push(resolve));
  };
  const untilAsked = async (count: number): Promise<void> => {
    while (asked.length < count) await new Promise<void>((resolve) => waits.push(resolve));
  };
  return { asked, answers, handler, untilAsked };
}

const create = (sessionId: string): Command => ({
  commandId: newId('cmd'),
  body: { kind: 'create_session', sessionId, spec: scriptedSpec(sessionId) },
});
const keys = (sessionId: string): Command => ({
  commandId: newId('cmd'),
  body: { kind: 'send_keystrokes', sessionId, keys: ['Enter'] },
});

describe('commands', () => {
  it('keep a late answer, to be read by their id', async () => {
    const office = begin({ times: { answerTimeoutMs: 1000 } });
    const host = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1 });
    const slow = slowHandler();
    host.serve(slow.handler);
    const link = office.server.office();
    const creation = create('ses_1');
    await vi.waitFor(() => link.dispatch(creation), { timeout: 20_000 });
    const command = keys('ses_1');
    const error = await expectError(link.dispatch(command), 'wait_timed_out');
    expect(error.details).toEqual({ commandId: command.commandId, status: 'processing' });
    slow.answers[0]?.({ success: true, result: null });
    // The same id again waits for the answer that is on its way, and is not carried out again.
    const answer = await vi.waitFor(() => link.dispatch(command), { timeout: 20_000 });
    expect(answer).toEqual({ success: true, result: null });
    expect(await office.server.commands.get(command.commandId)).toMatchObject({
      status: 'completed',
      answer: { success: true, result: null },
    });
    expect(slow.asked).toHaveLength(1);
  });

  it('overtake what waits in the other lane, and are given up by their signal', async () => {
    const office = begin();
    const host = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1 });
    const slow = slowHandler();
    host.serve(slow.handler);
    const link = office.server.office();
    await link.dispatch(create('ses_1'));
    const giveUp = new AbortController();
    const reset = (): Command => ({ commandId: newId('cmd'), body: { kind: 'reset', sessionId: 'ses_1' } });
    const [first, second] = [reset(), reset()];
    const resetting = link.dispatch(first);
    await slow.untilAsked(1);
    const waiting = expectError(link.dispatch(second, { signal: giveUp.signal }), 'aborted');
    const cancelling = link.dispatch({ commandId: newId('cmd'), body: { kind: 'cancel', sessionId: 'ses_1' } });
    await slow.untilAsked(2);
    expect(slow.asked.map(({ body }) => body.kind)).toEqual(['reset', 'cancel']);
    giveUp.abort();
    await waiting;
    for (const answer of slow.answers) answer({ success: true, result: null });
    await Promise.all([resetting, cancelling]);
  });

  it('fail where no host is there, with a code that says so', async () => {
    const link = begin().server.office();
    await expectError(link.dispatch(create('ses_1')), 'host_lost');
    await expectError(link.dispatch({ commandId: newId('cmd'), body: { kind: 'list_sessions' } }), 'host_lost');
    await link.close();
    await expectError(link.dispatch(create('ses_1')), 'closed');
  });
});

describe('an office without a database', () => {
  it.skipIf(isGiven)('fails at once, with a code that says so, and works when there is one', async () => {
    const office = begin();
    await scriptedHost(office, 'h1');
    const cut = project.supabase.faults.rest.answerWith({ status: 503 });
    const link = office.server.office();
    await expectError(link.dispatch(create('ses_1')), 'host_lost');
    cut.end();
    expect(await link.dispatch(create('ses_1'))).toMatchObject({ success: true });
  });
});

describe('hosts', () => {
  it.skipIf(isGiven)('share sessions by their load, list them together, and take none while they drain', async () => {
    const office = begin();
    const [one, two] = [await scriptedHost(office, 'h1'), await scriptedHost(office, 'h2')];
    const sessions = remoteSessions(office.server.office());
    await sessions.create(scriptedSpec('ses_1'));
    await sessions.create(scriptedSpec('ses_2'));
    await two.drain();
    await sessions.create(scriptedSpec('ses_3'));
    expect((await sessions.list()).map(({ sessionId }) => sessionId).toSorted()).toEqual(['ses_1', 'ses_2', 'ses_3']);
    const placed = await project.supabase.sql(
      `select host_id, count(*)::int from agent_sessions where office_id = $1 group by 1 order by 1`,
      [office.officeId],
    );
    expect(placed).toEqual([
      { host_id: 'h1', count: 2 },
      { host_id: 'h2', count: 1 },
    ]);
    expect(one.epoch).toBeLessThan(two.epoch);
  });

  it.skipIf(isGiven)(
    'that were cut off come back under another epoch, and what was theirs before is refused',
    async () => {
      const office = begin({ times: { leaseMs: 300 } });
      const host = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1 });
      const slow = slowHandler();
      host.serve(slow.handler);
      const link = office.server.office();
      await link.dispatch(create('ses_1'));
      const { epoch } = host;
      await project.supabase.sql(`select semo.lose_host($1, 'h1', 'lost')`, [office.officeId]);
      await expectError(link.dispatch(keys('ses_1')), 'host_lost');
      // Its next heartbeat is refused, and it registers again.
      const command = keys('ses_1');
      const answer = vi.waitFor(() => link.dispatch(command), { timeout: 10_000, interval: 20 });
      await slow.untilAsked(1);
      expect(host.epoch).toBeGreaterThan(epoch);
      slow.answers[0]?.({ success: true, result: null });
      expect(await answer).toEqual({ success: true, result: null });
      expect(office.problems.map(({ code }) => code)).toContain('lease_lost');
    },
  );

  it('say that nobody knows what became of keys that their earlier life was handed', async () => {
    const office = begin();
    const before = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1 });
    const slow = slowHandler();
    before.serve(slow.handler);
    const link = office.server.office();
    await link.dispatch(create('ses_1'));
    const typing = link.dispatch(keys('ses_1'));
    await slow.untilAsked(1);
    const after = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1 });
    const fresh = slowHandler();
    after.serve(fresh.handler);
    expect(await typing).toMatchObject({ success: false, error: { code: 'delivery_unknown' } });
    expect(fresh.asked).toEqual([]);
  });

  it('that say goodbye are known to be gone at once', async () => {
    const office = begin();
    const host = await scriptedHost(office, 'h1');
    const sessions = remoteSessions(office.server.office(), { hostLostAfterMs: 0 });
    await sessions.create(scriptedSpec('ses_1'));
    await host.close();
    await expectError(sessions.get('ses_1'), 'host_lost');
    expect(() => host.serve(async () => ({ success: true, result: null }))).toThrow('closed');
  });

  it.skipIf(isGiven)('are refused with another token, and with another protocol, in a sentence', async () => {
    const office = begin();
    const error = await expectError(office.hostSide('h1').host({ hostId: 'h2', capacity: 1 }), 'sign_in_refused');
    expect(error.message).toContain('host_id');
    await project.supabase.sql(`create or replace function semo.protocols() returns int4range
      language sql immutable set search_path = '' as $$ select int4range(2, 3, '[]') $$`);
    try {
      const refused = await expectError(office.hostSide('h1').host({ hostId: 'h1', capacity: 1 }), 'not_supported');
      expect(refused.message).toContain('Upgrade the host');
    } finally {
      await project.supabase.sql(`create or replace function semo.protocols() returns int4range
        language sql immutable set search_path = '' as $$ select int4range(1, 1, '[]') $$`);
    }
  });
});

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
    using _lost = project.supabase.faults.realtime.tamperWithBroadcasts({ lose: 1 });
    expect(await toldOfATurn(begin({ times: { livePollMs: 50 } }))).toEqual(once);
  });

  it.skipIf(isGiven)('tells once what is announced twice, late and out of order', async () => {
    using _mixed = project.supabase.faults.realtime.tamperWithBroadcasts({ duplicate: 0.7, delayMs: [0, 40] });
    expect(await toldOfATurn(begin())).toEqual(once);
  });

  it.skipIf(isGiven)('goes on while Realtime is down', async () => {
    using _down = project.supabase.faults.realtime.goDown();
    expect(await toldOfATurn(begin())).toEqual(once);
  });

  it.skipIf(isGiven)('goes on when sockets are cut and channels closed', async () => {
    const { realtime } = project.supabase.faults;
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
      project.supabase.realtime.joinedTopics.filter((topic) => topics.includes(topic));
    await expect.poll(joined, { timeout: 5000 }).toHaveLength(2);
    for (const topic of topics) project.supabase.faults.realtime.closeChannels({ topic });
    await expect.poll(() => office.problems.length, { timeout: 5000 }).toBeGreaterThanOrEqual(2);
    await expect.poll(joined, { timeout: 5000 }).toHaveLength(2);
    expect(joined().toSorted()).toEqual(topics);
  });

  it.skipIf(isGiven)('tells that the line is down while the database is, and asks again by itself', async () => {
    // What was handed out into a cut connection is handed out again once its lease is over.
    const office = begin({ times: { leaseMs: 1000 } });
    await scriptedHost(office, 'h1');
    const link = office.server.office();
    const sessions = remoteSessions(link);
    await sessions.create(scriptedSpec('ses_1'));
    const told: string[] = [];
    link.onStatus((status) => told.push(status));
    const cut = project.supabase.faults.rest.cutConnections({ when: 'after' });
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
    const { url, secretKey } = project.supabase;
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

  it.skipIf(isGiven)(
    'by tokens goes on when they are over, while partitions come and go, and misses no command',
    async () => {
      const officeId = newId('off');
      const { url, publishableKey: key, postgres } = project.supabase;
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
            return project.supabase.jwt({ sub: crypto.randomUUID(), app_metadata: { semo }, exp });
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
        .poll(() => project.supabase.realtime.joinedTopics.filter((topic) => topic.includes(officeId)), {
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
