export { createSupabaseTransport } from './supabase-transport.ts';
export type { SupabaseTransport } from './supabase-transport.ts';
export type { HostOptions, OfficeTimes, SupabaseTransportOptions } from './transport-options.ts';
export type { SupabaseHostLink } from './host/supabase-host.ts';
export { supabaseFolder } from './supabase-folder.ts';
export type { DrainWait } from './host/drain-wait.ts';
export type { CommandDesk, CommandStanding, DeadCommand, DeadPage } from './command/command-desk.ts';
export type { Database, Json } from './database/database.ts';
export type { FunctionArgs, FunctionReturns, TableRow } from './database/database-parts.ts';
