import { fileURLToPath } from 'node:url';
import {
  createClient,
  REALTIME_SUBSCRIBE_STATES,
  type RealtimeChannel,
  type SupabaseClient,
} from '@supabase/supabase-js';
import { startSupabase, type LocalSupabase } from '@semo-office/testbed/supabase';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import type { Database } from '../src/index.ts';
import { semoClaims } from './sql/stage.ts';

const MIGRATIONS = fileURLToPath(new URL('../supabase/migrations', import.meta.url));
const office = { p_office_id: 'acme' };
const host = { ...office, p_host_id: 'h1' };

type OurClient = SupabaseClient<Database>;

// The functions over the real REST and Realtime protocols, with supabase-js as it is and with our types.
describe('over the API', () => {
  let supabase: LocalSupabase;
  const clients: OurClient[] = [];
  beforeAll(async () => {
    supabase = await startSupabase();
    await supabase.applyMigrations(MIGRATIONS);
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.removeAllChannels()));
    await supabase[Symbol.asyncDispose]();
  });

  const server = (): OurClient => {
    const client = createClient<Database>(supabase.url, supabase.secretKey, { auth: { persistSession: false } });
    clients.push(client);
    return client;
  };
  const user = async (semo: Record<string, unknown>): Promise<OurClient> => {
    const accessToken = () => supabase.jwt(semoClaims(semo));
    const client = createClient<Database>(supabase.url, supabase.publishableKey, { accessToken });
    clients.push(client);
    await client.realtime.setAuth();
    return client;
  };
  const hostOf = (officeId: string) => user({ role: 'host', office_id: officeId, host_id: 'h1' });

  it('wakes the host of a command, which answers it, which wakes the office', async () => {
    const [asking, working] = [server(), await hostOf('acme')];
    const [commands, events] = [
      await listen(working, 'office:acme:commands:h1'),
      await listen(asking, 'office:acme:events'),
    ];
    const registered = await working.rpc('semo_register_host', {
      ...host,
      p_protocol: 1,
      p_capacity: 2,
      p_labels: ['eu'],
    });
    const [{ epoch } = { epoch: 0 }] = registered.data ?? [];
    const asked = await asking.rpc('semo_enqueue_command', {
      ...office,
      p_command_id: 'cmd_1',
      p_kind: 'create_session',
      p_session_id: 'ses_1',
      p_payload: { kind: 'create_session', sessionId: 'ses_1', spec: { text: '한국어 🙂' } },
    });
    expect(asked).toMatchObject({ error: null, data: [{ host_id: 'h1', seq: 1, status: 'pending' }] });
    const wakeUp = { id: 'cmd_1', session_id: 'ses_1', seq: 1 };
    await vi.waitFor(() => expect(commands.heard).toContainEqual(['command', wakeUp]), PATIENCE);

    const claimed = await working.rpc('semo_claim_commands', { ...host, p_epoch: epoch });
    const [command] = claimed.data ?? [];
    expect(command).toMatchObject({ payload: { spec: { text: '한국어 🙂' } }, attempts: 1, prior_epoch: null });
    const answer = {
      p_command_id: 'cmd_1',
      p_lease_token: command?.lease_token ?? '',
      p_result: { sessionId: 'ses_1' },
    };
    expect((await working.rpc('semo_complete_command', { ...host, p_epoch: epoch, ...answer })).error).toBeNull();
    await vi.waitFor(() => expect(events.heard).toContainEqual(['result', wakeUp]), PATIENCE);
    const results = await asking.from('agent_command_results').select('success, result').eq('command_id', 'cmd_1');
    expect(results.data).toEqual([{ success: true, result: { sessionId: 'ses_1' } }]);
    const rows = await working.from('agent_sessions').select('session_id, host_id');
    expect(rows.data).toEqual([{ session_id: 'ses_1', host_id: 'h1' }]);
  });

  it('says why it refuses: a code of ours as the hint, facts as the details', async () => {
    const refused = await (
      await hostOf('other')
    ).rpc('semo_register_host', {
      p_office_id: 'other',
      p_host_id: 'h1',
      p_protocol: 99,
      p_capacity: 1,
    });
    expect(refused).toMatchObject({ status: 400, error: { code: 'P0001', hint: 'not_supported' } });
    expect(JSON.parse(refused.error?.details ?? '')).toEqual({ protocol: 99 });
    const stranger = await (await hostOf('other')).rpc('semo_claim_commands', { ...host, p_epoch: 1 });
    expect(stranger).toMatchObject({ status: 403, error: { code: '42501', hint: 'not_permitted' } });
  });

  it('lets no host send anything, and a host of another office hear nothing', async () => {
    const [own, strange] = [await hostOf('acme'), await hostOf('other')];
    const topic = (client: OurClient) => client.channel('office:acme:events', { config: { private: true } });
    for (const client of [own, strange])
      await expect(topic(client).httpSend('events', { id: 'h1' })).rejects.toThrow('Unauthorized');
    for (const name of ['office:acme:events', 'office:acme:commands:h1'])
      expect(await listen(strange, name)).toMatchObject({ status: 'CHANNEL_ERROR' });
  });
});

const PATIENCE = { timeout: 10_000, interval: 10 };

interface Ear {
  readonly channel: RealtimeChannel;
  readonly status: string;
  /** Each event with what it carries, the server's own ids aside. */
  readonly heard: (readonly [event: string, payload: unknown])[];
}

/** Joins a channel, and waits for its first status and for the database's messages to flow. */
async function listen(client: OurClient, topic: string): Promise<Ear> {
  const heard: Ear['heard'] = [];
  const config = { private: true, broadcast: { replication_ready: true } };
  const channel = client.channel(topic, { config });
  const { promise, resolve } = Promise.withResolvers<string>();
  channel
    .on('broadcast', { event: '*' }, ({ event, payload }) => heard.push([event, payload as unknown]))
    .on('system', {}, ({ message }: { readonly message: string }) => {
      if (message === 'Replication connection established') resolve('SUBSCRIBED');
    })
    .subscribe((status) => {
      if (status !== REALTIME_SUBSCRIBE_STATES.SUBSCRIBED) resolve(status);
    });
  return { channel, status: await promise, heard };
}
