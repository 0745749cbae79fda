import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  SemoError,
  byAge,
  givenRecord,
  idSchema,
  isSettledBefore,
  matchesFilter,
  parseEdge,
  requestRecordSchema,
  settledRecord,
  settledStateSchema,
  type RequestFault,
  type RequestRecord,
  type RequestStore,
} from '@semo-office/core';

import { withFileLock } from '../file-lock.ts';

/** Options of {@link fileRequestStore}. */
export interface FileRequestStoreOptions {
  /** The folder, for this alone; it is made when there is something to keep. */
  readonly folder: string;
  /** Told of a record that cannot be read. It is skipped and stays where it is. Default: nobody. */
  readonly onFault?: ((fault: RequestFault) => void) | undefined;
}

/**
 * Keeps each request in a file of its own, readable by this user alone. A file is replaced at once, so whoever reads sees
 * the record before or after a change, also when the host is killed in the middle of it.
 *
 * @example
 * ```ts
 * const sessions = createPtySessionManager({ requestStore: fileRequestStore({ folder: '/var/lib/semo/requests' }) });
 * ```
 */
export function fileRequestStore(options: FileRequestStoreOptions): RequestStore {
  return new FileRequestStore(options);
}

class FileRequestStore implements RequestStore {
  readonly #folder: string;
  readonly #onFault: (fault: RequestFault) => void;

  constructor({ folder, onFault = () => undefined }: FileRequestStoreOptions) {
    this.#folder = folder;
    this.#onFault = onFault;
  }

  async put(record: RequestRecord): Promise<void> {
    const parsed = parseEdge(requestRecordSchema, record, { what: 'request record' });
    const { requestId } = parsed.request;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await this.#locked(requestId, async () => {
      if ((await this.#read(requestId)) === null) await this.#write(parsed);
    });
  }

  async get(requestId: string): Promise<RequestRecord | null> {
    return this.#read(requestId);
  }

  async list(filter: Parameters<RequestStore['list']>[0] = {}): Promise<RequestRecord[]> {
    const all = await Promise.all((await this.#ids()).map((requestId) => this.#read(requestId)));
    const readable = all.filter((record) => record !== null);
    return readable.filter((record) => matchesFilter(record, filter)).toSorted(byAge);
  }

  async settle(...[requestId, state]: Parameters<RequestStore['settle']>): Promise<boolean> {
    const parsed = parseEdge(settledStateSchema, state, { what: 'settled state' });
    return this.#replace(requestId, (record) => settledRecord(record, parsed));
  }

  async give(requestId: string, givenAt: number): Promise<boolean> {
    return this.#replace(requestId, (record) => givenRecord(record, givenAt));
  }

  async prune(settledBefore: number): Promise<number> {
    const old = (await this.list()).filter((record) => isSettledBefore(record, settledBefore));
    for (const { request } of old) await rm(this.#file(request.requestId), { force: true });
    return old.length;
  }

  async #replace(requestId: string, change: (record: RequestRecord) => RequestRecord | null): Promise<boolean> {
    // A folder that was never made holds nothing to change, and is not made for a lock.
    if ((await this.#read(requestId)) === null) return false;
    return this.#locked(requestId, async () => {
      const known = await this.#read(requestId);
      const next = known === null ? null : change(known);
      if (next !== null) await this.#write(next);
      return next !== null;
    });
  }

  /** Two processes may share the folder for a moment: while one host leaves and the next one comes. */
  #locked<Result>(requestId: string, action: () => Promise<Result>): Promise<Result> {
    return withFileLock(join(this.#folder, `.lock-${requestId}`), action);
  }

  async #ids(): Promise<string[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .map((name) => name.slice(0, -'.json'.length));
  }

  async #read(requestId: string): Promise<RequestRecord | null> {
    // Anything else is no name of a file of ours.
    if (!idSchema.safeParse(requestId).success) return null;
    const place = this.#file(requestId);
    try {
      const record = requestRecordSchema.parse(JSON.parse(await readFile(place, 'utf8')));
      if (record.request.requestId === requestId) return record;
      this.#onFault({ place, message: `It is the record of another request, ${record.request.requestId}.` });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
        this.#onFault({ place, message: SemoError.from(error).message });
    }
    return null;
  }

  async #write(record: RequestRecord): Promise<void> {
    const { requestId } = record.request;
    const temporary = join(this.#folder, `.${requestId}.${randomUUID()}`);
    await writeFile(temporary, JSON.stringify(record), { mode: 0o600, flush: true });
    await rename(temporary, this.#file(requestId));
  }

  #file(requestId: string): string {
    return join(this.#folder, `${requestId}.json`);
  }
}
