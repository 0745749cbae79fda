import { containmentStart } from './containment-start.ts';
import { crowdPrograms } from './crowd-programs.ts';
import { crowd } from './crowd.ts';
import { echoLatency } from './echo-latency.ts';
import { firstJob } from './first-job.ts';
import { idleMemory } from './idle-memory.ts';
import { keptJobs } from './kept-jobs.ts';
import type { Measurement } from './measurement.ts';
import { outputReading } from './output-reading.ts';
import { promptAcceptance } from './prompt-acceptance.ts';
import { supabaseClaims } from './supabase-claims.ts';
import { supabaseLatency } from './supabase-latency.ts';
import { supabaseOutage } from './supabase-outage.ts';
import { supabaseReconnects } from './supabase-reconnects.ts';
import { supabaseThroughput } from './supabase-throughput.ts';
import { supabaseTokens } from './supabase-tokens.ts';
import { throughput } from './throughput.ts';
import { tokenLatency } from './token-latency.ts';
import { turnsBesideSdk } from './turns-beside-sdk.ts';
import { unreadOutput } from './unread-output.ts';

/** All measurements by the names that `npm run bench` takes. */
export const measurements: Readonly<Record<string, Measurement>> = {
  throughput,
  'echo-latency': echoLatency,
  'idle-memory': idleMemory,
  'unread-output': unreadOutput,
  'prompt-acceptance': promptAcceptance,
  'output-reading': outputReading,
  'token-latency': tokenLatency,
  'kept-jobs': keptJobs,
  'containment-start': containmentStart,
  'first-job': firstJob,
  'supabase-latency': supabaseLatency,
  'supabase-throughput': supabaseThroughput,
  'supabase-claims': supabaseClaims,
  'supabase-outage': supabaseOutage,
  'supabase-tokens': supabaseTokens,
  'supabase-reconnects': supabaseReconnects,
  crowd,
  'crowd-programs': crowdPrograms,
  'turns-beside-sdk': turnsBesideSdk,
};
