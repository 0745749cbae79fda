import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SemoError } from '@semo-office/core';
import { z } from 'zod';

import { tryFileLock } from '../../file-lock.ts';
import type { LaunchContext } from '../agent-driver.ts';

/** What we read of Claude Code's state: which folders the user trusts. */
const stateSchema = z.looseObject({
  projects: z.record(z.string(), z.looseObject({ hasTrustDialogAccepted: z.boolean().optional() })).default({}),
});

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
  const release = await tryFileLock(join(configDir, 'semo-login.lock'));
  if (release === null)
    throw new SemoError(
      'login_in_use',
      'Another session is using the login of this machine; one at a time. Wait for it, or use a token of your own (`claude setup-token`).',
    );
  return {
    configDir,
    env: {
      HOME: home,
      ...(ownConfig === undefined ? {} : { CLAUDE_CONFIG_DIR: ownConfig }),
      ...(baseEnv['PATH'] === undefined ? {} : { PATH: baseEnv['PATH'] }),
    },
    release,
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
  const { projects } = readState(text, stateFile);
  const trusted = Object.entries(projects).some(
    ([path, project]) => project.hasTrustDialogAccepted === true && (folder === path || folder.startsWith(`${path}/`)),
  );
  if (!trusted)
    throw new SemoError(
      'workspace_forbidden',
      `Claude Code does not trust ${folder} yet. Run \`claude\` there once and confirm, or do without --use-login.`,
    );
}

function readState(text: string, file: string): z.output<typeof stateSchema> {
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new SemoError(
      'not_signed_in',
      `${file} cannot be read as Claude Code's state. Run \`claude\` once and log in.`,
      {
        cause: error,
      },
    );
  }
}
