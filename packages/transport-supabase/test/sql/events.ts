import { describe, expect, it } from 'vitest';

import type { Host, Office, Stage } from './stage.ts';

const status = (sessionId: string, to: string) => ({ name: 'status', sessionId, status: to, at: 1 });
const turn = (sessionId: string, change: string, state: object) => ({
  name: 'turn',
  change,
  turn: { sessionId, turnId: 'turn_1', acceptedAt: 1, state },
});

/** What hosts tell: read in order by whoever listens, and written as rows where it must last. */
export function describeEvents(stage: () => Stage): void {
  describe('events', () => {
    it('are read in order from a mark on, each host by itself, and told once', async () => {
      const office = stage().office();
      const [one, two] = [await office.register('h1'), await office.register('h2')];
      for (const [host, seq] of [
        [one, 1],
        [two, 1],
        [one, 2],
        [one, 2],
      ] as const)
        await publish(host, seq, [{ name: 'exit', at: seq }]);
      expect(await marks(office, {})).toEqual(['h1 1', 'h1 2', 'h2 1']);
      expect(await marks(office, { h1: [Number(one.epoch), 1] })).toEqual(['h1 2', 'h2 1']);
      const heads = await office.member.rows('semo_event_heads');
      expect(Object.fromEntries(heads.map(({ host_id: id, seq }) => [id, Number(seq)]))).toEqual({ h1: 2, h2: 1 });
    });

    it('become rows where they must last, and one that is refused hides no other', async () => {
      const office = stage().office();
      const host = await office.register('h1');
      const { sessionId } = await office.session();
      await publish(host, 1, [
        status('ses_of_nobody', 'ready'),
        turn(sessionId, 'started', { kind: 'running' }),
        turn(sessionId, 'ended', { kind: 'ended', outcome: 'completed', at: 5 }),
        status(sessionId, 'terminated'),
      ]);
      const ended = { p_session_id: sessionId, p_turn_id: 'turn_1' };
      expect(await office.member.value('semo_ended_turn', ended)).toMatchObject({ state: { outcome: 'completed' } });
      const [session] = await office.member.select(
        `select status, ended_at is not null as ended from agent_sessions where session_id = '${sessionId}'`,
      );
      expect(session).toEqual({ status: 'terminated', ended: true });
    });

    it('are not taken from who was given up, and are forgotten after a while', async () => {
      const office = stage().office();
      const before = await office.register('h1');
      const after = await office.register('h1');
      await expect(publish(before, 1, [])).rejects.toMatchObject({ hint: 'lease_lost' });
      await publish(after, 1, []);
      await stage().pass(600_001);
      await publish(after, 2, []);
      expect(await marks(office, {})).toEqual(['h1 2']);
    });
  });
}

function publish(host: Host, seq: number, events: readonly object[]): Promise<unknown> {
  return host.rows('semo_publish_events', { p_seq: seq, p_events: JSON.stringify(events) });
}

async function marks(office: Office, after: object): Promise<string[]> {
  const rows = await office.member.rows('semo_read_events', { p_after: JSON.stringify(after) });
  return rows.map(({ host_id: id, seq }) => `${String(id)} ${String(seq)}`);
}
