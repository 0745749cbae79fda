export { openSqliteStore } from './sqlite-store.ts';
export type { SqliteStore, SqliteStoreFault, SqliteStoreOptions } from './sqlite-store.ts';
