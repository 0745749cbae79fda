// A host: the machine that agents run on.
//   SUPABASE_URL=… SUPABASE_PUBLISHABLE_KEY=… SEMO_HOST_TOKEN=… REPOSITORY=/srv/app node examples/supabase/host.ts
// It is what `semo host --supabase-url` does, in short.
import { createPtySessionManager, serveSessions } from 'semo-office';
import { createSupabaseTransport } from 'semo-office/supabase';

import { needed } from './needed.ts';

const hostId = process.env['HOST_ID'] ?? 'mac-1';
const stopped = new Promise((stop) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
});
const transport = createSupabaseTransport({
  url: needed('SUPABASE_URL'),
  key: needed('SUPABASE_PUBLISHABLE_KEY'),
  accessToken: () => Promise.resolve(needed('SEMO_HOST_TOKEN')),
  officeId: process.env['OFFICE_ID'] ?? 'acme',
  onProblem: ({ message }) => console.error(message),
});
const sessions = createPtySessionManager({ hostId, repositories: { app: needed('REPOSITORY') } });
const host = await transport.host({ hostId, capacity: 4 });
const served = serveSessions(host, sessions);
console.log(`Host ${hostId} serves.`);

await stopped;
await served.close();
await transport.close();
await sessions.close();
// Supabase's client would keep the process for some seconds.
process.exit();
