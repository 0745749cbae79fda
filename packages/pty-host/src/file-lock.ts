import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { SemoError, systemClock, type Clock } from '@semo-office/core';
import { z } from 'zod';

import { KeyedMutex } from './keyed-mutex.ts';
import { isAlive, type ProcessTable } from './process/process-table.ts';
import { systemProcessTable } from './process/system-process-table.ts';

const holderSchema = z.object({
  pid: z.number().int(),
  startTime: z.number(),
  hostname: z.string(),
  nonce: z.string(),
});

/** Options of {@link withFileLock}. */
export interface FileLockOptions {
  readonly table?: ProcessTable | undefined;
  readonly clock?: Clock | undefined;
  /** How long to wait for another process. Default 10 s. */
  readonly timeoutMs?: number | undefined;
}

const RETRY_MS = 15;
const insideThisProcess = new KeyedMutex();

/**
 * Runs `action` while no other process, and no other caller in this one, holds the lock file. The lock of a process
 * that died is taken over.
 *
 * @throws SemoError `internal` when another process holds it for longer than `timeoutMs`.
 */
export function withFileLock<Result>(
  path: string,
  action: () => Promise<Result>,
  options: FileLockOptions = {},
): Promise<Result> {
  const { clock = systemClock, timeoutMs = 10_000 } = options;
  return insideThisProcess.run(path, async () => {
    const deadline = clock.now() + timeoutMs;
    let release = await tryFileLock(path, options);
    while (release === null) {
      if (clock.now() >= deadline)
        throw new SemoError(
          'internal',
          `Another process holds ${path} for more than ${timeoutMs} ms. Try again, or remove the file if nothing uses it.`,
        );
      await new Promise<void>((resolve) => void clock.schedule(RETRY_MS, resolve));
      release = await tryFileLock(path, options);
    }
    try {
      return await action();
    } finally {
      await release();
    }
  });
}

/** Takes the lock if nobody alive holds it: gives what lets go of it, or `null`. */
export async function tryFileLock(
  path: string,
  { table = systemProcessTable }: FileLockOptions = {},
): Promise<(() => Promise<void>) | null> {
  const nonce = randomUUID();
  const self = {
    pid: process.pid,
    startTime: table.find(process.pid)?.startTime ?? 0,
    hostname: table.machine.hostname,
    nonce,
  };
  const mine = `${path}.${nonce}`;
  await writeInFolder(mine, JSON.stringify(self));
  try {
    // A link appears with its content, or not at all: no other process ever reads half a lock.
    if (!(await linkNew(mine, path)) && !((await clearDeadLock(path, table)) && (await linkNew(mine, path))))
      return null;
  } finally {
    await rm(mine, { force: true });
  }
  return () => rm(path, { force: true });
}

/** Removes what a process that died has left of a lock; that of a living one stays. */
export async function removeDeadLock(path: string, table: ProcessTable = systemProcessTable): Promise<void> {
  const holder = await readHolder(path);
  if (holder !== null && holder.hostname === table.machine.hostname && !isAlive(table, holder))
    await rm(path, { force: true });
}

/** Whoever leaves last removes the folder, maybe just after we made sure of it. */
async function writeInFolder(path: string, text: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      return await writeFile(path, text, { mode: 0o600 });
    } catch (error) {
      if (attempt === 10 || !(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}

async function linkNew(from: string, to: string): Promise<boolean> {
  return link(from, to).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
      throw error;
    },
  );
}

/** Two may see the same dead lock: whoever moves a living one aside by that puts it back. */
async function clearDeadLock(path: string, table: ProcessTable): Promise<boolean> {
  const dead = await readHolder(path);
  if (dead !== null && (dead.hostname !== table.machine.hostname || isAlive(table, dead))) return false;
  const aside = `${path}.${randomUUID()}`;
  if (
    !(await rename(path, aside).then(
      () => true,
      () => false,
    ))
  )
    return true;
  const moved = await readHolder(aside);
  if (moved !== null && moved.nonce !== dead?.nonce) await linkNew(aside, path);
  await rm(aside, { force: true });
  return true;
}

async function readHolder(path: string): Promise<z.infer<typeof holderSchema> | null> {
  try {
    return holderSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}
