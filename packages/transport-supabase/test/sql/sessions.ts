import { describe, expect, it } from 'vitest';

import type { Stage } from './stage.ts';

/** What hosts tell of sessions and turns, where no store is kept here. */
export function describeSessions(stage: () => Stage): void {
  describe('sessions and turns', () => {
    sessions(stage);
    turns(stage);
  });
}

function sessions(stage: () => Stage): void {
  it('keeps what a host announces of a session, and its end for good', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    const report = (status: string) =>
      host.rows('semo_report_session', {
        p_info: { sessionId: 'ses_1', status, createdAt: 1.5, agent: { kind: 'claude', conversationId: 'conv' } },
      });
    const row = async () =>
      (
        await office.member.select(
          'select status, conversation_id, created_ms, ended_at is null as open from agent_sessions',
        )
      )[0];
    await report('ready');
    expect(await row()).toEqual({ status: 'ready', conversation_id: 'conv', created_ms: 1.5, open: true });
    await report('terminated');
    expect(await row()).toMatchObject({ status: 'terminated', open: false });
    await report('ready');
    expect(await row()).toMatchObject({ status: 'terminated', open: false });
  });

  it('lets no other host take a session over', async () => {
    const office = stage().office();
    const [host, other] = [await office.register('h1'), await office.register('h2')];
    const info = { sessionId: 'ses_1', status: 'ready', createdAt: 1 };
    const turn = { sessionId: 'ses_1', turnId: 'turn_1', state: { kind: 'running' }, acceptedAt: 1 };
    await host.rows('semo_report_session', { p_info: info });
    await host.rows('semo_put_turn', {
      p_record: { sessionId: 'ses_1', turnId: 'turn_1', delivery: { kind: 'intent', intentAt: 1 } },
    });
    const conflict = { hint: 'session_conflict' };
    await expect(other.rows('semo_report_session', { p_info: info })).rejects.toMatchObject(conflict);
    await expect(other.rows('semo_put_session', { p_record: { sessionId: 'ses_1', info } })).rejects.toMatchObject(
      conflict,
    );
    await expect(other.rows('semo_report_turn', { p_turn: turn })).rejects.toMatchObject(conflict);
    const ids = { p_session_id: 'ses_1', p_turn_id: 'turn_1' };
    expect(await other.value('semo_advance_turn', { ...ids, p_step: { kind: 'accepted', at: 2 } })).toBe(false);
    await other.rows('semo_forget_turn', ids);
    expect(await office.member.select('select delivery from agent_turns')).toEqual([{ delivery: 'intent' }]);
  });

  it('writes nothing of an earlier epoch over what a later one has written', async () => {
    const office = stage().office();
    const old = await office.register('h1');
    const info = { sessionId: 'ses_1', status: 'ready', createdAt: 1 };
    await old.rows('semo_report_session', { p_info: info });
    const now = await office.register('h1');
    await now.rows('semo_report_session', { p_info: { ...info, status: 'executing' } });
    // A write of the earlier epoch that passed its fence just before the later one began.
    await stage().postgres.sql('update public.session_hosts set epoch = $2 where office_id = $1', [
      office.officeId,
      old.epoch,
    ]);
    await old.rows('semo_report_session', { p_info: info });
    await old.rows('semo_put_session', { p_record: { sessionId: 'ses_1', info } });
    expect(await office.member.select('select status from agent_sessions')).toEqual([{ status: 'executing' }]);
  });
}

function turns(stage: () => Stage): void {
  const running = { sessionId: 'ses_1', turnId: 'turn_1', acceptedAt: 2, state: { kind: 'running' } };
  const ended = (outcome: string) => ({ ...running, state: { kind: 'ended', outcome, at: 9 } });

  it('keeps the first verdict on a turn', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    for (const turn of [running, ended('completed'), ended('failed'), running])
      await host.rows('semo_report_turn', { p_turn: turn });
    const rows = await office.member.select('select state, outcome, info, ended_ms, delivery from agent_turns');
    expect(rows).toEqual([
      { state: 'ended', outcome: 'completed', info: ended('completed'), ended_ms: 9, delivery: null },
    ]);
  });

  it('joins what is announced and what is recorded of one turn, whichever comes first', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    const ids = { p_session_id: 'ses_1', p_turn_id: 'turn_1' };
    const record = {
      sessionId: 'ses_1',
      turnId: 'turn_1',
      delivery: { kind: 'submitted', intentAt: 1, submittedAt: 1 },
    };
    await host.rows('semo_report_turn', { p_turn: running });
    await host.rows('semo_put_turn', { p_record: record });
    await host.rows('semo_report_turn', { p_turn: ended('completed') });
    expect(
      await host.value('semo_advance_turn', { ...ids, p_step: { kind: 'ended', at: 9, turn: ended('completed') } }),
    ).toBe(true);
    const [row] = await office.member.select('select * from agent_turns');
    expect(row).toMatchObject({ state: 'ended', delivery: 'ended', outcome: 'completed', ended_ms: 9 });
    expect(row?.['record']).toMatchObject({
      delivery: { kind: 'ended', submittedAt: 1, acceptedAt: null, endedAt: 9 },
    });
  });
}
