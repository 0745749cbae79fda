import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { tryGit } from '../workspace/git-command.ts';
import { realPaths } from './real-paths.ts';

/** The folders of the repository that an agent's folder belongs to. */
export interface GitFolders {
  /** The common folder: a commit writes there, also from a worktree. `null`: no repository. */
  readonly common: string | null;
  /** What lies in it and is to be read only: its configuration and hooks, which name programs that git runs outside. */
  readonly readOnly: readonly string[];
}

/** Asks git; makes the folder of hooks where there is none, since an agent could make it otherwise. */
export async function gitFolders(folder: string): Promise<GitFolders> {
  const args = ['rev-parse', '--path-format=absolute', '--git-common-dir'];
  const { status, stdout } = await tryGit({ cwd: folder, args });
  const [common] = status === 0 ? await realPaths([stdout.trimEnd()]) : [];
  if (common === undefined) return { common: null, readOnly: [] };
  const hooks = join(common, 'hooks');
  await mkdir(hooks, { recursive: true });
  return { common, readOnly: await realPaths([hooks, join(common, 'config')]) };
}
