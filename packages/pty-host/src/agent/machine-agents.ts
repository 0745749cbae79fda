import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SemoError } from '@semo-office/core';

import type { PtySessionManagerOptions } from '../pty-session-options.ts';
import { claudeVersion, findClaude } from './claude/installed-claude.ts';

/** Which agents a machine can run. */
export interface MachineAgents {
  /** By kind; of those that are not one program `any`. */
  readonly versions: Readonly<Record<string, string>>;
  /** Why Claude Code is not among them; `null`: it is. */
  readonly claudeMissing: SemoError | null;
}

/**
 * Looks which of the built-in agents this machine can run, and in which version: what a host tells its office when it registers.
 *
 * @example
 * ```ts
 * const { versions } = await findMachineAgents();
 * const host = await transport.host({ hostId: 'mac-1', capacity: 4, agentVersions: versions });
 * ```
 */
export async function findMachineAgents({
  claude,
  hostEnv = process.env,
}: Pick<PtySessionManagerOptions, 'claude' | 'hostEnv'> = {}): Promise<MachineAgents> {
  const always = { command: 'any', shell: 'any' };
  try {
    const version = await installedVersion(claude?.binary, hostEnv);
    return { versions: { claude: version, 'claude-stream': version, ...always }, claudeMissing: null };
  } catch (thrown) {
    return { versions: always, claudeMissing: SemoError.from(thrown) };
  }
}

async function installedVersion(
  binary: string | undefined,
  hostEnv: NonNullable<PtySessionManagerOptions['hostEnv']>,
): Promise<string> {
  const path = hostEnv['PATH'] ?? '';
  const found = await findClaude({ binary, hostEnv, path, folder: process.cwd() });
  // It writes where it is configured, even for this.
  const home = await mkdtemp(join(tmpdir(), 'semo-agents-'));
  try {
    return await claudeVersion(found, { env: { PATH: path, HOME: home }, configDir: home });
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  }
}
