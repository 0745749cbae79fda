export type { Database, Json } from './database.ts';
export type { FunctionArgs, FunctionReturns, TableRow } from './database-parts.ts';
