import { describe, expect, it } from 'vitest';

import { ids, readyHost } from './ready-host.ts';
import { hintOf, type Office, type Stage } from './stage.ts';

/** Commands that nobody answers, and what becomes of those that somebody has handed out again. */
export function describeDeadLetters(stage: () => Stage): void {
  describe('dead letters', () => {
    deadLetters(stage);
    requeued(stage);
  });
}

function deadLetters(stage: () => Stage): void {
  it('gives up after so many attempts, shows why, and goes on with the lane', async () => {
    const office = stage().office();
    const { host, sessionId: p_session_id } = await readyHost(office);
    const [bad, good] = [
      await office.enqueue('reset', { p_session_id }),
      await office.enqueue('reset', { p_session_id }),
    ];
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      expect(await host.claim()).toMatchObject([{ command_id: bad['command_id'], attempts: attempt }]);
      await stage().pass(15_000);
    }
    expect(ids(await host.claim())).toEqual([good['command_id']]);
    const [dead] = await office.member.select("select * from agent_commands where status = 'dead'");
    expect(dead).toMatchObject({ command_id: bad['command_id'], attempts: 5, last_error: { code: 'host_lost' } });
    expect(dead?.['last_error']).toMatchObject({ message: /handed out 5 times/ });
  });

  it('hands a dead one out again when somebody says so, in its old place', async () => {
    const office = stage().office();
    const { host, sessionId: p_session_id } = await readyHost(office);
    const [bad, good] = [
      await office.enqueue('send_prompt', { p_session_id, p_expires_ms: 1000 }),
      await office.enqueue('send_prompt', { p_session_id }),
    ];
    const requeue = (id: unknown) => office.member.rows('semo_requeue_command', { p_command_id: id });
    await expect(requeue(bad['command_id'])).rejects.toMatchObject({ hint: 'invalid_argument' });
    const [first] = await host.claim({ p_lease_ms: 1000 });
    await stage().pass(1000);
    await office.member.row('semo_sweep');
    await requeue(bad['command_id']);
    expect(await office.member.row('semo_get_command', { p_command_id: bad['command_id'] })).toMatchObject({
      status: 'pending',
      attempts: 0,
      success: null,
    });
    // Whoever had it before need not be asked, and the host knows that it is to do it once more.
    const [second] = await host.claim();
    expect(second).toMatchObject({ command_id: bad['command_id'], attempts: 1, prior_epoch: null, requeued: 1 });
    expect(second?.['payload']).toEqual(first?.['payload']);
    await expect(host.complete(first ?? {})).rejects.toMatchObject({ hint: 'lease_lost' });
    await host.complete(second ?? {});
    expect(ids(await host.claim())).toEqual([good['command_id']]);
    await expect(requeue(bad['command_id'])).rejects.toMatchObject({ hint: 'invalid_argument' });
  });
}

/** A command of a new session that has died, and its host, which is there. */
async function deadCommand(stage: Stage, office: Office, kind: string) {
  const { host, sessionId } = await readyHost(office);
  const asked = await office.enqueue(kind, { p_session_id: sessionId, p_expires_ms: 1000 });
  await host.claim({ p_lease_ms: 1000 });
  await stage.pass(1000);
  await office.server.row('semo_sweep');
  const p_command_id = String(asked['command_id']);
  return {
    host,
    sessionId,
    get: () => office.member.row('semo_get_command', { p_command_id }),
    requeue: (more = {}) => office.member.rows('semo_requeue_command', { p_command_id, ...more }),
    askAgain: () => office.enqueue(kind, { p_session_id: sessionId, p_command_id }),
    withdraw: () => office.member.value('semo_withdraw_command', { p_command_id }),
  };
}

function requeued(stage: () => Stage): void {
  it('keeps one that was handed out again in vain, with what was known of it', async () => {
    const office = stage().office();
    const { host, get, requeue, withdraw, askAgain } = await deadCommand(stage(), office, 'send_text');
    const died = await get();
    await requeue({ p_expires_ms: 1000 });
    expect(await withdraw()).toBe(false);
    await stage().pass(1000);
    await office.server.row('semo_sweep');
    expect(await get()).toEqual({ ...died, attempts: 0 });
    expect(await askAgain()).toMatchObject({ status: 'dead' });
    await requeue();
    expect(await host.claim()).toMatchObject([{ prior_epoch: null, requeued: 2, payload: { kind: 'send_text' } }]);
    // From here on it is as with any other: the next process knows that somebody has had it.
    const next = await office.register('h1');
    expect(await next.claim()).toMatchObject([{ prior_epoch: host.epoch, requeued: 2, attempts: 2 }]);
  });

  it('hands out nothing again that its host could not carry out, and keeps it', async () => {
    const office = stage().office();
    const { host, sessionId, get, requeue } = await deadCommand(stage(), office, 'send_text');
    await host.rows('semo_sign_off_host');
    expect(await hintOf(requeue())).toBe('host_lost');
    const back = await office.register('h1', { p_sessions: [sessionId] });
    await back.rows('semo_sign_off_host');
    await office.server.row('semo_sweep', { p_grace_ms: 0 });
    expect(await hintOf(requeue())).toBe('session_terminated');
    await office.register('h1');
    expect(await hintOf(requeue())).toBe('session_terminated');
    expect(await get()).toMatchObject({ status: 'dead' });
  });

  it('hands out nothing again whose host is forgotten, or whose session is on another by now', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    const { sessionId } = await office.session({ p_command_id: 'cmd_made', p_expires_ms: 1000 });
    await office.enqueue('list_sessions', { p_command_id: 'cmd_list', p_host_id: 'h1', p_expires_ms: 1000 });
    await host.claim({ p_lease_ms: 1000 });
    await stage().pass(1000);
    await office.server.row('semo_sweep');
    const requeue = (p_command_id: string) => office.member.rows('semo_requeue_command', { p_command_id });
    await requeue('cmd_made');
    // Its session has a place again, and only until that dies once more.
    const open = 'select status from agent_sessions where ended_at is null';
    expect(await office.member.select(open)).toEqual([{ status: 'creating' }]);
    await host.claim({ p_lease_ms: 1000 });
    await host.rows('semo_sign_off_host');
    await stage().pass(3_600_000);
    await office.server.row('semo_sweep', { p_grace_ms: 7_200_000 });
    await office.server.row('semo_sweep', { p_grace_ms: 7_200_000 });
    expect(await office.member.select('select from session_hosts')).toEqual([]);
    expect(await hintOf(requeue('cmd_list'))).toBe('host_lost');
    await office.register('h2');
    await office.session({ p_session_id: sessionId });
    expect(await hintOf(requeue('cmd_made'))).toBe('session_conflict');
  });
}
