import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { idSchema, systemClock, type Clock } from '@semo-office/core';
import { z } from 'zod';

import type { ProcessTable } from '../process/process-table.ts';
import { ownerState, readRecord } from '../process/session-record.ts';
import { systemProcessTable } from '../process/system-process-table.ts';
import type { LeftWorktrees } from './git-worktrees.ts';
import { madeWorktreeSchema, type MadeWorktree, type WorktreeRemoval } from './made-worktree.ts';
import { removeWorktree } from './worktree-removal.ts';

const keptRecordSchema = z.object({
  worktree: madeWorktreeSchema,
  /** The session that left it last. */
  sessionId: idSchema,
  reason: z.string(),
  keptAt: z.number(),
});

type KeptRecord = z.infer<typeof keptRecordSchema>;

/** A worktree that is still there although its session has ended. */
export interface KeptWorktree {
  readonly path: string;
  /** `null`: a slot that never had a job. */
  readonly branch: string | null;
  /** The session that left it last. */
  readonly sessionId: string;
  /** Why it is still there, in a sentence. */
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly keptAt: number;
}

/** What a collection found. */
export interface WorktreeReport {
  /** Those in which nothing was to be lost any more. */
  readonly removed: readonly { readonly path: string; readonly branch: 'kept' | 'deleted' }[];
  readonly kept: readonly KeptWorktree[];
  /** Those that somebody else has removed. */
  readonly gone: readonly string[];
  /** Records that cannot be read, in sentences; they stay as they are. */
  readonly faults: readonly string[];
}

/** Options of {@link collectWorktrees}. */
export interface CollectWorktreesOptions {
  /** Where the host keeps what it remembers; see `PtySessionManagerOptions`. */
  readonly stateDir: string;
  /**
   * For how long a worktree is kept for its commits alone (`retain: 'changed'`), in milliseconds; a branch keeps them all
   * the same. What is not committed is never too old. Default: for ever.
   */
  readonly maxAgeMs?: number | undefined;
  /** Default: the machine's own time. */
  readonly clock?: Clock | undefined;
}

/** Remembers, on disk, which worktrees sessions have left behind. */
export interface WorktreeKeeper extends LeftWorktrees {
  /** At a session's end: removes the worktree, or remembers why it was kept. Never rejects for what git says. */
  leave(worktree: MadeWorktree, session: { readonly sessionId: string }): Promise<WorktreeRemoval>;
  /** Somebody is at home there again. */
  forget(path: string): Promise<void>;
  list(): Promise<{ readonly kept: KeptWorktree[]; readonly faults: string[] }>;
  collect(options?: Pick<CollectWorktreesOptions, 'maxAgeMs'>): Promise<WorktreeReport>;
}

/** Options of {@link createWorktreeKeeper}. */
export type WorktreeKeeperOptions = Pick<CollectWorktreesOptions, 'stateDir' | 'clock'> & {
  readonly table?: ProcessTable | undefined;
};

/** A keeper for the worktrees of one host; its records are small files in `<stateDir>/kept`. */
export function createWorktreeKeeper(options: WorktreeKeeperOptions): WorktreeKeeper {
  return new FileKeeper(options);
}

/**
 * Looks again at the worktrees that sessions have left: removes those whose work is committed by now, forgets those that
 * are gone, keeps the others. Work that is not committed is never removed, however old. A host does so when it starts.
 *
 * @example
 * ```ts
 * const { removed, kept } = await collectWorktrees({ stateDir: '/var/lib/semo' });
 * for (const { path, reason } of kept) console.log(path, reason);
 * ```
 */
export async function collectWorktrees({ maxAgeMs, ...options }: CollectWorktreesOptions): Promise<WorktreeReport> {
  return createWorktreeKeeper(options).collect({ maxAgeMs });
}

/**
 * The worktrees that sessions of a host have left, with the reasons they had then. Nothing is looked at again.
 *
 * @example
 * ```ts
 * const kept = await listKeptWorktrees({ stateDir: '/var/lib/semo' });
 * ```
 */
export async function listKeptWorktrees(options: Pick<CollectWorktreesOptions, 'stateDir'>): Promise<KeptWorktree[]> {
  return (await createWorktreeKeeper(options).list()).kept;
}

class FileKeeper implements WorktreeKeeper {
  readonly #stateDir: string;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #table: ProcessTable;

  constructor({ stateDir, clock = systemClock, table = systemProcessTable }: WorktreeKeeperOptions) {
    this.#stateDir = stateDir;
    this.#folder = join(stateDir, 'kept');
    this.#clock = clock;
    this.#table = table;
  }

  async leave(worktree: MadeWorktree, { sessionId }: { readonly sessionId: string }): Promise<WorktreeRemoval> {
    const removal = await removeWorktree(worktree).catch((error: unknown): WorktreeRemoval => {
      const why = error instanceof Error ? error.message : String(error);
      return { kind: 'kept', path: worktree.path, reason: `It could not be looked at: ${why}` };
    });
    if (removal.kind === 'removed') await this.forget(worktree.path);
    else await this.#remember(worktree, { sessionId, reason: removal.reason });
    return removal;
  }

  async find(path: string): Promise<MadeWorktree | null> {
    return (await this.#read(this.#fileOf(path)))?.worktree ?? null;
  }

  async usersOf(path: string): Promise<string[]> {
    const sessions = join(this.#stateDir, 'sessions');
    const names = await readdir(sessions).catch(() => []);
    const records = await Promise.all(names.map((name) => readRecord(join(sessions, name))));
    return records
      .filter((record) => record !== null)
      .filter((record) => record.worktree?.path === path)
      .filter((record) => ['alive', 'elsewhere'].includes(ownerState(record, this.#table)))
      .map(({ sessionId }) => sessionId);
  }

  async forget(path: string): Promise<void> {
    await rm(this.#fileOf(path), { force: true });
    await rmdir(this.#folder).catch(() => {});
  }

  async list(): Promise<{ kept: KeptWorktree[]; faults: string[] }> {
    const { records, faults } = await this.#all();
    return { kept: records.map((record) => shown(record)), faults };
  }

  async collect({ maxAgeMs }: Pick<CollectWorktreesOptions, 'maxAgeMs'> = {}): Promise<WorktreeReport> {
    const { records, faults } = await this.#all();
    const report = { removed: [] as { path: string; branch: 'kept' | 'deleted' }[], kept: [] as KeptWorktree[] };
    const gone: string[] = [];
    for (const record of records) {
      const { path } = record.worktree;
      const isThere = await exists(path);
      const isOld = maxAgeMs !== undefined && this.#clock.now() - record.keptAt >= maxAgeMs;
      const removal = await this.#look(record, isOld);
      if (removal.kind === 'kept' && isThere) {
        report.kept.push(shown({ ...record, reason: removal.reason }));
        continue;
      }
      if (isThere && removal.kind === 'removed') report.removed.push({ path, branch: removal.branch });
      else gone.push(path);
      // One record that cannot be removed must not keep a host from starting.
      await this.forget(path).catch((error: unknown) => void faults.push(String(error)));
    }
    return { ...report, gone, faults };
  }

  async #look({ worktree, reason }: KeptRecord, isOld: boolean): Promise<WorktreeRemoval> {
    const { path } = worktree;
    return removeWorktree(isOld ? { ...worktree, retain: 'dirty' } : worktree, {
      unlessMerged: true,
      alsoKeptFor: async () => ((await this.usersOf(path)).length > 0 ? 'A session works in it.' : null),
    }).catch((): WorktreeRemoval => ({ kind: 'kept', path, reason }));
  }

  async #remember(
    worktree: MadeWorktree,
    said: { readonly sessionId: string; readonly reason: string },
  ): Promise<void> {
    const file = this.#fileOf(worktree.path);
    // Of one that several sessions used, the first is the one that made it.
    const before = worktree.reused ? await this.#read(file) : null;
    // A person's own.
    if (worktree.reused && before === null) return;
    const record: KeptRecord = { worktree: before?.worktree ?? worktree, ...said, keptAt: this.#clock.now() };
    await this.#write(file, JSON.stringify(record, null, 2));
  }

  async #write(file: string, text: string): Promise<void> {
    const temporary = join(this.#folder, `.${randomUUID()}`);
    for (let attempt = 1; ; attempt += 1) {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      try {
        await writeFile(temporary, text, { mode: 0o600 });
        return await rename(temporary, file);
      } catch (error) {
        // Whoever forgets the last one removes the folder, maybe just now.
        if (attempt === 10 || !(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      }
    }
  }

  async #all(): Promise<{ records: KeptRecord[]; faults: string[] }> {
    const names = (await readdir(this.#folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
    const records: KeptRecord[] = [];
    const faults: string[] = [];
    for (const name of names) {
      const file = join(this.#folder, name);
      const record = await this.#read(file);
      if (record !== null) records.push(record);
      else if (await exists(file)) faults.push(`${file} is no record of a kept worktree. Look into it and remove it.`);
    }
    return { records, faults };
  }

  async #read(file: string): Promise<KeptRecord | null> {
    try {
      return keptRecordSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    } catch {
      return null;
    }
  }

  #fileOf(path: string): string {
    return join(this.#folder, `${createHash('sha256').update(path).digest('hex').slice(0, 24)}.json`);
  }
}

function shown({ worktree: { path, branch }, sessionId, reason, keptAt }: KeptRecord): KeptWorktree {
  return { path, branch, sessionId, reason, keptAt };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
