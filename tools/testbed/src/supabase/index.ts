// A real PostgreSQL server with the roles and schemas of a Supabase project
export { startPostgres } from './postgres/local-postgres.ts';
export type { Caller, ConnectionParameters, LocalPostgres, LoginRole, Row } from './postgres/local-postgres.ts';

// A local Supabase: PostgreSQL, REST and Realtime behind one origin
export { startSupabase } from './local-supabase.ts';
export type { LocalSupabase, SupabaseOptions } from './local-supabase.ts';
export type { Claims } from './project-keys.ts';
export type { RealtimeState } from './realtime/realtime-service.ts';

// What can go wrong with it
export type { RealtimeFaults } from './realtime/realtime-service.ts';
export type { BroadcastTampering } from './faults/broadcast-tampering.ts';
export type { Fault, FaultDuration } from './faults/fault.ts';
export type { RestFaults, SupabaseFaults } from './faults/supabase-faults.ts';
