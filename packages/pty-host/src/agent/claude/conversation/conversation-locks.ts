import { join } from 'node:path';

import { tryFileLock } from '../../../file-lock.ts';
import { removeEmptyFolders } from '../../../process/private-folder.ts';

/** The folder of locks among the kept conversations; no project's folder begins with a dot. */
export const LOCK_FOLDER = '.locks';

/** Lets go of a conversation. */
export type ReleaseConversation = () => Promise<void>;

/**
 * Takes a kept conversation for one living session, also against other processes; `null` where one has it. What a process
 * that died has left is taken over.
 */
export async function lockConversation(folder: string, conversationId: string): Promise<ReleaseConversation | null> {
  const locks = join(folder, LOCK_FOLDER);
  const release = await tryFileLock(join(locks, conversationId));
  if (release === null) return null;
  return async () => {
    await release();
    await removeEmptyFolders([locks]);
  };
}
