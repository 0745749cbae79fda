import { describe, expect, it } from 'vitest';

import type { Stage } from './stage.ts';

const WEEK_MS = 7 * 24 * 3_600_000;

/** What is forgotten, and what never is. */
export function describeRetention(stage: () => Stage): void {
  describe('forgetting', () => {
    it('forgets what was over long ago, in portions, and nothing that is open', async () => {
      const office = stage().office();
      const now = Date.parse('2026-01-01');
      const host = await office.register('h1');
      const sessions = [await office.session(), await office.session(), await office.session()];
      for (const command of await host.claim()) await host.complete(command);
      const [ended, open] = sessions.map(({ sessionId }) => sessionId);
      const info = { sessionId: ended, status: 'terminated', createdAt: 1 };
      await host.rows('semo_report_session', { p_info: info });
      const turn = {
        sessionId: ended,
        turnId: 'turn_1',
        state: { kind: 'ended', outcome: 'failed', at: now },
        acceptedAt: 1,
      };
      await host.rows('semo_report_turn', { p_turn: turn });
      await host.rows('semo_report_turn', { p_turn: { ...turn, sessionId: open, state: { kind: 'running' } } });
      for (const requestId of ['req_1', 'req_2']) {
        const request = { requestId, sessionId: ended, turnId: 'turn_1', kind: 'question', askedAt: now };
        await host.rows('semo_put_request', { p_record: { request, state: { kind: 'open' } } });
      }
      await host.value('semo_settle_request', { p_request_id: 'req_1', p_state: { kind: 'expired', at: now } });
      await stage().pass(WEEK_MS + 1);
      const fresh = await office.register('h1');
      await office.enqueue('cancel', { p_session_id: open });
      const prune = (args = {}) => office.member.value('semo_prune', args);
      expect(await prune({ p_older_than_ms: 2 * WEEK_MS })).toBe(0);
      // Three commands, a turn, a request, and the session that has nothing left then.
      const portions = [await prune({ p_limit: 2 }), await prune()] as number[];
      expect(portions[0]).toBeLessThan(6);
      expect(portions).toEqual([portions[0], 6 - Number(portions[0])]);
      expect(await prune()).toBe(0);
      expect(await office.member.select('select from agent_command_results')).toEqual([]);
      expect(await office.member.select('select request_id, state from agent_requests')).toEqual([
        { request_id: 'req_2', state: 'open' },
      ]);
      expect(await office.member.select('select from agent_sessions')).toHaveLength(2);
      expect(await office.member.select('select session_id, state from agent_turns')).toEqual([
        { session_id: open, state: 'running' },
      ]);
      expect(await fresh.claim()).toMatchObject([{ kind: 'cancel' }]);
    });

    it('keeps dead commands longer, for somebody may want them again', async () => {
      const office = stage().office();
      const host = await office.register('h1');
      await office.session({ p_expires_ms: 10 });
      await host.claim({ p_lease_ms: 10 });
      await stage().pass(10);
      await office.server.row('semo_sweep');
      await stage().pass(9 * WEEK_MS);
      expect(await office.member.value('semo_prune')).toBe(0);
      await stage().pass(WEEK_MS + 1);
      // The command and its session.
      expect(await office.member.value('semo_prune')).toBe(2);
    });

    it('forgets a lost host with all that was on it, and never gives its epoch again', async () => {
      const office = stage().office();
      const host = await office.register('h1');
      await host.rows('semo_report_session', { p_info: { sessionId: 'ses_1', status: 'executing', createdAt: 1 } });
      const turn = { sessionId: 'ses_1', turnId: 'turn_1', state: { kind: 'running' }, acceptedAt: 1 };
      await host.rows('semo_report_turn', { p_turn: turn });
      await stage().pass(15_000);
      await office.server.row('semo_sweep');
      await stage().pass(WEEK_MS + 1);
      expect(await office.member.value('semo_prune')).toBe(3);
      const again = await office.register('h1');
      expect(Number(again.epoch)).toBeGreaterThan(Number(host.epoch));
      await expect(host.row('semo_heartbeat_host')).rejects.toMatchObject({ hint: 'lease_lost' });
    });

    it('forgets no more at once than it is asked to, also of what was lost', async () => {
      const office = stage().office();
      const host = await office.register('h1');
      const turn = { sessionId: 'ses_1', state: { kind: 'running' }, acceptedAt: 1 };
      for (const turnId of ['turn_1', 'turn_2', 'turn_3'])
        await host.rows('semo_report_turn', { p_turn: { ...turn, turnId } });
      await host.rows('semo_report_session', { p_info: { sessionId: 'ses_1', status: 'executing', createdAt: 1 } });
      await stage().pass(15_000);
      await office.server.row('semo_sweep');
      await stage().pass(WEEK_MS + 1);
      const portion = () => office.member.value('semo_prune', { p_limit: 2 });
      expect(await portion()).toBe(2);
      expect(await office.member.select('select from agent_turns')).toHaveLength(1);
      // The last of them, the session, and the host.
      expect([await portion(), await portion()]).toEqual([3, 0]);
    });

    it('forgets a turn that never ended with its session', async () => {
      const office = stage().office();
      const host = await office.register('h1');
      await host.rows('semo_report_session', { p_info: { sessionId: 'ses_1', status: 'terminated', createdAt: 1 } });
      const turn = { sessionId: 'ses_1', turnId: 'turn_1', state: { kind: 'running' }, acceptedAt: 1 };
      await host.rows('semo_report_turn', { p_turn: turn });
      await stage().pass(WEEK_MS);
      expect(await office.member.value('semo_prune')).toBe(0);
      await stage().pass(1);
      expect(await office.member.value('semo_prune')).toBe(2);
    });

    it('is done by one of several who come at about the same time', async () => {
      const office = stage().office();
      const host = await office.register('h1');
      const over = async () => {
        await office.enqueue('list_sessions', { p_host_id: 'h1' });
        for (const command of await host.claim()) await host.complete(command);
        await stage().pass(1);
      };
      const prune = (p_pause_ms: number) => office.member.value('semo_prune', { p_older_than_ms: 0, p_pause_ms });
      await over();
      expect(await prune(1000)).toBe(1);
      await over();
      expect(await prune(1000)).toBe(0);
      // Whoever has begun goes on.
      expect(await prune(0)).toBe(1);
      await over();
      await stage().pass(999);
      expect(await prune(1000)).toBe(1);
    });

    it('forgets hosts an hour after they went away, but none that has something open', async () => {
      const office = stage().office();
      const [gone, lost] = [await office.register('h1'), await office.register('h2')];
      await office.register('h3', { p_lease_ms: 2 * WEEK_MS });
      await gone.rows('semo_sign_off_host');
      await lost.rows('semo_report_session', { p_info: { sessionId: 'ses_1', status: 'ready', createdAt: 1 } });
      const sweepAfter = async (ms: number) => {
        await stage().pass(ms);
        await office.server.row('semo_sweep', { p_grace_ms: WEEK_MS });
        const hosts = await office.member.select('select host_id from session_hosts order by host_id');
        return hosts.map(({ host_id: id }) => id);
      };
      const HOUR_MS = 3_600_000;
      expect(await sweepAfter(HOUR_MS - 1)).toEqual(['h1', 'h2', 'h3']);
      expect(await sweepAfter(1)).toEqual(['h2', 'h3']);
      // Its session is given up now.
      expect(await sweepAfter(WEEK_MS)).toEqual(['h3']);
      expect(Number((await office.register('h1')).epoch)).toBeGreaterThan(Number(gone.epoch));
    });
  });
}
