import { newId } from '@semo-office/core';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';

import { ids, readyHost } from './ready-host.ts';
import type { Stage } from './stage.ts';

/** How hosts get commands, and what becomes of these. */
export function describeClaim(stage: () => Stage): void {
  describe('claiming', () => {
    order(stage);
    again(stage);
  });
  describe('answering', () => {
    answering(stage);
    lateAnswers(stage);
  });
}

function order(stage: () => Stage): void {
  it('hands out one command of a lane at a time, in order, and lets control overtake', async () => {
    const office = stage().office();
    const { host, sessionId: p_session_id } = await readyHost(office);
    const [first, second] = [
      await office.enqueue('send_prompt', { p_session_id }),
      await office.enqueue('send_prompt', { p_session_id }),
    ];
    const [prompt, ...none] = await host.claim();
    expect([prompt?.['command_id'], none]).toEqual([first['command_id'], []]);
    const [cancel, output] = [
      await office.enqueue('cancel', { p_session_id }),
      await office.enqueue('get_output', { p_session_id }),
    ];
    // The prompt is still at work, and the second one waits behind it.
    const [overtaking] = await host.claim();
    expect(overtaking).toMatchObject({ command_id: cancel['command_id'], lane: 'control' });
    expect(await host.claim()).toEqual([]);
    await host.complete(overtaking ?? {});
    expect(ids(await host.claim())).toEqual([output['command_id']]);
    await host.complete(prompt ?? {});
    expect(ids(await host.claim())).toEqual([second['command_id']]);
  });

  it('lets no session wait for another, and takes the oldest first, as many as are asked for', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    const sessions = [];
    for (let number = 0; number < 5; number += 1) {
      sessions.push((await office.session()).sessionId);
      await stage().pass(1);
    }
    const first = await host.claim({ p_limit: 3 });
    expect(first.map(({ session_id: id }) => id)).toEqual(sessions.slice(0, 3));
    expect((await host.claim()).map(({ session_id: id }) => id)).toEqual(sessions.slice(3));
  });

  it('tells a command as it was asked, and keeps it no longer than it is needed', async () => {
    const office = stage().office();
    const { host, sessionId: p_session_id } = await readyHost(office);
    const p_payload = { text: 'geheim 한국어 🙂', deep: [{ x: null }] };
    await office.enqueue('send_text', { p_session_id, p_payload });
    const [command] = await host.claim({ p_lease_ms: 5000 });
    expect(command).toMatchObject({ payload: { kind: 'send_text', sessionId: p_session_id, ...p_payload } });
    expect(command).toMatchObject({ attempts: 1, prior_epoch: null, turn_delivery: null });
    await host.complete(command ?? {});
    expect(await office.member.select('select from agent_commands where payload is not null')).toEqual([]);
  });
}

function again(stage: () => Stage): void {
  it('hands a command out again once its lease is over, with a new token and the epoch it was handed to', async () => {
    const office = stage().office();
    const { host, sessionId: p_session_id } = await readyHost(office);
    await office.enqueue('cancel', { p_session_id });
    const [first] = await host.claim({ p_lease_ms: 5000 });
    await stage().pass(4999);
    expect(await host.claim()).toEqual([]);
    await stage().pass(1);
    const [second] = await host.claim();
    expect(second).toMatchObject({ command_id: first?.['command_id'], attempts: 2, prior_epoch: host.epoch });
    expect(second?.['lease_token']).not.toBe(first?.['lease_token']);
    await expect(host.complete(first ?? {})).rejects.toMatchObject({ hint: 'lease_lost' });
    await host.complete(second ?? {});
  });

  it('hands out again at once what a host does not have though it was handed to it', async () => {
    const office = stage().office();
    const { host, sessionId: p_session_id } = await readyHost(office);
    const [seen, missed] = [
      await office.enqueue('send_prompt', { p_session_id }),
      await office.enqueue('cancel', { p_session_id }),
    ];
    await host.claim();
    expect(await host.claim()).toEqual([]);
    // As often as it takes: what nobody has seen was no attempt.
    for (let lost = 0; lost < 10; lost += 1) {
      const again = await host.claim({ p_held: [seen['command_id']] });
      expect(again).toMatchObject([{ command_id: missed['command_id'], attempts: 1, prior_epoch: host.epoch }]);
    }
    expect(await host.claim({ p_held: [seen['command_id'], missed['command_id']] })).toEqual([]);
  });

  it('waits for whoever is at a command that a host may have missed: it is asked for once', async () => {
    const office = stage().office();
    const { host, sessionId: p_session_id } = await readyHost(office);
    const missed = await office.enqueue('cancel', { p_session_id });
    await host.claim();
    const someone = new Client(stage().postgres.connection());
    await someone.connect();
    try {
      await someone.query('begin');
      await someone.query('select from agent_commands where command_id = $1 for update', [missed['command_id']]);
      expect(await host.claim()).toEqual([]);
      const again = host.claim({ p_held: [] });
      const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%semo_claim_commands%'`;
      await expect.poll(() => stage().postgres.sql(waiting)).toHaveLength(1);
      await someone.query('commit');
      expect(ids(await again)).toEqual([missed['command_id']]);
    } finally {
      await someone.end();
    }
  });

  it('holds on to the commands a heartbeat names, and to no other', async () => {
    const office = stage().office();
    const { host, sessionId: p_session_id } = await readyHost(office);
    const [named, unnamed] = [
      await office.enqueue('send_prompt', { p_session_id }),
      await office.enqueue('cancel', { p_session_id }),
    ];
    await host.claim({ p_lease_ms: 5000 });
    await stage().pass(4000);
    const beat = await host.row('semo_heartbeat_host', { p_commands: [named['command_id'], 'cmd_unknown'] });
    expect(beat['lost_commands']).toEqual(['cmd_unknown']);
    await stage().pass(1000);
    expect(ids(await host.claim())).toEqual([unnamed['command_id']]);
  });

  it('says of a prompt that is handed out again how far its turn has come', async () => {
    const office = stage().office();
    const { host, sessionId } = await readyHost(office);
    const turnId = newId('turn');
    await office.enqueue('send_prompt', { p_session_id: sessionId, p_payload: { turnId, prompt: 'Go.' } });
    expect(await host.claim()).toMatchObject([{ turn_delivery: null, prior_epoch: null }]);
    const record = { sessionId, turnId, delivery: { kind: 'submitted', intentAt: 1, submittedAt: 2 } };
    await host.rows('semo_put_turn', { p_record: record });
    const next = await office.register('h1');
    // Another process has it now: it must not send the prompt again.
    expect(await next.claim()).toMatchObject([{ turn_delivery: 'submitted', prior_epoch: host.epoch, attempts: 2 }]);
    const turn = { sessionId, turnId, acceptedAt: 3, state: { kind: 'ended', outcome: 'completed', at: 4 } };
    await next.rows('semo_advance_turn', {
      p_session_id: sessionId,
      p_turn_id: turnId,
      p_step: { kind: 'ended', at: 4, turn },
    });
    await stage().pass(15_000);
    expect(await next.claim()).toMatchObject([{ turn_delivery: 'ended', prior_epoch: next.epoch }]);
  });

  it('says so too where only the announcement of the turn is kept', async () => {
    const office = stage().office();
    const { host, sessionId } = await readyHost(office);
    await office.enqueue('send_prompt', { p_session_id: sessionId, p_payload: { turnId: 'turn_1' } });
    await host.claim();
    const turn = { sessionId, turnId: 'turn_1', acceptedAt: 3, state: { kind: 'running' } };
    await host.rows('semo_report_turn', { p_turn: turn });
    const next = await office.register('h1');
    expect(await next.claim()).toMatchObject([{ turn_delivery: 'accepted' }]);
  });
}

function answering(stage: () => Stage): void {
  it('keeps what a command came to, to be read by its id', async () => {
    const office = stage().office();
    const { host, sessionId: p_session_id } = await readyHost(office);
    await office.enqueue('get_output', { p_session_id });
    await office.enqueue('send_prompt', { p_session_id });
    const [one, other] = await host.claim();
    await host.complete(one ?? {}, { as: 'text', text: '한국어 🙂' });
    const error = { code: 'session_busy', class: 'capacity', message: 'Busy.', retryable: true };
    await host.fail(other ?? {}, error);
    const get = (id: unknown) => office.member.row('semo_get_command', { p_command_id: id });
    expect(await get(one?.['command_id'])).toMatchObject({
      status: 'completed',
      success: true,
      result: { as: 'text', text: '한국어 🙂' },
      error: null,
      late: false,
    });
    expect(await get(other?.['command_id'])).toMatchObject({ status: 'failed', success: false, result: null, error });
    expect(await office.member.rows('semo_get_command', { p_command_id: 'cmd_x' })).toEqual([]);
  });

  it('takes an answer once: the first one under a lease', async () => {
    const office = stage().office();
    const { host, sessionId: p_session_id } = await readyHost(office);
    const { command_id: p_command_id } = await office.enqueue('cancel', { p_session_id });
    const [command] = await host.claim();
    await host.complete(command ?? {}, { first: true });
    await host.complete(command ?? {}, { first: false });
    await host.fail(command ?? {});
    const got = await office.member.row('semo_get_command', { p_command_id });
    expect(got).toMatchObject({ status: 'completed', success: true, result: { first: true } });
  });

  it('takes no answer without the lease, of a stranger, or of nothing', async () => {
    const office = stage().office();
    const { host, sessionId: p_session_id } = await readyHost(office);
    const other = await office.register('h2');
    const { command_id } = await office.enqueue('cancel', { p_session_id });
    const refused = expect.objectContaining({ hint: 'lease_lost' });
    await expect(host.complete({ command_id, lease_token: null })).rejects.toEqual(refused);
    const [command] = await host.claim();
    await expect(host.complete({ command_id, lease_token: crypto.randomUUID() })).rejects.toEqual(refused);
    await expect(host.fail({ command_id: 'cmd_x', lease_token: command?.['lease_token'] })).rejects.toEqual(refused);
    await expect(other.complete(command ?? {})).rejects.toEqual(refused);
    await host.complete(command ?? {});
  });
}

function lateAnswers(stage: () => Stage): void {
  it('takes an answer after the lease is over, as long as nobody else was handed the command', async () => {
    const office = stage().office();
    const { host, sessionId: p_session_id } = await readyHost(office);
    const { command_id: p_command_id } = await office.enqueue('cancel', { p_session_id });
    const [command] = await host.claim();
    await stage().pass(60_000);
    await host.complete(command ?? {}, { late: 'but true' });
    const got = await office.member.row('semo_get_command', { p_command_id });
    expect(got).toMatchObject({ status: 'completed', result: { late: 'but true' }, late: false });
  });

  it('puts the truth in the place of a guess when a command was given up', async () => {
    const office = stage().office();
    const { host, sessionId: p_session_id } = await readyHost(office);
    const asked = await office.enqueue('send_prompt', { p_session_id, p_expires_ms: 20_000 });
    const [command] = await host.claim();
    await stage().pass(20_000);
    await host.row('semo_heartbeat_host');
    expect(await office.server.row('semo_sweep')).toMatchObject({ lost_hosts: [], ended_commands: 1 });
    const get = () => office.member.row('semo_get_command', { p_command_id: asked['command_id'] });
    expect(await get()).toMatchObject({ status: 'dead', success: false, error: { code: 'delivery_unknown' } });
    await host.complete(command ?? {}, { turnId: 'turn_1' });
    expect(await get()).toMatchObject({ status: 'completed', success: true, result: { turnId: 'turn_1' }, late: true });
  });
}
