import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  advancedTurn,
  bySessionAge,
  byTurnAge,
  idSchema,
  matchesSessionFilter,
  matchesTurnFilter,
  parseEdge,
  sessionRecordSchema,
  turnRecordSchema,
  turnStepSchema,
  type SessionFault,
  type SessionRecord,
  type SessionStore,
  type TurnRecord,
} from '@semo-office/core';

import { withFileLock } from '../file-lock.ts';
import { removeEmptyFolders } from '../process/private-folder.ts';
import { namesIn, readRecordFile, writeNewRecordFile, writeRecordFile } from './record-files.ts';

const SESSION_FILE = 'session.json';
const TURN_FILE = /^turn-(.+)\.json$/;

/** Options of {@link fileSessionStore}. */
export interface FileSessionStoreOptions {
  /** The folder, for this alone; it is made when there is something to keep. */
  readonly folder: string;
  /** Told of a record that cannot be read. It is skipped and stays where it is. Default: nobody. */
  readonly onFault?: ((fault: SessionFault) => void) | undefined;
}

/**
 * Keeps a folder for each session, and in it a file for the session and one for each turn, readable by this user alone. A
 * file is replaced at once, so whoever reads sees the record before or after a change, also when the host is killed in the
 * middle of it. Files are handed to the operating system and not forced to the disk: killing the host loses none, a power
 * cut may lose the last ones.
 *
 * @example
 * ```ts
 * const sessions = createPtySessionManager({ sessionStore: fileSessionStore({ folder: '/var/lib/semo/history' }) });
 * ```
 */
export function fileSessionStore(options: FileSessionStoreOptions): SessionStore {
  return new FileSessionStore(options);
}

class FileSessionStore implements SessionStore {
  readonly #folder: string;
  readonly #onFault: (fault: SessionFault) => void;

  constructor({ folder, onFault = () => undefined }: FileSessionStoreOptions) {
    this.#folder = folder;
    this.#onFault = onFault;
  }

  async putSession(record: SessionRecord): Promise<void> {
    const parsed = parseEdge(sessionRecordSchema, record, { what: 'session record' });
    const place = this.#sessionFile(parsed.sessionId);
    await withFileLock(`${place}.lock`, async () => {
      const known = await this.getSession(parsed.sessionId);
      if (known === null || known.endedAt === null) await writeRecordFile(place, parsed);
    });
  }

  async getSession(sessionId: string): Promise<SessionRecord | null> {
    // Anything else is no name of a folder of ours.
    if (!isId(sessionId)) return null;
    const place = this.#sessionFile(sessionId);
    const onFault = (message: string) => this.#onFault({ place, message });
    const record = await readRecordFile(place, { schema: sessionRecordSchema, onFault });
    if (record === null || record.sessionId === sessionId) return record;
    onFault(`It is the record of another session, ${record.sessionId}.`);
    return null;
  }

  async listSessions(filter: Parameters<SessionStore['listSessions']>[0] = {}): Promise<SessionRecord[]> {
    const all = await Promise.all((await namesIn(this.#folder)).map((sessionId) => this.getSession(sessionId)));
    const readable = all.filter((record) => record !== null);
    return readable.filter((record) => matchesSessionFilter(record, filter)).toSorted(bySessionAge);
  }

  async putTurn(record: TurnRecord): Promise<void> {
    const parsed = parseEdge(turnRecordSchema, record, { what: 'turn record' });
    await writeNewRecordFile(this.#turnFile(parsed.sessionId, parsed.turnId), parsed);
  }

  async advanceTurn(...[sessionId, turnId, step]: Parameters<SessionStore['advanceTurn']>): Promise<boolean> {
    const parsed = parseEdge(turnStepSchema, step, { what: 'step of a turn' });
    return this.#withTurn(sessionId, turnId, async (known, place) => {
      const next = advancedTurn(known, parsed);
      if (next !== null) await writeRecordFile(place, next);
      return next !== null;
    });
  }

  async forgetTurn(sessionId: string, turnId: string): Promise<void> {
    await this.#withTurn(sessionId, turnId, async ({ delivery }, place) => {
      if (delivery.kind !== 'ended') await rm(place, { force: true });
      return true;
    });
  }

  async getTurn(sessionId: string, turnId: string): Promise<TurnRecord | null> {
    if (!isId(sessionId) || !isId(turnId)) return null;
    const place = this.#turnFile(sessionId, turnId);
    const onFault = (message: string) => this.#onFault({ place, message });
    const record = await readRecordFile(place, { schema: turnRecordSchema, onFault });
    if (record === null || (record.turnId === turnId && record.sessionId === sessionId)) return record;
    onFault(`It is the record of another turn, ${record.turnId} of ${record.sessionId}.`);
    return null;
  }

  async listTurns(filter: Parameters<SessionStore['listTurns']>[0] = {}): Promise<TurnRecord[]> {
    const sessionIds = filter.sessionId === undefined ? await namesIn(this.#folder) : [filter.sessionId];
    const all = await Promise.all(sessionIds.map((sessionId) => this.#turnsOf(sessionId)));
    return all
      .flat()
      .filter((record) => matchesTurnFilter(record, filter))
      .toSorted(byTurnAge);
  }

  async prune(endedBefore: number): Promise<number> {
    let forgotten = 0;
    for (const { sessionId, turnId, delivery } of await this.listTurns({ open: false })) {
      if (delivery.kind !== 'ended' || delivery.endedAt >= endedBefore) continue;
      await rm(this.#turnFile(sessionId, turnId), { force: true });
      forgotten += 1;
    }
    for (const { sessionId, endedAt } of await this.listSessions({ open: false })) {
      const names = await namesIn(join(this.#folder, sessionId));
      if (endedAt === null || endedAt >= endedBefore || names.some((name) => TURN_FILE.test(name))) continue;
      // With what a host that was killed has left half written.
      await rm(join(this.#folder, sessionId), { recursive: true, force: true });
      forgotten += 1;
    }
    await removeEmptyFolders([this.#folder]);
    return forgotten;
  }

  async #turnsOf(sessionId: string): Promise<TurnRecord[]> {
    if (!isId(sessionId)) return [];
    const turnIds = (await namesIn(join(this.#folder, sessionId))).flatMap((name) => TURN_FILE.exec(name)?.[1] ?? []);
    const all = await Promise.all(turnIds.map((turnId) => this.getTurn(sessionId, turnId)));
    return all.filter((record) => record !== null);
  }

  /** Does something with a turn that is there, while nobody else does, here or in another process. */
  async #withTurn(
    sessionId: string,
    turnId: string,
    action: (known: TurnRecord, place: string) => Promise<boolean>,
  ): Promise<boolean> {
    // A folder that was never made holds nothing to change, and is not made for a lock.
    if ((await this.getTurn(sessionId, turnId)) === null) return false;
    const place = this.#turnFile(sessionId, turnId);
    return withFileLock(`${place}.lock`, async () => {
      const known = await this.getTurn(sessionId, turnId);
      return known !== null && action(known, place);
    });
  }

  #sessionFile(sessionId: string): string {
    return join(this.#folder, sessionId, SESSION_FILE);
  }

  #turnFile(sessionId: string, turnId: string): string {
    return join(this.#folder, sessionId, `turn-${turnId}.json`);
  }
}

function isId(value: string): boolean {
  return idSchema.safeParse(value).success;
}
