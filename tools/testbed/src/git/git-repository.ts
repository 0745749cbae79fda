import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../temporary-folder.ts';

const execFileAsync = promisify(execFile);

/** Keeps git away from the configuration of the person and the machine it runs on. */
export const isolatedGitEnvironment: Readonly<Record<string, string>> = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
};

/** A real repository in a temporary folder; disposing removes it. */
export interface GitRepository extends AsyncDisposable {
  /** The repository's root: absolute, without symbolic links. */
  readonly path: string;
  /**
   * Runs git in the root and returns what it prints, without the line end.
   * @throws Error with git's own message when it fails.
   * @example await repository.git(['log', '-1', '--format=%H'])
   */
  git(args: readonly string[]): Promise<string>;
}

/** What a new repository holds. */
export interface GitRepositoryOptions {
  /** Path within the repository → content, part of the initial commit. Default: a `README.md`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Default: `main`. */
  readonly branch?: string;
}

/**
 * Makes a repository with one commit, its own author, no hooks and no signing.
 * @example await using repository = await createGitRepository({ files: { 'src/a.ts': 'export const a = 1;\n' } });
 */
export async function createGitRepository({
  files = { 'README.md': '# Test\n' },
  branch = 'main',
}: GitRepositoryOptions = {}): Promise<GitRepository> {
  const folder = await temporaryFolder('semo-repo-');
  const git = (args: readonly string[]): Promise<string> => runGit(folder.path, args);
  try {
    await git(['init', '--quiet', '--template=', `--initial-branch=${branch}`]);
    await configure(git);
    await writeFiles(folder.path, files);
    await git(['add', '--all', '--force']);
    await git(['commit', '--quiet', '--allow-empty', '--message', 'Initial commit']);
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
  return { path: folder.path, git, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

async function configure(git: GitRepository['git']): Promise<void> {
  await git(['config', 'user.name', 'Testbed']);
  await git(['config', 'user.email', 'testbed@example.invalid']);
  await git(['config', 'commit.gpgSign', 'false']);
  await git(['config', 'tag.gpgSign', 'false']);
  await git(['config', 'core.hooksPath', '/dev/null']);
  // A background `gc` would still write while the folder is being removed.
  await git(['config', 'gc.auto', '0']);
  await git(['config', 'maintenance.auto', 'false']);
}

async function writeFiles(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

async function runGit(cwd: string, args: readonly string[]): Promise<string> {
  const { stdout } = await execFileAsync('git', [...args], {
    cwd,
    env: { ...withoutGitVariables(process.env), ...isolatedGitEnvironment },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.replace(/\r?\n$/, '');
}

/** Within a git hook GIT_DIR and its like point at another repository. */
function withoutGitVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('GIT_')));
}
