import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is removed with everything in it when it is disposed. */
export interface TemporaryFolder extends AsyncDisposable {
  /** Absolute, without symbolic links. */
  readonly path: string;
}

/**
 * Makes an empty folder in the system's folder for temporary files.
 * @param prefix Begins the folder's name. Default: `semo-`.
 * @example await using folder = await temporaryFolder('semo-config-');
 */
export async function temporaryFolder(prefix = 'semo-'): Promise<TemporaryFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), prefix)));
  return {
    path,
    // An agent that is just ending may still write: the removal is tried again for about a second.
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }),
  };
}
