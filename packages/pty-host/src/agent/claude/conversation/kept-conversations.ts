import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { removeEmptyFolders } from '../../../process/private-folder.ts';
import { LOCK_FOLDER, lockConversation } from './conversation-locks.ts';

/** How long conversations are kept, and how many. */
export interface ConversationLimits {
  /** One that nobody has gone on with for longer is removed. Default 30 days. */
  readonly maxAgeMs?: number | undefined;
  /** Beyond so many the ones that rested longest are removed. Default 1000. */
  readonly maxCount?: number | undefined;
}

/** A conversation on disk. */
export interface KeptConversation {
  readonly id: string;
  /** The folder of its project. */
  readonly project: string;
  /** When it was last written to, in epoch milliseconds. */
  readonly changedAt: number;
}

const DEFAULT_MAX_AGE_MS = 30 * 24 * 3_600_000;
const DEFAULT_MAX_COUNT = 1000;
const TRANSCRIPT = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl$/;

/** Which conversations the limits are over for. */
export function outlivedConversations(
  all: readonly KeptConversation[],
  { maxAgeMs = DEFAULT_MAX_AGE_MS, maxCount = DEFAULT_MAX_COUNT, now }: ConversationLimits & { readonly now: number },
): KeptConversation[] {
  const newestFirst = all.toSorted((left, right) => right.changedAt - left.changedAt);
  return newestFirst.filter(({ changedAt }, index) => index >= maxCount || now - changedAt > maxAgeMs);
}

/** Removes what the limits are over for, but nothing that a living session has. What cannot be removed stays. */
export async function pruneConversations(
  folder: string,
  limits: ConversationLimits & { readonly now: number },
): Promise<void> {
  for (const { id, project } of outlivedConversations(await keptConversations(folder), limits)) {
    const release = await lockConversation(folder, id);
    if (release === null) continue;
    try {
      await rm(join(project, `${id}.jsonl`), { force: true });
      // What its subagents said, and long results of tools.
      await rm(join(project, id), { recursive: true, force: true });
      await removeEmptyFolders([project]);
    } finally {
      await release();
    }
  }
}

/** Whether a conversation is kept. */
export async function isConversationKept(folder: string, id: string): Promise<boolean> {
  return (await keptConversations(folder)).some((kept) => kept.id === id);
}

async function keptConversations(folder: string): Promise<KeptConversation[]> {
  const found: KeptConversation[] = [];
  for (const name of await names(folder)) {
    if (name === LOCK_FOLDER) continue;
    const project = join(folder, name);
    for (const file of await names(project)) {
      const id = TRANSCRIPT.exec(file)?.[1];
      const changedAt = id === undefined ? null : await changeTime(join(project, file));
      if (id !== undefined && changedAt !== null) found.push({ id, project, changedAt });
    }
  }
  return found;
}

async function changeTime(path: string): Promise<number | null> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  );
}

/** Of what is gone or no folder: none. */
async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
