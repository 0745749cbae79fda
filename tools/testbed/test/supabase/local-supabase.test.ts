import { expect, it } from 'vitest';
import { startSupabase } from '@semo-office/testbed/supabase';
import { Clients, Ear } from './supabase-clients.ts';

it('ends while clients are connected and the database hangs', async () => {
  const supabase = await startSupabase();
  await using clients = new Clients(supabase);
  const ear = await new Ear(clients.server(), 'office:o1').subscribe();
  const call = Promise.resolve(clients.server().rpc('anything'));
  supabase.faults.postgres.pause();
  await supabase[Symbol.asyncDispose]();
  await expect(fetch(supabase.url)).rejects.toThrow('fetch failed');
  await ear.until(() => ear.statuses.includes('CHANNEL_ERROR'));
  await expect(call).resolves.toMatchObject({ data: null });
});
