import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import type { Credential } from './credential.ts';
import { checkSettingsText } from './settings/settings-check.ts';

const run = promisify(execFile);

/** Claude Code compares the end of an API key with those a person has approved. */
const APPROVED_KEY_TAIL = 20;

/** The start of a private configuration home: every dialog that could open at start has been answered here. */
export function claudeState({
  credential,
  trusted,
}: {
  readonly credential: Credential;
  readonly trusted: readonly string[];
}): Record<string, unknown> {
  const approved = credential.variable === 'ANTHROPIC_API_KEY' ? [credential.value.slice(-APPROVED_KEY_TAIL)] : [];
  return {
    hasCompletedOnboarding: true,
    bypassPermissionsModeAccepted: true,
    customApiKeyResponses: { approved, rejected: [] },
    projects: Object.fromEntries(
      trusted.map((folder) => [folder, { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true }]),
    ),
  };
}

/** Writes the state into a private configuration home. */
export async function writeState(configHome: string, state: Record<string, unknown>): Promise<void> {
  await writeFile(join(configHome, '.claude.json'), JSON.stringify(state), { mode: 0o600 });
}

/**
 * Writes our settings for `--settings`, whose word counts more than a user's or a repository's: one that turned hooks off
 * would make the agent deaf to us. Gives the file.
 */
export async function writeSettings(folder: string, settings: Record<string, unknown>): Promise<string> {
  const file = join(folder, 'semo-settings.json');
  const text = JSON.stringify(settings);
  checkSettingsText(file, text);
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

/** The folders whose trust the agent asks about: the working folder, and the repository that a worktree belongs to. */
export async function trustedFolders(folder: string, path: string): Promise<string[]> {
  try {
    const { stdout } = await run(
      'git',
      ['-C', folder, 'rev-parse', '--path-format=absolute', '--show-toplevel', '--git-common-dir'],
      {
        env: { PATH: path, LC_ALL: 'C' },
      },
    );
    const [top = folder, common = ''] = stdout.split('\n');
    return [...new Set([folder, top, dirname(common)])];
  } catch {
    return [folder];
  }
}
