import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startSupabase } from '@semo-office/testbed/supabase';
import type { LocalSupabase } from '@semo-office/testbed/supabase';
import { Clients, Ear, officePolicies, patience } from './supabase-clients.ts';

const topic = 'office:o1';

let supabase: LocalSupabase;
let clients: Clients;
beforeAll(async () => {
  supabase = await startSupabase();
  await supabase.sql(officePolicies);
});
afterAll(() => supabase[Symbol.asyncDispose]());
beforeEach(() => {
  clients = new Clients(supabase);
});
afterEach(() => clients[Symbol.asyncDispose]());

describe('a private channel', () => {
  it('lets in whom the policies let hear, and tells the others why not', async () => {
    const user = await clients.user({ office: 'o1' });
    const allowed = await new Ear(user, topic).subscribe();
    const denied = await new Ear(user, 'office:o2').subscribe();
    const anonymous = await new Ear(clients.anonymous(), topic).subscribe();
    const server = await new Ear(clients.server(), 'office:o2').subscribe();
    const reason = 'Unauthorized: You do not have permissions to read from this Channel topic: office:o2';
    expect(allowed.statuses).toEqual(['SUBSCRIBED']);
    expect([denied.statuses[0], denied.errors[0]]).toEqual(['CHANNEL_ERROR', reason]);
    expect(anonymous.statuses[0]).toBe('CHANNEL_ERROR');
    expect(server.statuses).toEqual(['SUBSCRIBED']);
    // The probes of the policies leave nothing behind.
    expect(await supabase.sql('select 1 from realtime.messages')).toEqual([]);
  });

  it('carries a broadcast to the others, and to its sender only when asked', async () => {
    const host = await clients.user({ office: 'o1', host: 'h1' });
    const speaker = await new Ear(host, topic, { broadcast: { ack: true } }).subscribe();
    const self = { broadcast: { ack: true, self: true } };
    const echo = await new Ear(await clients.user({ office: 'o1', host: 'h2' }), topic, self).subscribe();
    const payload = { text: 'grüß dich ✓', list: [1, null] };
    expect(await speaker.channel.send({ type: 'broadcast', event: 'said', payload })).toBe('ok');
    expect(await echo.channel.send({ type: 'broadcast', event: 'echoed', payload: {} })).toBe('ok');
    await echo.until(() => echo.heard.length === 2);
    await speaker.until(() => speaker.heard.length === 1);
    expect(echo.heard[0]).toEqual({ event: 'said', payload });
    expect(speaker.events()).toEqual(['echoed']);
  });

  it('swallows the broadcast of somebody who may not speak', async () => {
    const listener = await new Ear(clients.server(), topic).subscribe();
    const mute = await new Ear(await clients.user({ office: 'o1' }), topic, { broadcast: { ack: true } }).subscribe();
    const message = { type: 'broadcast', event: 'denied', payload: {} } as const;
    expect(await mute.channel.send(message, { timeout: 300 })).toBe('timed out');
    await expect(mute.channel.httpSend('denied', {})).rejects.toThrow('Unauthorized');
    await supabase.sql("select realtime.send('{}', 'last', $1)", [topic]);
    await listener.until(() => listener.events().includes('last'));
    expect(listener.events()).toEqual(['last']);
  });

  it('hears realtime.send and realtime.broadcast_changes once they are committed', async () => {
    const ear = await new Ear(await clients.user({ office: 'o1' }), topic, {
      broadcast: { replication_ready: true },
    }).subscribe();
    await ear.until(() => ear.system.some(({ message }) => message === 'Replication connection established'));
    await supabase.sql("begin; select realtime.send('{}', 'undone', 'office:o1'); rollback");
    await supabase.sql("select realtime.send('{}', 'public', 'office:o1', false)");
    await supabase.sql('select realtime.send($1, $2, $3)', [{ id: 'c1', seq: 7 }, 'command', topic]);
    await supabase.sql(`
      create table commands (id text);
      create function announce() returns trigger language plpgsql as $$ begin
        perform realtime.broadcast_changes('office:o1', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
        return null;
      end $$;
      create trigger announce after insert on commands for each row execute function announce();
      insert into commands values ('c2')`);
    await ear.until(() => ear.heard.length === 2);
    expect(ear.heard[0]).toEqual({ event: 'command', payload: { id: 'c1', seq: 7 } });
    expect(ear.heard[1]).toMatchObject({
      event: 'INSERT',
      payload: { record: { id: 'c2' }, old_record: null, operation: 'INSERT', table: 'commands', schema: 'public' },
    });
  });

  it('closes when its token ends, and stays open with a new one', async () => {
    const nowS = Math.floor(Date.now() / 1_000);
    const short = { office: 'o1', exp: nowS + 3 };
    const ending = await new Ear(await clients.user(short), topic).subscribe();
    const renewing = await new Ear(await clients.user(short), topic).subscribe();
    renewing.channel.socket.accessToken = () => supabase.jwt({ office: 'o1' });
    await renewing.channel.socket.setAuth();
    await ending.until(() => ending.statuses.includes('CLOSED'));
    expect(ending.system).toMatchObject([
      { status: 'error', message: expect.stringMatching(/^Token has expired \d+ seconds ago$/) },
    ]);
    expect(renewing.statuses).toEqual(['SUBSCRIBED']);
    expect(supabase.realtime.joinedTopics).toEqual([topic]);
    // A client that comes with the ended token is told so.
    const late = await new Ear(await clients.user(short), topic).subscribe();
    expect(late.errors[0]).toMatch(/^InvalidJWTToken: Token has expired/);
  });

  it('closes when a new token takes the right to hear away', async () => {
    const ear = await new Ear(await clients.user({ office: 'o1' }), topic).subscribe();
    ear.channel.socket.accessToken = () => supabase.jwt({ office: 'o2' });
    await ear.channel.socket.setAuth();
    await ear.until(() => ear.statuses.includes('CLOSED'));
    expect(ear.system[0]?.message).toContain('You do not have permissions to read');
  });
});

describe('a public channel', () => {
  it('needs no policy, and is no other name for the private one', async () => {
    const [one, other] = [clients.anonymous(), clients.anonymous()];
    const open = { private: false };
    const speaker = await new Ear(one, topic, open).subscribe();
    const listener = await new Ear(other, topic, open).subscribe();
    const hidden = await new Ear(clients.server(), topic).subscribe();
    await speaker.channel.send({ type: 'broadcast', event: 'open', payload: {} });
    await listener.until(() => listener.heard.length === 1);
    await hidden.channel.httpSend('closed', { n: 1 });
    await hidden.until(() => hidden.heard.length === 1);
    expect([listener.events(), hidden.events()]).toEqual([['open'], ['closed']]);
  });

  it('tells who is there, and who has left', async () => {
    const [one, other] = [clients.anonymous(), clients.anonymous()];
    const at = (key: string) => ({ private: false, presence: { key, enabled: true } });
    const first = await new Ear(one, 'room', at('one')).subscribe();
    const second = await new Ear(other, 'room', at('two')).subscribe();
    await first.channel.track({ mood: 'calm' });
    await first.channel.track({ mood: 'busy' });
    await second.channel.track({ mood: 'new' });
    const seen = (): object => {
      const state = second.channel.presenceState<{ mood: string }>();
      return Object.fromEntries(Object.entries(state).map(([key, [who]]) => [key, who?.mood]));
    };
    await expect.poll(seen, patience).toEqual({ one: 'busy', two: 'new' });
    await one.removeChannel(first.channel);
    await expect.poll(seen, patience).toEqual({ two: 'new' });
  });

  it('speaks the old wire format too', async () => {
    const socket = new WebSocket(
      `${supabase.url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${supabase.publishableKey}&vsn=1.0.0`,
    );
    const messages: { readonly ref: string | null }[] = [];
    socket.addEventListener('message', ({ data }) => {
      messages.push(JSON.parse(String(data)) as (typeof messages)[number]);
    });
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    const say = (message: object): void => socket.send(JSON.stringify(message));
    say({ topic: 'phoenix', event: 'heartbeat', payload: {}, ref: '1' });
    say({ topic: 'realtime:old', event: 'phx_join', payload: { config: {} }, ref: '2' });
    say({ topic: 'realtime:none', event: 'broadcast', payload: {}, ref: '3' });
    await expect.poll(() => messages.length, patience).toBe(3);
    await new Ear(clients.server(), 'old', { private: false }).channel.httpSend('hi', { n: 1 });
    await expect.poll(() => messages.length, patience).toBe(4);
    socket.close();
    const reply = { event: 'phx_reply', payload: { status: 'ok' } };
    expect(messages.sort((one, other) => Number(one.ref ?? 9) - Number(other.ref ?? 9))).toMatchObject([
      { ...reply, topic: 'phoenix', ref: '1' },
      { ...reply, topic: 'realtime:old', ref: '2' },
      { payload: { status: 'error', response: { reason: 'unmatched topic' } }, ref: '3' },
      { topic: 'realtime:old', event: 'broadcast', payload: { type: 'broadcast', event: 'hi', payload: { n: 1 } } },
    ]);
  });
});

it('forgets clients that have gone', async () => {
  await new Ear(clients.server(), topic).subscribe();
  await clients[Symbol.asyncDispose]();
  await expect.poll(() => supabase.realtime.socketCount, patience).toBe(0);
  expect(supabase.realtime.joinedTopics).toEqual([]);
});
