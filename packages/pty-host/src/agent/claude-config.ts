import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import type { Credential } from './claude-credential.ts';
import { HOOK_EVENTS, type HookEndpoint } from './claude-hook-listener.ts';
import { SUBAGENT_TOOLS } from './claude-tasks.ts';
import { PRINTING_TOOL } from './claude-tool-words.ts';

const run = promisify(execFile);

/** A permission question may wait for a person for days; in seconds, as hooks are configured. */
const HOOK_TIMEOUT_S = 7 * 24 * 3600;
/** Claude Code compares the end of an API key with those a person has approved. */
const APPROVED_KEY_TAIL = 20;

/**
 * Claude Code settings that make it speak with us: every event we need goes to our listener, with the session's token.
 * Type `http` answers in 5 to 6 ms, a command would start a process each time.
 */
export function claudeSettings({ url, token }: HookEndpoint): Record<string, unknown> {
  const hooks = Object.fromEntries(
    HOOK_EVENTS.map((event) => [
      event,
      [
        {
          // Each call costs some milliseconds: only of tools that print what happened, or put work into the background.
          matcher: event.startsWith('PostToolUse') ? [PRINTING_TOOL, ...SUBAGENT_TOOLS].join('|') : '*',
          hooks: [
            {
              type: 'http',
              url: `${url}/${event}`,
              headers: { Authorization: `Bearer ${token}` },
              timeout: HOOK_TIMEOUT_S,
            },
          ],
        },
      ],
    ]),
  );
  return { hooks, disableAllHooks: false, ...plainSettings() };
}

/** Settings for any session. */
export function plainSettings(): Record<string, unknown> {
  return {
    // Bypass mode asks for a confirmation on its first use; our caller has asked for the mode by name.
    skipDangerousModePermissionPrompt: true,
    // Without this it writes a desktop entry into the user's home.
    disableDeepLinkRegistration: 'disable',
  };
}

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
  await writeFile(file, JSON.stringify(settings), { mode: 0o600 });
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
