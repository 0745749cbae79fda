import { randomUUID } from 'node:crypto';
import { mkdir, realpath, rename } from 'node:fs/promises';
import { join } from 'node:path';

import { SemoError, idSchema, parseEdge } from '@semo-office/core';

import { discardPrivateFolder, removeEmptyFolders, removePrivateFolder } from './private-folder.ts';
import { identify, isAlive, type ProcessTable } from './process-table.ts';
import { sessionRecordSchema, writeRecord, type SessionRecord, type SessionRecordChange } from './session-record.ts';
import { systemProcessTable } from './system-process-table.ts';

/** Options of {@link openJournal}. */
export interface JournalOptions {
  /** Where sessions are remembered and have their private folders; see `defaultStateDir`. */
  readonly stateDir: string;
  readonly table?: ProcessTable | undefined;
}

/** What this host remembers on disk of its sessions. */
export interface SessionJournal {
  /**
   * Makes the session's private folder and remembers it, both at once.
   * @throws SemoError `session_conflict` when the id is taken, also by a session that a dead host has left.
   */
  claim(sessionId: string, options?: { readonly privateHome?: boolean | undefined }): Promise<JournaledSession>;
  /** Where a session has its private folder. */
  folderOf(sessionId: string): string;
  /** Makes a session this host's that a dead one has left. Only for whoever holds its sweep's lock. */
  takeOver(record: SessionRecord, options?: { readonly privateHome?: boolean | undefined }): Promise<JournaledSession>;
}

/** One session's place on disk. All paths are real ones, for nobody else to read. */
export interface JournaledSession {
  readonly folder: string;
  /** For the agent's own configuration. */
  readonly configFolder: string;
  readonly temporaryFolder: string;
  /** `null` unless asked for. */
  readonly homeFolder: string | null;
  /** The record as it is now. */
  readonly record: SessionRecord;
  /** Remembers a change; on disk when it resolves. Changes are written in order, and not after {@link JournaledSession.release}. */
  update(change: SessionRecordChange): Promise<void>;
  /** Forgets the session and removes its private folder, and what is empty above it. Harmless when repeated. */
  release(): Promise<void>;
}

/**
 * Opens the journal for this process.
 *
 * @example
 * ```ts
 * const journal = openJournal({ stateDir: defaultStateDir() });
 * const place = await journal.claim(sessionId);
 * await place.update({ root: identify(table, terminal.pid) });
 * await place.release();
 * ```
 */
export function openJournal({ stateDir, table = systemProcessTable }: JournalOptions): SessionJournal {
  const owner = identify(table, process.pid) ?? { pid: process.pid, startTime: 0 };
  return {
    async claim(sessionId, { privateHome = false } = {}) {
      parseEdge(idSchema, sessionId, { what: 'session id' });
      const record = sessionRecordSchema.parse({ sessionId, owner, machine: table.machine });
      const folders = ['config', 'tmp', ...(privateHome ? ['home'] : [])];
      const folder = await claimFolder({ stateDir, record, folders });
      return new Place({ table, stateDir, folder, record, privateHome });
    },
    folderOf: (sessionId) => join(stateDir, 'sessions', sessionId),
    async takeOver(left, { privateHome = false } = {}) {
      const folder = await realpath(join(stateDir, 'sessions', left.sessionId));
      const record = { ...left, owner, machine: table.machine };
      await writeRecord(folder, record);
      return new Place({ table, stateDir, folder, record, privateHome });
    },
  };
}

/** The folder appears under its name with its record in it, or not at all: no sweep ever sees half of it. */
async function claimFolder({
  stateDir,
  record,
  folders,
}: {
  stateDir: string;
  record: SessionRecord;
  folders: readonly string[];
}): Promise<string> {
  const sessions = join(stateDir, 'sessions');
  const folder = join(sessions, record.sessionId);
  const { pid, startTime } = record.owner;
  for (let attempt = 1; ; attempt += 1) {
    // The name says who makes it, for a sweep after a crash right here.
    const fresh = join(sessions, `.claim-${pid}-${startTime}-${randomUUID()}`);
    try {
      await mkdir(fresh, { recursive: true, mode: 0o700 });
      for (const name of folders) await mkdir(join(fresh, name), { mode: 0o700 });
      await writeRecord(fresh, record);
      await rename(fresh, folder);
      return await realpath(folder);
    } catch (error) {
      await removePrivateFolder(fresh);
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'ENOTEMPTY' || code === 'EEXIST') {
        throw new SemoError(
          'session_conflict',
          `There is a session ${record.sessionId} already, or one that was left by a host that died. Use another id, or sweep first.`,
          { details: { folder } },
        );
      }
      // Whoever released the last session removes the empty folders above it, maybe just now.
      if (code !== 'ENOENT' || attempt === 10) throw error;
    }
  }
}

const MANY_DETACHED = 50;

class Place implements JournaledSession {
  readonly folder: string;
  readonly configFolder: string;
  readonly temporaryFolder: string;
  readonly homeFolder: string | null;
  readonly #table: ProcessTable;
  readonly #stateDir: string;
  #record: SessionRecord;
  #writing: Promise<void> = Promise.resolve();
  #released = false;

  constructor({
    table,
    stateDir,
    folder,
    record,
    privateHome,
  }: {
    table: ProcessTable;
    stateDir: string;
    folder: string;
    record: SessionRecord;
    privateHome: boolean;
  }) {
    this.folder = folder;
    this.configFolder = join(folder, 'config');
    this.temporaryFolder = join(folder, 'tmp');
    this.homeFolder = privateHome ? join(folder, 'home') : null;
    this.#table = table;
    this.#stateDir = stateDir;
    this.#record = record;
  }

  get record(): SessionRecord {
    return this.#record;
  }

  update(change: SessionRecordChange): Promise<void> {
    if (this.#released) return Promise.resolve();
    const record = { ...this.#record, ...this.#withoutDead(change) };
    this.#record = record;
    // Many changes at once (a busy process watch) are one write: each writes what is newest when its turn comes.
    const written = this.#writing.then(() => (this.#record === record ? writeRecord(this.folder, record) : undefined));
    this.#writing = written.catch(() => {});
    return written.then(() => this.#writing);
  }

  /** An agent starts thousands of commands in a session of their own: the ended ones need no remembering. */
  #withoutDead(change: SessionRecordChange): SessionRecordChange {
    const { detached = [] } = change;
    if (detached.length <= MANY_DETACHED) return change;
    return { ...change, detached: detached.filter((identity) => isAlive(this.#table, identity)) };
  }

  async release(): Promise<void> {
    this.#released = true;
    await this.#writing;
    await discardPrivateFolder(this.folder);
    await removeEmptyFolders([join(this.#stateDir, 'sessions'), this.#stateDir]);
  }
}
