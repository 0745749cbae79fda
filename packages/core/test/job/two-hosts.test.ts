import { describe, expect, it } from 'vitest';

import { SemoError, type SessionInfo } from '../../src/index.ts';
import { FakeClock, createScriptedSessions } from '../../testing/index.ts';
import { job, stagedOffice } from './office-stage.ts';

/** Two hosts behind one manager, which says whose each session is; sessions of the agent `a` run on the first. */
function twoHosts(clock: FakeClock) {
  const hosts = { a: createScriptedSessions({ clock }), b: createScriptedSessions({ clock }) };
  const lost = new Set<'a' | 'b'>();
  const where = new Map<string, 'a' | 'b'>();
  const named = (info: SessionInfo | null) => info && { ...info, hostId: where.get(info.sessionId) };
  const manager = new Proxy(hosts.a, {
    get(target, name): unknown {
      if (name === 'on' || name === 'close' || name === 'list') return Reflect.get(target, name, target).bind(target);
      return async (first: string | { readonly sessionId: string; readonly agentId?: string }, ...rest: unknown[]) => {
        const sessionId = typeof first === 'string' ? first : first.sessionId;
        if (typeof first !== 'string') where.set(sessionId, first.agentId === 'a' ? 'a' : 'b');
        const hostId = where.get(sessionId) ?? 'a';
        if (lost.has(hostId) && name !== 'create' && name !== 'get') throw new SemoError('host_lost', 'Gone.');
        const call = Reflect.get(hosts[hostId], name) as (...given: unknown[]) => Promise<unknown>;
        const answer = await Reflect.apply(call, hosts[hostId], [first, ...rest]);
        return name === 'create' || name === 'get' ? named(answer as SessionInfo | null) : answer;
      };
    },
  });
  return { manager, lost, close: () => Promise.all([hosts.a.close(), hosts.b.close()]) };
}

const on = (agentId: string) => ({ ...job(), session: { ...job().session!, agentId } });

describe('an office over two hosts', () => {
  it('lets none of them stand for the other', async () => {
    const clock = new FakeClock();
    const { manager, lost, close } = twoHosts(clock);
    const { office } = stagedOffice([], {
      clock,
      sessions: manager,
      hostPatienceMs: 0,
      policy: { classes: { host_lost: { kind: 'fail' } } },
      breakers: { host: { failureThreshold: 2 } },
      onFault: () => undefined,
    });
    const breakers = async () =>
      Object.fromEntries((await office.status()).breakers.map(({ name, state }) => [name, state]));
    const told: string[] = [];
    office.on('breaker', ({ name, state }) => told.push(`${name} ${state}`));
    lost.add('a');
    for (let attempt = 0; attempt < 3; attempt += 1)
      expect(await office.executeJob(on('a'))).toMatchObject({ error: { code: 'host_lost' } });
    expect(await office.executeJob(on('b'))).toMatchObject({ outcome: 'completed' });
    expect(await breakers()).toEqual({ provider: 'closed', host: 'closed', 'host:a': 'open', 'host:b': 'closed' });
    expect(told).toEqual(['host:a open']);
    lost.clear();
    await office.close();
    await close();
  });
});
