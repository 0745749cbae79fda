import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SupabaseClient } from '@supabase/supabase-js';
import { startSupabase } from '@semo-office/testbed/supabase';
import type { LocalSupabase } from '@semo-office/testbed/supabase';
import { Clients, Ear, officePolicies, patience } from './supabase-clients.ts';

const topic = 'office:o1';

let supabase: LocalSupabase;
let clients: Clients;
let user: SupabaseClient;
beforeAll(async () => {
  supabase = await startSupabase();
  await supabase.sql(officePolicies);
  await supabase.sql('create table marks (n int); grant select, insert on marks to service_role');
});
afterAll(() => supabase[Symbol.asyncDispose]());
beforeEach(async () => {
  clients = new Clients(supabase);
  user = await clients.user({ office: 'o1' });
});
afterEach(() => clients[Symbol.asyncDispose]());

async function announce(...events: readonly string[]): Promise<void> {
  await supabase.sql("select realtime.send('{}', event, $1) from unnest($2::text[]) as event", [topic, events]);
}

function numbered(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `n${index}`);
}

/** Says something until it is heard: broadcasts to nobody are lost. */
async function hearsAgain(ear: Ear): Promise<void> {
  const hears = async (): Promise<boolean> => {
    await announce('again');
    return ear.events().includes('again');
  };
  await expect.poll(hears, { ...patience, interval: 50 }).toBe(true);
}

describe('the connection', () => {
  it('can be cut: the client comes back by itself, and has missed what was said meanwhile', async () => {
    const ear = await new Ear(user, topic).subscribe();
    expect(supabase.faults.realtime.dropSockets()).toBe(1);
    await announce('missed');
    await ear.until(() => ear.statuses.filter((status) => status === 'SUBSCRIBED').length === 2);
    await announce('heard');
    await ear.until(() => ear.heard.length > 0);
    expect(ear.statuses).toEqual(['SUBSCRIBED', 'CHANNEL_ERROR', 'SUBSCRIBED']);
    expect(ear.events()).toEqual(['heard']);
  });

  it('can be refused until the fault ends', async () => {
    const ear = await new Ear(user, topic).subscribe();
    const refusal = supabase.faults.realtime.refuseUpgrades();
    supabase.faults.realtime.dropSockets();
    const server = new Ear(clients.server(), topic);
    await expect(server.channel.httpSend('still', {})).resolves.toEqual({ success: true });
    await expect.poll(() => supabase.realtime.socketCount, patience).toBe(0);
    await server.subscribe();
    expect(server.statuses[0]).toBe('CHANNEL_ERROR');
    refusal.end();
    await hearsAgain(ear);
  });

  it('can be down for a time, HTTP included', async () => {
    const ear = await new Ear(user, topic).subscribe();
    const outage = supabase.faults.realtime.goDown({ forMs: 400 });
    await expect(ear.channel.httpSend('lost', {})).rejects.toThrow('Service Unavailable');
    await hearsAgain(ear);
    outage.end();
  });

  it('can fall silent while it stays open: missed heartbeats tell', async () => {
    const watchful = await clients.user({ office: 'o1' }, { heartbeatIntervalMs: 100 });
    const ear = await new Ear(watchful, topic).subscribe();
    const silence = supabase.faults.realtime.fallSilent();
    await announce('into the void');
    new Ear(clients.server(), 'office:unheard').channel.subscribe();
    await ear.until(() => ear.statuses.includes('CHANNEL_ERROR'));
    expect(supabase.realtime.joinedTopics).not.toContain('office:unheard');
    silence.end();
    await hearsAgain(ear);
    expect(ear.events()).not.toContain('into the void');
  });
});

it('closes channels as a server does, for good', async () => {
  const ear = await new Ear(user, topic).subscribe();
  expect(supabase.faults.realtime.closeChannels({ topic: 'office:o2' })).toBe(0);
  expect(supabase.faults.realtime.closeChannels({ topic, reason: 'Too many messages per second' })).toBe(1);
  await ear.until(() => ear.statuses.includes('CLOSED'));
  expect(ear.system).toMatchObject([{ status: 'error', message: 'Too many messages per second', channel: topic }]);
  expect(supabase.realtime.joinedTopics).toEqual([]);
});

describe('broadcasts', () => {
  it('can be lost, the same ones for the same seed', async () => {
    const lossesOf = async (seed: number): Promise<readonly string[]> => {
      const ear = await new Ear(await clients.user({ office: 'o1' }), topic).subscribe();
      const loss = supabase.faults.realtime.tamperWithBroadcasts({ lose: 0.5, seed });
      await announce(...numbered(40));
      // Through the same database and the same socket, so nothing can still be on its way.
      await expect.poll(async () => (await announce('tick'), ear.events().includes('tick')), patience).toBe(true);
      loss.end();
      await ear.channel.unsubscribe();
      return ear.events().filter((event) => event !== 'tick');
    };
    const [first, again, other] = [await lossesOf(7), await lossesOf(7), await lossesOf(8)];
    expect(first.length).toBeGreaterThan(10);
    expect(first.length).toBeLessThan(30);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('can come twice, late and in another order', async () => {
    const ear = await new Ear(user, topic).subscribe();
    using _mess = supabase.faults.realtime.tamperWithBroadcasts({ duplicate: 1, delayMs: [1, 100] });
    await announce(...numbered(20));
    await ear.until(() => ear.heard.length === 40);
    expect(new Set(ear.events())).toEqual(new Set(numbered(20)));
    expect(ear.events()).not.toEqual(ear.events().toSorted((one, two) => Number(one.slice(1)) - Number(two.slice(1))));
  });
});

describe('REST', () => {
  it('can fail, and be cut before or after the work is done', async () => {
    const { rest } = supabase.faults;
    const mark = (n: number) => clients.server().from('marks').insert({ n });
    {
      using _failing = rest.answerWith({ status: 502 });
      expect(await mark(1)).toMatchObject({ status: 502 });
    }
    {
      using _cut = rest.cutConnections();
      expect((await mark(2)).error?.message).toContain('fetch failed');
    }
    {
      using _cut = rest.cutConnections({ when: 'after' });
      expect((await mark(3)).error?.message).toContain('fetch failed');
    }
    expect(await mark(4)).toMatchObject({ status: 201 });
    expect(await supabase.sql('select n from marks')).toEqual([{ n: 3 }, { n: 4 }]);
  });
});

describe('the database', () => {
  it('can restart under everyone', async () => {
    const ear = await new Ear(user, topic).subscribe();
    await supabase.faults.postgres.restart();
    await expect.poll(async () => (await clients.server().from('marks').select().limit(0)).status, patience).toBe(200);
    await hearsAgain(ear);
    expect(ear.statuses).toEqual(['SUBSCRIBED']);
  });

  it('can be paused: nothing answers until it goes on', async () => {
    const { postgres } = supabase.faults;
    postgres.pause();
    const client = clients.server();
    const late = client.from('marks').select('n').limit(0).abortSignal(AbortSignal.timeout(200));
    expect((await late).error?.message).toContain('TimeoutError');
    postgres.resume();
    await expect.poll(async () => (await client.from('marks').select().limit(0)).status, patience).toBe(200);
  });
});
