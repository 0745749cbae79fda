import { execFile } from 'node:child_process';
import { basename, dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SemoError } from 'semo-office';

const run = promisify(execFile);

/** A repository to make worktrees of. */
export interface Repository {
  readonly id: string;
  readonly path: string;
  /** Beside the repository, so that neither its status nor its tools see what is in there. */
  readonly worktreeRoot: string;
}

/**
 * The repository a folder belongs to.
 *
 * @throws SemoError `invalid_argument`.
 */
export async function findRepository(folder: string): Promise<Repository> {
  try {
    const { stdout } = await run('git', ['-C', folder, 'rev-parse', '--show-toplevel']);
    const path = stdout.replace(/\n$/, '');
    return { id: basename(path), path, worktreeRoot: resolve(dirname(path), `${basename(path)}.worktrees`) };
  } catch (error) {
    throw new SemoError(
      'invalid_argument',
      `${folder} is not in a git repository, so no worktree can be made. Use --workdir, or run \`git init\` and commit once.`,
      { cause: error },
    );
  }
}
