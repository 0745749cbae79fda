import { describe, expect, it } from 'vitest';

import { hintOf, type Stage } from './stage.ts';

/** How hosts come, stay and go. */
export function describeHosts(stage: () => Stage): void {
  describe('hosts', () => {
    registering(stage);
    losing(stage);
    comingBack(stage);
  });
}

function registering(stage: () => Stage): void {
  it('gives each registration a higher epoch, and fences off the one before', async () => {
    const office = stage().office();
    const first = await office.register('h1', { p_labels: ['gpu'], p_agents: { claude: '2.1.329' } });
    const second = await office.register('h1', { p_capacity: 3 });
    expect(Number(second.epoch)).toBeGreaterThan(Number(first.epoch));
    const [row] = await office.server.select('select * from session_hosts order by registered_at desc limit 1');
    expect(row).toMatchObject({ state: 'online', draining: false });
    await expect(first.row('semo_heartbeat_host')).rejects.toMatchObject({ hint: 'lease_lost' });
    await expect(first.claim()).rejects.toMatchObject({ hint: 'lease_lost' });
    expect(await second.row('semo_heartbeat_host')).toMatchObject({ draining: false, lost_commands: [] });
  });

  it('refuses a host that speaks another protocol, and says who has to be upgraded', async () => {
    const office = stage().office();
    const newer = office.register('h1', { p_protocol: 2 });
    await expect(newer).rejects.toMatchObject({
      hint: 'not_supported',
      message:
        'This host speaks protocol 2, and the database understands 1 to 1. Upgrade the database by its migrations.',
    });
    await expect(office.register('h1', { p_protocol: 0 })).rejects.toThrow('Upgrade the host.');
    expect(await office.member.select('select * from session_hosts')).toEqual([]);
  });

  it('refuses ids that could be misread in a topic', async () => {
    const office = stage().office();
    await expect(office.register('h1:events')).rejects.toMatchObject({ code: '23514' });
  });

  it('gives a host that drains by its own word no new session, until it goes on or begins anew', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    const drain = (args = {}) => office.hostClient('h1').rows('semo_drain_host', args);
    await drain();
    expect(await host.row('semo_heartbeat_host')).toMatchObject({ draining: true });
    // Its office cannot take that back.
    await office.member.rows('semo_drain_host', { p_host_id: 'h1', p_draining: false });
    await expect(office.session()).rejects.toMatchObject({ hint: 'capacity_exhausted' });
    await drain({ p_draining: false });
    expect((await office.session()).hostId).toBe('h1');
    // A host may have the secret key, too.
    await office.server.rows('semo_drain_host', { p_host_id: 'h1', p_by_host: true });
    await office.register('h1', { p_draining: true });
    await expect(office.session()).rejects.toMatchObject({ hint: 'capacity_exhausted' });
    await office.register('h1');
    expect((await office.session()).hostId).toBe('h1');
  });

  it('lets nobody but the office take back that it drains a host, however often that begins anew', async () => {
    const office = stage().office();
    await office.register('h1');
    await office.member.rows('semo_drain_host', { p_host_id: 'h1' });
    const again = await office.register('h1');
    await office.hostClient('h1').rows('semo_drain_host', { p_draining: false });
    await office.hostClient('h1').rows('semo_drain_host', { p_draining: false, p_by_host: false });
    expect(await again.row('semo_heartbeat_host')).toMatchObject({ draining: true });
    await expect(office.session()).rejects.toMatchObject({ hint: 'capacity_exhausted' });
    const itself = office.member.rows('semo_drain_host', { p_host_id: 'h1', p_by_host: true });
    expect(await hintOf(itself)).toBe('not_permitted');
    // It is not forgotten with a host that is away.
    await again.rows('semo_sign_off_host');
    await stage().pass(2 * 3_600_000);
    await office.server.row('semo_sweep');
    await office.register('h1');
    await expect(office.session()).rejects.toMatchObject({ hint: 'capacity_exhausted' });
    await office.member.rows('semo_drain_host', { p_host_id: 'h1', p_draining: false });
    expect((await office.session()).hostId).toBe('h1');
    const unknown = office.server.rows('semo_drain_host', { p_host_id: 'nobody' });
    await expect(unknown).rejects.toMatchObject({ hint: 'host_lost' });
  });
}

function losing(stage: () => Stage): void {
  it('keeps a host that holds on to its lease, and loses one that does not, with its sessions', async () => {
    const office = stage().office();
    const [steady, silent] = [await office.register('h1'), await office.register('h2')];
    const [one, other] = [await office.session({ p_host_id: 'h1' }), await office.session({ p_host_id: 'h2' })];
    await stage().pass(10_000);
    await steady.row('semo_heartbeat_host');
    await stage().pass(5000);
    expect(await office.server.row('semo_sweep')).toMatchObject({ lost_hosts: ['h2'] });
    expect(await office.server.row('semo_sweep')).toMatchObject({ lost_hosts: [] });
    const sessions = await office.member.select('select session_id, host_lost_at is null as there from agent_sessions');
    expect(sessions).toContainEqual({ session_id: one.sessionId, there: true });
    expect(sessions).toContainEqual({ session_id: other.sessionId, there: false });
    await expect(silent.row('semo_heartbeat_host')).rejects.toMatchObject({ hint: 'lease_lost' });
    const asked = office.enqueue('cancel', { p_session_id: other.sessionId });
    await expect(asked).rejects.toMatchObject({ hint: 'host_lost' });
  });

  it('lets a host go on whose lease ran out unnoticed', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    await stage().pass(60_000);
    await host.row('semo_heartbeat_host');
    expect(await office.server.row('semo_sweep')).toMatchObject({ lost_hosts: [] });
  });

  it('takes a host that says goodbye off at once', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    await office.session();
    await host.rows('semo_sign_off_host');
    expect(await office.member.select('select state from session_hosts')).toEqual([{ state: 'gone' }]);
    expect(await office.member.select('select from agent_sessions where host_lost_at is not null')).toHaveLength(1);
    await expect(office.session()).rejects.toMatchObject({ hint: 'host_lost' });
    await expect(host.rows('semo_sign_off_host')).rejects.toMatchObject({ hint: 'lease_lost' });
  });
}

function comingBack(stage: () => Stage): void {
  it('lets a host that was cut off do nothing to what moved on', async () => {
    const office = stage().office();
    const old = await office.register('h1');
    const { sessionId } = await office.session();
    const [command] = await old.claim();
    const info = { sessionId, status: 'ready', createdAt: 1 };
    await old.rows('semo_report_session', { p_info: info });
    await stage().pass(15_000);
    await office.server.row('semo_sweep');
    const now = await office.register('h1', { p_sessions: [sessionId] });
    const request = { requestId: 'req_1', sessionId, turnId: 't1', kind: 'question', askedAt: 1 };
    const turn = { sessionId, turnId: 't1', state: { kind: 'running' }, acceptedAt: 1 };
    const ids = { p_session_id: sessionId, p_turn_id: 't1' };
    const attempts: [string, object][] = [
      [
        'semo_complete_command',
        { p_command_id: command?.['command_id'], p_lease_token: command?.['lease_token'], p_result: 1 },
      ],
      [
        'semo_fail_command',
        { p_command_id: command?.['command_id'], p_lease_token: command?.['lease_token'], p_error: {} },
      ],
      ['semo_claim_commands', {}],
      ['semo_heartbeat_host', {}],
      ['semo_sign_off_host', {}],
      ['semo_report_session', { p_info: { ...info, status: 'error' } }],
      ['semo_put_session', { p_record: { sessionId, hostId: 'x', info, endedAt: 2 } }],
      ['semo_report_turn', { p_turn: turn }],
      ['semo_put_turn', { p_record: { sessionId, turnId: 't1', delivery: { kind: 'intent', intentAt: 1 } } }],
      ['semo_advance_turn', { ...ids, p_step: { kind: 'accepted', at: 2 } }],
      ['semo_forget_turn', ids],
      ['semo_put_request', { p_record: { request, state: { kind: 'open' } } }],
      ['semo_settle_request', { p_request_id: 'req_1', p_state: { kind: 'expired', at: 2 } }],
      ['semo_give_request', { p_request_id: 'req_1', p_given_at: 2 }],
      ['semo_prune_sessions', { p_ended_before: 1e15 }],
      ['semo_prune_requests', { p_settled_before: 1e15 }],
    ];
    for (const [name, args] of attempts)
      expect([name, await hintOf(old.rows(name, { ...args }))]).toEqual([name, 'lease_lost']);
    const again = await now.claim();
    expect(again).toMatchObject([{ command_id: command?.['command_id'], attempts: 2, prior_epoch: old.epoch }]);
    const [session] = await office.member.select('select status, host_lost_at, ended_at from agent_sessions');
    expect(session).toEqual({ status: 'ready', host_lost_at: null, ended_at: null });
  });

  it('answers of a session that has ended what is known of it, once its host is not there any more', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    const { sessionId: p_session_id } = await office.session();
    for (const command of await host.claim()) await host.complete(command);
    const info = { sessionId: p_session_id, status: 'ready', createdAt: 1, terminalId: 'one', turnId: null };
    await host.rows('semo_report_session', { p_info: info });
    const ended = { name: 'status', sessionId: p_session_id, status: 'terminated', at: 2 };
    await host.rows('semo_publish_events', { p_seq: 1, p_events: JSON.stringify([ended]) });
    await office.enqueue('get_output', { p_session_id });
    const refusal = async () => {
      const refused = await office.enqueue('get_output', { p_session_id }).catch((error: unknown) => error);
      const { hint, detail } = refused as { readonly hint: string; readonly detail: string };
      return [hint, JSON.parse(detail) as unknown];
    };
    const then = { ...info, status: 'terminated', terminalId: null };
    const known = ['session_terminated', { sessionId: p_session_id, info: then }];
    await host.rows('semo_sign_off_host');
    expect(await refusal()).toEqual(known);
    await stage().pass(4_000_000);
    await office.server.row('semo_sweep');
    expect(await office.member.select('select from session_hosts')).toEqual([]);
    expect(await refusal()).toEqual(known);
    // It may be asked for what it has on its disk.
    await office.register('h1');
    expect(await office.enqueue('get_output', { p_session_id })).toMatchObject({ host_id: 'h1' });
  });

  it('loses the sessions that a host no longer has when it registers again, not those still to be made', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    const [kept, gone] = [await office.session(), await office.session()];
    for (const command of await host.claim()) await host.complete(command);
    const unmade = await office.session();
    await office.register('h1', { p_sessions: [kept.sessionId] });
    const lost = await office.member.select('select session_id from agent_sessions where host_lost_at is not null');
    expect(lost).toEqual([{ session_id: gone.sessionId }]);
    await office.register('h1', { p_sessions: [gone.sessionId, unmade.sessionId] });
    const then = await office.member.select('select session_id from agent_sessions where host_lost_at is not null');
    expect(then).toEqual([{ session_id: kept.sessionId }]);
  });
}
