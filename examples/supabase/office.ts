// An office's server: gives a job to whichever host there is, and waits for its end.
//   SUPABASE_URL=… SUPABASE_SECRET_KEY=… node examples/supabase/office.ts
import { createOffice, remoteSessions } from 'semo-office';
import { createSupabaseTransport } from 'semo-office/supabase';

import { JOB } from './job.ts';
import { needed } from './needed.ts';

const transport = createSupabaseTransport({
  url: needed('SUPABASE_URL'),
  key: needed('SUPABASE_SECRET_KEY'),
  officeId: process.env['OFFICE_ID'] ?? 'acme',
  onProblem: ({ message }) => console.error(message),
});
const office = createOffice({ sessions: remoteSessions(transport.office()), jobs: transport.jobStore() });
const result = await office.executeJob(JOB, {
  onLine: (line) => {
    if (line.type === 'status') console.log(line.status);
    if (line.type === 'milestone') console.log(`milestone: ${line.kind}`);
  },
});
console.log(`${result.outcome}, ${result.confidence}: ${result.error?.message ?? result.text}`);

await office.close();
await transport.close();
// Supabase's client would keep the process for some seconds.
process.exit(result.outcome === 'completed' ? 0 : 1);
