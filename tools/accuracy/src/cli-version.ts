import { execFile } from 'node:child_process';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { claudeBinary } from '@semo-office/testbed';

const run = promisify(execFile);

/** The oldest version that the drivers support; it is fetched for the full matrix only. */
const OLDEST_VERSION = '2.1.197';
const FETCH_TIMEOUT_MS = 300_000;

/** A version of the CLI, and the binary that it is. */
export interface Cli {
  readonly version: string;
  readonly binary: string;
}

/** The version the repository is developed against. */
export async function pinnedCli(): Promise<Cli> {
  return cliAt(claudeBinary());
}

/**
 * The oldest supported version, fetched from the package registry into `folder` unless it is there already.
 * @throws Error when it cannot be fetched, for example without a network.
 */
export async function oldestCli(folder: string): Promise<Cli> {
  const platform = `${process.platform}-${process.arch}`;
  const binary = join(folder, 'node_modules', '@anthropic-ai', `claude-code-${platform}`, 'claude');
  const isThere = await access(binary).then(
    () => true,
    () => false,
  );
  if (!isThere) await fetchOldest(folder);
  return cliAt(binary);
}

async function fetchOldest(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  // The binary comes as an optional dependency for the platform; the install script would only link to it.
  const argv = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder];
  await run('npm', [...argv, `@anthropic-ai/claude-code@${OLDEST_VERSION}`], { timeout: FETCH_TIMEOUT_MS });
}

async function cliAt(binary: string): Promise<Cli> {
  const { stdout } = await run(binary, ['--version'], { env: { PATH: process.env.PATH ?? '' } });
  return { version: stdout.trim().split(' ', 1)[0] ?? '', binary };
}
