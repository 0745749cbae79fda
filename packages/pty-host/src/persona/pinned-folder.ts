import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, rmdir, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { SemoError } from '@semo-office/core';

/** A file as it was read, with what a new one in its place must keep. */
export interface PinnedFile {
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * A folder held open, so that nobody can put a symbolic link in its place between a check and a write. On Linux all
 * names are looked up from the open folder itself; elsewhere by path, without following a link at the end.
 */
export class PinnedFolder {
  readonly path: string;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** @throws SemoError `unsafe_path` when it is a link or no folder. */
  static async open(path: string, lookup: string = path): Promise<PinnedFolder> {
    const handle = await open(lookup, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch((error: unknown) =>
      refuse(error, path),
    );
    return new PinnedFolder(path, handle);
  }

  /** A folder in this one, `null` if there is none. */
  async folder(name: string): Promise<PinnedFolder | null> {
    return orNull(PinnedFolder.open(join(this.path, name), this.#lookup(name)));
  }

  /** Makes a folder in this one; false when there is something of that name. */
  async makeFolder(name: string): Promise<boolean> {
    return mkdir(this.#lookup(name)).then(
      () => true,
      (error: unknown) => {
        if (codeOf(error) === 'EEXIST') return false;
        throw error;
      },
    );
  }

  /** Removes a folder in this one if it is empty. */
  async removeEmptyFolder(name: string): Promise<void> {
    await rmdir(this.#lookup(name)).catch(() => {});
  }

  /** A file in this folder, `null` if there is none. @throws SemoError `unsafe_path` when it is a link or no file. */
  async read(name: string): Promise<PinnedFile | null> {
    const path = join(this.path, name);
    const handle = await orNull(
      open(this.#lookup(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: unknown) => refuse(error, path)),
    );
    if (handle === null) return null;
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw unsafe(path);
      return { bytes: await handle.readFile(), mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid };
    } finally {
      await handle.close();
    }
  }

  /** Puts a file in place at once, with the mode and owner of the one before it. A link of that name is replaced, not followed. */
  async write(name: string, bytes: Uint8Array, before: PinnedFile | null): Promise<void> {
    const temporary = this.#lookup(`.${name}.${randomUUID()}`);
    const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, before?.mode ?? 0o644);
    try {
      await handle.writeFile(bytes);
      if (before !== null) {
        // Only root may give a file away, and only then can the owner be another one.
        await handle.chown(before.uid, before.gid).catch(() => {});
        await handle.chmod(before.mode);
      }
      await rename(temporary, this.#lookup(name));
    } catch (error) {
      await unlink(temporary).catch(() => {});
      throw error;
    } finally {
      await handle.close();
    }
  }

  async remove(name: string): Promise<void> {
    await unlink(this.#lookup(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  #lookup(name: string): string {
    return process.platform === 'linux' ? `/proc/self/fd/${this.#handle.fd}/${name}` : join(this.path, name);
  }
}

/** The refusal to write where a link leads. */
export function unsafe(path: string, cause?: unknown): SemoError {
  return new SemoError(
    'unsafe_path',
    `${path} is a link that leads out of the working folder, or not what it should be. Nothing was written; put a plain file or folder there.`,
    {
      details: { path },
      cause,
    },
  );
}

function refuse(error: unknown, path: string): never {
  throw ['ELOOP', 'ENOTDIR', 'EMLINK', 'ENXIO'].includes(codeOf(error)) ? unsafe(path, error) : error;
}

function orNull<Value>(looking: Promise<Value>): Promise<Value | null> {
  return looking.catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
