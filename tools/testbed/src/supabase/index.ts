// A real PostgreSQL server with the roles and schemas of a Supabase project
export { startPostgres } from './postgres/local-postgres.ts';
export type { Caller, ConnectionParameters, LocalPostgres, LoginRole, Row } from './postgres/local-postgres.ts';
