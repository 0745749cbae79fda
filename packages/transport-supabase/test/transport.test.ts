import { SemoError, errorToWire, newId, remoteSessions, type Command } from '@semo-office/core';
import { expectError, scriptedSpec } from '@semo-office/core/testing';

import { describe, expect, it, vi } from 'vitest';

import { PATIENCE, isGiven, type OfficeOfProject } from './project.ts';
import { projectStage } from './project-stage.ts';
import { create, keys, scriptedHost, slowHandler } from './scripted-hosts.ts';

const stage = projectStage();
const { begin } = stage;

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

  it('that were taken back are asked for anew, also by whoever asked for them at the same time', async () => {
    const office = begin();
    const host = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1 });
    const slow = slowHandler();
    const link = office.server.office();
    host.serve(slow.handler);
    await link.dispatch(create('ses_1'));
    // While this one is at work, the next one of its lane waits.
    const before = link.dispatch(keys('ses_1'));
    await slow.untilAsked(1);
    const command = keys('ses_1');
    const given = new AbortController();
    const first = link.dispatch(command, { signal: given.signal });
    const second = link.dispatch(command);
    const isThere = async () => (await office.server.commands.get(command.commandId))?.status;
    await expect.poll(isThere).toBe('pending');
    given.abort();
    await expectError(first, 'aborted');
    slow.answers[0]?.({ success: true, result: null });
    await before;
    await slow.untilAsked(2);
    slow.answers[1]?.({ success: true, result: null });
    expect(await second).toEqual({ success: true, result: null });
    expect(await link.dispatch(command)).toEqual({ success: true, result: null });
    expect(slow.asked).toHaveLength(2);
  });

  it('fail where no host is there, with a code that says so', async () => {
    const link = begin().server.office();
    await expectError(link.dispatch(create('ses_1')), 'host_lost');
    await expectError(link.dispatch({ commandId: newId('cmd'), body: { kind: 'list_sessions' } }), 'host_lost');
    await link.close();
    await expectError(link.dispatch(create('ses_1')), 'closed');
  });
});

describe('what was over long ago', () => {
  it.skipIf(isGiven)('is forgotten by the office', async () => {
    const office = begin({ times: { leaseMs: 150 } });
    // The office looks often; a host would be lost to a busy machine under such a lease.
    const host = await office.hostSide('h1', { times: { leaseMs: 15_000 } }).host({ hostId: 'h1', capacity: 1 });
    host.serve(slowHandler().handler);
    const link = office.server.office();
    const command = create('ses_1');
    await link.dispatch(command);
    const { commands } = office.server;
    expect(await commands.get(command.commandId)).toMatchObject({ status: 'completed' });
    const sql = (text: string) => stage.project.supabase.sql(text, [office.officeId]);
    // It has looked once, which may take a moment. The hour after that is over.
    const nextHour = () => sql('delete from semo.prunes where office_id = $1 returning office_id');
    await expect.poll(nextHour, PATIENCE).toHaveLength(1);
    await sql(`update agent_commands set ended_at = semo.after_ms(-604800001) where office_id = $1`);
    await link.close();
    office.server.office();
    await expect.poll(() => commands.get(command.commandId), PATIENCE).toBeNull();
  });
});

describe('what cannot be kept', () => {
  it('is refused with a sentence that says why', async () => {
    const office = begin();
    await scriptedHost(office, 'h1');
    const link = office.server.office();
    await link.dispatch(create('ses_1'));
    const body = { kind: 'send_text', sessionId: 'ses_1', text: 'half: \ud83d' } as const;
    const half = await expectError(link.dispatch({ commandId: newId('cmd'), body }), 'invalid_argument');
    expect(half.message).toContain('surrogate');
    const named = link.dispatch({ commandId: 'what is this?', body: { ...body, text: 'x' } });
    expect((await expectError(named, 'invalid_argument')).message).toContain('An id has 1 to 64');
  });
});

describe('what a host answers and tells', () => {
  it.each(['said: \0', 'said: \ud83d'])('arrives with marks in the place of what cannot be kept: %j', async (said) => {
    const office = begin();
    const host = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1 });
    const { handler, answers, untilAsked } = slowHandler();
    host.serve(handler);
    const link = office.server.office();
    await link.dispatch(create('ses_1'));
    const answered = link.dispatch(keys('ses_1'));
    await untilAsked(1);
    answers[0]?.({ success: true, result: { said, [said]: 'C:\\u0000 🎉' } });
    expect(await answered).toEqual({ success: true, result: { said: 'said: \ufffd', 'said: \ufffd': 'C:\\u0000 🎉' } });
    const refused = link.dispatch(keys('ses_1'));
    await untilAsked(2);
    answers[1]?.({ success: false, error: errorToWire(new SemoError('closed', said)) });
    expect(await refused).toMatchObject({ success: false, error: { code: 'closed', message: 'said: \ufffd' } });
    const event = new Promise((resolve) => link.onEvent(resolve));
    host.publish({ name: 'exit', sessionId: 'ses_1', code: null, signal: said, at: 1 });
    expect(await event).toMatchObject({ name: 'exit', signal: 'said: \ufffd' });
    expect(office.problems).toEqual([]);
  });
});

describe('an office without a database', () => {
  it.skipIf(isGiven)('fails at once, with a code that says so, and works when there is one', async () => {
    const office = begin();
    await scriptedHost(office, 'h1');
    const cut = stage.project.supabase.faults.rest.answerWith({ status: 503 });
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
    const placed = await stage.project.supabase.sql(
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
      const office = begin({ times: { leaseMs: 3000 } });
      const host = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1 });
      const slow = slowHandler();
      host.serve(slow.handler);
      const link = office.server.office();
      await link.dispatch(create('ses_1'));
      const { epoch } = host;
      await stage.project.supabase.sql(`select semo.lose_host($1, 'h1', 'lost')`, [office.officeId]);
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

  it('are refused with another token, in a sentence', async () => {
    const office = begin();
    const error = await expectError(office.hostSide('h1').host({ hostId: 'h2', capacity: 1 }), 'sign_in_refused');
    expect(error.message).toContain('host_id');
  });
});

describe('another protocol', () => {
  const understand = (from: number, to: number) =>
    stage.project.supabase.sql(`create or replace function semo.protocols() returns int4range
      language sql immutable set search_path = '' as $$ select int4range(${from}, ${to}, '[]') $$`);
  const speak = ({ officeId }: OfficeOfProject, hostId: string, protocol: number) =>
    stage.project.supabase.sql('update session_hosts set protocol = $3 where office_id = $1 and host_id = $2', [
      officeId,
      hostId,
      protocol,
    ]);
  const list = (): Command => ({ commandId: newId('cmd'), body: { kind: 'list_sessions' } });

  it('than the database understands is refused, of hosts and of offices', async () => {
    const office = begin();
    await understand(2, 3);
    try {
      const host = await expectError(office.hostSide('h1').host({ hostId: 'h1', capacity: 1 }), 'not_supported');
      expect(host.message).toBe('This host speaks protocol 1, and the database understands 2 to 3. Upgrade the host.');
      const asked = await expectError(office.server.office().dispatch(create('ses_1')), 'not_supported');
      expect(asked.message).toBe(
        'This office speaks protocol 1, and the database understands 2 to 3. Upgrade the office.',
      );
    } finally {
      await understand(1, 1);
    }
  });

  it('of a host than its office speaks is told, whatever it is asked, and who is to be upgraded', async () => {
    const office = begin();
    await scriptedHost(office, 'h1');
    const link = office.server.office();
    await link.dispatch(create('ses_1'));
    for (const [protocol, who] of [
      [2, 'office'],
      [0, 'host'],
    ] as const) {
      await speak(office, 'h1', protocol);
      for (const command of [create('ses_2'), keys('ses_1'), list()]) {
        const error = await expectError(link.dispatch(command), 'not_supported');
        expect(error.message).toBe(`Host h1 speaks protocol ${protocol}, and this office 1. Upgrade the ${who}.`);
        expect(error.details).toEqual({ hostId: 'h1', protocol, officeProtocol: 1 });
      }
    }
    // With another host beside it, that one is taken.
    await scriptedHost(office, 'h2');
    expect(await link.dispatch(create('ses_3'))).toMatchObject({ success: true });
  });
});
