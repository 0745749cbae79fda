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

    it('leave what was known of a session at its end, how it ended included', async () => {
      const office = stage().office();
      const host = await office.register('h1');
      const { sessionId } = await office.session();
      const info = { sessionId, status: 'terminated', createdAt: 1, exit: { code: 3, signal: null } };
      const events = [status(sessionId, 'ready'), status(sessionId, 'terminated')];
      await host.rows('semo_publish_events', {
        p_seq: 1,
        p_events: JSON.stringify(events),
        p_infos: JSON.stringify([info]),
      });
      expect(await office.member.select('select status, info from agent_sessions')).toEqual([
        { status: 'terminated', info },
      ]);
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

    it('are forgotten by the sweep where their hosts tell nothing more, the oldest first, so many at a time', async () => {
      const office = stage().office();
      const [one, two] = [await office.register('h1'), await office.register('h2')];
      for (const seq of [1, 2, 3]) {
        await publish(one, seq, []);
        await stage().pass(1);
      }
      await publish(two, 1, []);
      await stage().pass(600_000);
      const sweep = async (args = {}) => {
        await office.server.rows('semo_sweep', args);
        return marks(office, {});
      };
      expect(await sweep({ p_limit: 1 })).toEqual(['h1 2', 'h1 3', 'h2 1']);
      expect(await sweep()).toEqual(['h2 1']);
      await stage().pass(1);
      expect(await sweep()).toEqual([]);
    });

    answers(stage);
  });
}

/** How much of them comes in one answer. */
function answers(stage: () => Stage): void {
  it('come by as many bytes as an answer is to hold, of each host at least one and none out of order', async () => {
    const office = stage().office();
    const hosts = [await office.register('h1'), await office.register('h2'), await office.register('h3')] as const;
    const exit = (bytes: number) => [{ name: 'exit', pad: 'x'.repeat(bytes) }];
    for (const seq of [1, 2, 3, 4]) await publish(hosts[0], seq, exit(1000));
    await publish(hosts[1], 1, exit(5000));
    for (const seq of [1, 2]) await publish(hosts[2], seq, exit(100));
    const read = (after: object, args = {}) =>
      office.member.rows('semo_read_events', { p_after: JSON.stringify(after), ...args });
    const summary = (rows: Awaited<ReturnType<typeof read>>) => rows.map(({ host_id: id, seq }) => [id, seq].join(' '));
    const pages: string[][] = [];
    const after: Record<string, [unknown, unknown]> = {};
    for (let more = true; more;) {
      const rows = await read(after, { p_max_bytes: 7300 });
      for (const { host_id: id, epoch, seq } of rows) after[String(id)] = [epoch, seq];
      pages.push(summary(rows));
      more = rows.some((row) => row['more']);
    }
    expect(pages).toEqual([
      ['h1 1', 'h1 2', 'h2 1', 'h3 1'],
      ['h1 3', 'h1 4', 'h3 2'],
    ]);
    expect(summary(await read({}, { p_max_bytes: 1 }))).toEqual(['h1 1', 'h2 1', 'h3 1']);
    const limited = await read({}, { p_limit: 2 });
    expect(summary(limited)).toEqual(['h1 1', 'h1 2', 'h2 1', 'h3 1', 'h3 2']);
    expect(limited.every(({ more }) => more)).toBe(true);
    expect((await read({})).some(({ more }) => more)).toBe(false);
  });

  it('come by a megabyte, unless more is asked for', async () => {
    const office = stage().office();
    for (const hostId of ['h1', 'h2']) await office.register(hostId);
    await stage().postgres.sql(
      `insert into semo.event_batches (office_id, host_id, epoch, seq, events)
       select h.office_id, h.host_id, h.epoch, n, jsonb_build_array(repeat('x', 65536))
       from public.session_hosts h, generate_series(1, 100) n where h.office_id = $1`,
      [office.officeId],
    );
    const rows = await office.member.rows('semo_read_events');
    const bytes = JSON.stringify(rows).length;
    expect(bytes).toBeGreaterThan(900_000);
    expect(bytes).toBeLessThan(1_100_000);
    expect(new Set(rows.map(({ host_id: host }) => host)).size).toBe(2);
  });
}

function publish(host: Host, seq: number, events: readonly object[]): Promise<unknown> {
  return host.rows('semo_publish_events', { p_seq: seq, p_events: JSON.stringify(events) });
}

async function marks(office: Office, after: object): Promise<string[]> {
  const rows = await office.member.rows('semo_read_events', { p_after: JSON.stringify(after) });
  return rows.map(({ host_id: id, seq }) => `${String(id)} ${String(seq)}`);
}
