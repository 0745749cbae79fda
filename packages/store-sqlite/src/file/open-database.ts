import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, linkSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { APPLICATION_ID, MIGRATIONS } from './migrations.ts';
import { isBusy, storeError, unusable } from './unusable.ts';

/** How long a call waits for another process that is writing. Every write of ours takes milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;
const PAUSE_MS = 5;

/**
 * Opens the file, makes it where there is none, and brings it to the newest form.
 * @throws SemoError `store_unusable`.
 */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | null = null;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    makeFile(path);
    database = new DatabaseSync(path);
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    // Before anything is written: it may be somebody else's.
    checkOwner(path, database);
    beginWriteAheadLog(path, database);
    // A commit is on the disk when it returns, so neither a crash nor a power cut takes it back.
    database.exec('PRAGMA synchronous = FULL');
    migrate(path, database);
    return database;
  } catch (thrown) {
    database?.close();
    throw storeError(path, thrown);
  }
}

/**
 * Makes the file where there is none: SQLite would make it readable for everybody. What it puts beside it takes its mode.
 * The file itself is never opened here: to close it again would let go of every lock that this process has on it,
 * those of other stores included. https://www.sqlite.org/howtocorrupt.html#posix_close_bug
 */
function makeFile(path: string): void {
  if (existsSync(path)) return;
  const temporary = `${path}.${randomUUID()}`;
  closeSync(openSync(temporary, 'wx', 0o600));
  try {
    linkSync(temporary, path);
  } catch (thrown) {
    // Another process was first.
    if (!existsSync(path)) throw thrown;
  } finally {
    unlinkSync(temporary);
  }
}

function numberOf(database: DatabaseSync, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0]);
}

function checkOwner(path: string, database: DatabaseSync): void {
  const owner = numberOf(database, 'PRAGMA application_id');
  const isEmpty = numberOf(database, 'SELECT count(*) FROM sqlite_schema') === 0;
  if (owner !== APPLICATION_ID && !(owner === 0 && isEmpty))
    throw unusable(path, { words: 'is the database of another program. Name another file.' });
  if (numberOf(database, 'PRAGMA user_version') > MIGRATIONS.length)
    throw unusable(path, {
      words: 'was written by a newer version of semo-office. Use that one, or name another file.',
    });
}

function beginWriteAheadLog(path: string, database: DatabaseSync): void {
  const deadline = Date.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      const [mode] = Object.values(database.prepare('PRAGMA journal_mode = WAL').get() ?? {});
      if (mode === 'wal') return;
      throw unusable(path, { words: 'is on a disk that allows no write-ahead log. Keep it on a local disk.' });
    } catch (thrown) {
      // Of two that begin the log at once, SQLite refuses one without waiting as it does elsewhere.
      if (!isBusy(thrown) || Date.now() > deadline) throw thrown;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

function migrate(path: string, database: DatabaseSync): void {
  if (numberOf(database, 'PRAGMA user_version') === MIGRATIONS.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Again, now that nobody else writes: another process may have been first.
    checkOwner(path, database);
    for (const step of MIGRATIONS.slice(numberOf(database, 'PRAGMA user_version'))) database.exec(step);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
  } catch (thrown) {
    database.exec('ROLLBACK');
    throw thrown;
  }
}
