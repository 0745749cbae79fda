import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SemoError } from '@semo-office/core';

import { identify, isAlive } from '../process/process-table.ts';
import { systemProcessTable } from '../process/system-process-table.ts';
import type { LaunchContext } from './agent-driver.ts';

/** The user's own configuration home, for as long as a session uses it. */
export interface Login {
  readonly configDir: string;
  readonly env: Readonly<Record<string, string>>;
  release(): Promise<void>;
}

/**
 * Claims the user's own login for one session. Claude Code refreshes its token in that home, so two at once could lock
 * each other out.
 *
 * @throws SemoError `login_in_use`, `not_signed_in`, `workspace_forbidden` (the folder is not trusted there yet).
 */
export async function claimLogin({ hostEnv, folder, baseEnv }: LaunchContext): Promise<Login> {
  const home = hostEnv['HOME'];
  if (home === undefined)
    throw new SemoError(
      'not_signed_in',
      'There is no HOME, so there is no login to use. Set CLAUDE_CODE_OAUTH_TOKEN or ANTHROPIC_API_KEY.',
    );
  const ownConfig = hostEnv['CLAUDE_CONFIG_DIR'];
  const configDir = ownConfig ?? join(home, '.claude');
  const stateFile = ownConfig === undefined ? join(home, '.claude.json') : join(ownConfig, '.claude.json');
  await assertTrusted(stateFile, folder);
  const lock = join(configDir, 'semo-login.lock');
  await takeLock(lock);
  return {
    configDir,
    env: {
      HOME: home,
      ...(ownConfig === undefined ? {} : { CLAUDE_CONFIG_DIR: ownConfig }),
      ...(baseEnv['PATH'] === undefined ? {} : { PATH: baseEnv['PATH'] }),
    },
    release: () => rm(lock, { force: true }),
  };
}

/** The trust dialog's default is to leave, and no key press of ours is to get past it: trust is the user's to give. */
async function assertTrusted(stateFile: string, folder: string): Promise<void> {
  const text = await readFile(stateFile, 'utf8').catch(() => null);
  if (text === null)
    throw new SemoError(
      'not_signed_in',
      'Nobody is logged in to Claude Code on this machine. Run `claude` once and log in, or run `claude setup-token`.',
    );
  const { projects = {} } = JSON.parse(text) as { projects?: Record<string, { hasTrustDialogAccepted?: boolean }> };
  const trusted = Object.entries(projects).some(
    ([path, project]) => project.hasTrustDialogAccepted === true && (folder === path || folder.startsWith(`${path}/`)),
  );
  if (!trusted)
    throw new SemoError(
      'workspace_forbidden',
      `Claude Code does not trust ${folder} yet. Run \`claude\` there once and confirm, or do without --use-login.`,
    );
}

async function takeLock(lock: string): Promise<void> {
  const me = identify(systemProcessTable, process.pid);
  const attempt = () => writeFile(lock, JSON.stringify(me), { flag: 'wx', mode: 0o600 });
  try {
    await attempt();
  } catch {
    const holder = await lockHolder(lock);
    if (holder !== null && isAlive(systemProcessTable, holder)) {
      throw new SemoError(
        'login_in_use',
        'Another session is using the login of this machine; one at a time. Wait for it, or use a token of your own (`claude setup-token`).',
      );
    }
    await rm(lock, { force: true });
    await attempt();
  }
}

async function lockHolder(lock: string): Promise<{ pid: number; startTime: number } | null> {
  try {
    return JSON.parse(await readFile(lock, 'utf8')) as { pid: number; startTime: number };
  } catch {
    return null;
  }
}
