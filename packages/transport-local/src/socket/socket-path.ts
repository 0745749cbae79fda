import { lstat, mkdir, stat } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';

import { SemoError } from '@semo-office/core';

// sockaddr_un holds 108 bytes on Linux and 104 elsewhere, one of them for the NUL at the end.
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/** @throws SemoError `invalid_argument`: relative, with a NUL, or longer than the system can address. */
export function checkSocketPath(path: string): void {
  if (!isAbsolute(path) || path.includes('\0'))
    throw new SemoError('invalid_argument', `The socket path must be absolute: ${JSON.stringify(path)}.`);
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_PATH_BYTES) return;
  throw new SemoError(
    'invalid_argument',
    `The socket path has ${bytes} bytes; this system allows ${MAX_PATH_BYTES}. Choose a shorter folder: ${path}`,
    {
      details: { bytes, maxBytes: MAX_PATH_BYTES },
    },
  );
}

/**
 * Makes the folder of a socket, for its owner alone, or checks the one there is: whoever may write there could put a
 * socket of their own in our place. A folder where only owners may remove files (sticky, like /tmp) will do.
 *
 * @throws SemoError `unsafe_path`.
 */
export async function prepareFolder(path: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = await stat(folder);
  if ((mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0) {
    throw new SemoError(
      'unsafe_path',
      `Others may write to ${folder}. Take that right away (chmod go-w) or choose another folder.`,
    );
  }
  if (!isTrusted(uid))
    throw new SemoError('unsafe_path', `${folder} belongs to another user. Choose a folder of your own.`);
}

/** @throws SemoError `unsafe_path`: the socket belongs to somebody else, who would get our prompts. */
export async function checkSocketOwner(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null || process.getuid?.() === 0) return;
  if (!isTrusted(found.uid)) throw new SemoError('unsafe_path', `The socket ${path} belongs to another user.`);
}

function isTrusted(uid: number): boolean {
  return uid === 0 || uid === (process.getuid?.() ?? uid);
}
