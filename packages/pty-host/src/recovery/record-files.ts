import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SemoError } from '@semo-office/core';
import type { z } from 'zod';

/** Reads a record; `null` when there is none. One that cannot be read is told of and counts as none. */
export async function readRecordFile<Schema extends z.ZodType>(
  place: string,
  { schema, onFault }: { readonly schema: Schema; readonly onFault: (message: string) => void },
): Promise<z.output<Schema> | null> {
  try {
    return schema.parse(JSON.parse(await readFile(place, 'utf8')));
  } catch (error) {
    if (!isCode(error, 'ENOENT')) onFault(SemoError.from(error).message);
    return null;
  }
}

/** Replaces a record at once: a reader sees the one before or this one. */
export async function writeRecordFile(place: string, record: unknown): Promise<void> {
  await rename(await writeBeside(place, record), place);
}

/** Writes a record unless there is one; of several at once the first counts. */
export async function writeNewRecordFile(place: string, record: unknown): Promise<void> {
  const temporary = await writeBeside(place, record);
  try {
    // A link appears with its content, or not at all.
    await link(temporary, place);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The names in a folder; of what is gone or no folder: none. */
export async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** Nobody but the user may read it; the next sweep of records passes over one that was left half written. */
async function writeBeside(place: string, record: unknown): Promise<string> {
  const folder = dirname(place);
  const temporary = join(folder, `.${randomUUID()}`);
  const write = () => writeFile(temporary, JSON.stringify(record), { mode: 0o600 });
  await write().catch(async (error: unknown) => {
    if (!isCode(error, 'ENOENT')) throw error;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await write();
  });
  return temporary;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
