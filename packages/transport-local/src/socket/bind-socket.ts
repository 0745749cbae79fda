import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { lstat, rename, stat, unlink } from 'node:fs/promises';
import { createConnection, type Server } from 'node:net';
import { dirname, join } from 'node:path';

import { SemoError } from '@semo-office/core';

/** What makes a socket file the one it is; an inode number alone may be used again. */
export interface SocketIdentity {
  readonly ino: bigint;
  readonly mtimeNs: bigint;
}

/** The socket file at that path; `null` when there is none. */
export async function socketIdentity(path: string): Promise<SocketIdentity | null> {
  const found = await lstat(path, { bigint: true }).catch(() => null);
  return found?.isSocket() === true ? { ino: found.ino, mtimeNs: found.mtimeNs } : null;
}

/** Whether both are the same socket file. */
export function isSameSocket(one: SocketIdentity | null, other: SocketIdentity | null): boolean {
  return one !== null && other !== null && one.ino === other.ino && one.mtimeNs === other.mtimeNs;
}

/**
 * Makes the server listen at the path, for its owner alone. What a dead host left there is replaced.
 *
 * @throws SemoError `host_running`: a living host listens there; `unsafe_path`: something that is no socket is there.
 */
export async function bindSocket(server: Server, path: string): Promise<void> {
  for (let triesLeft = 3; ; triesLeft -= 1) {
    try {
      await listenPrivately(server, path);
      break;
    } catch (thrown) {
      if (!isAddressInUse(thrown))
        throw new SemoError('internal', `Cannot listen at ${path}: ${String(thrown)}`, { cause: thrown });
      if (triesLeft === 0)
        throw new SemoError('host_running', `Another host keeps starting at ${path}.`, { cause: thrown });
      await removeStale(path);
    }
  }
  const { mode } = await stat(path);
  if ((mode & 0o777) === 0o600) return;
  server.close();
  throw new SemoError(
    'unsafe_path',
    `The file system of ${path} does not keep a socket private (mode ${(mode & 0o777).toString(8)}). Choose another folder.`,
  );
}

/** The file is born with mode 0600: `bind` happens within `listen`, so the mask holds for nothing else. */
async function listenPrivately(server: Server, path: string): Promise<void> {
  const listening = once(server, 'listening');
  const mask = process.umask(0o177);
  try {
    server.listen({ path });
  } finally {
    process.umask(mask);
  }
  await listening;
}

function isAddressInUse(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'EADDRINUSE';
}

async function removeStale(path: string): Promise<void> {
  const stale = await socketIdentity(path);
  if (stale === null) {
    if ((await lstat(path).catch(() => null)) === null) return;
    throw new SemoError('unsafe_path', `${path} is there and is no socket. Remove it or choose another path.`);
  }
  if (await isAnswered(path))
    throw new SemoError('host_running', `A host is running at ${path}. Connect to it, or stop it first.`);
  // Two hosts may get here at once: only the file that was found dead is removed, never one that was born since.
  const aside = join(dirname(path), `.${randomBytes(4).toString('hex')}`);
  await rename(path, aside).catch(() => {});
  if (isSameSocket(await socketIdentity(aside), stale)) await unlink(aside);
  else await rename(aside, path).catch(() => {});
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
