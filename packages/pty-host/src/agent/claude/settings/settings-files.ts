import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { SemoError } from '@semo-office/core';

import type { LaunchContext } from '../../agent-driver.ts';
import { trustedFolders } from '../config.ts';
import { checkSettingsText, limitsHookAddresses } from './settings-check.ts';

/** What settings that are not ours say of hooks. */
export interface ForeignSettings {
  /** Whether hooks may call listed addresses only: ours has to be in the list then. */
  readonly limitHookAddresses: boolean;
}

/**
 * Reads the settings files that apply in a session's folder and refuses what the agent would ignore in them.
 *
 * @throws SemoError `invalid_settings`.
 */
export async function readForeignSettings(
  context: Pick<LaunchContext, 'folder' | 'baseEnv' | 'hostEnv'>,
  { useLogin = false }: { readonly useLogin?: boolean | undefined },
): Promise<ForeignSettings> {
  const { folder, baseEnv, hostEnv } = context;
  const repository = await trustedFolders(folder, baseEnv['PATH'] ?? '');
  const files = [...settingsFilesFor(folder, repository), ...(useLogin ? userFiles(hostEnv) : [])];
  let limitHookAddresses = false;
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text === null) continue;
    checkSettingsText(file, text);
    limitHookAddresses ||= limitsHookAddresses(text);
  }
  return { limitHookAddresses };
}

/**
 * Reads them again when the folder holds another branch, which may have others. The agent's own are as they were.
 *
 * @throws SemoError `invalid_settings`, `workspace_dirty` when our hooks could not be called under the new ones.
 */
export async function recheckForeignSettings(
  context: Pick<LaunchContext, 'folder' | 'baseEnv' | 'hostEnv'>,
  options: { readonly useLogin?: boolean | undefined },
  before: ForeignSettings,
): Promise<void> {
  const now = await readForeignSettings(context, options);
  if (!now.limitHookAddresses || before.limitHookAddresses) return;
  const reason =
    'The settings of the branch let hooks call listed addresses only, and this agent was started without that.';
  throw new SemoError('workspace_dirty', `${reason} Start a session on the branch itself.`, {
    details: { path: context.folder, reason, kind: 'settings' },
  });
}

/** The folder's own settings; personal ones also count where they lie in the repository that a worktree belongs to. */
function settingsFilesFor(folder: string, repository: readonly string[]): string[] {
  const personal = [folder, ...repository].map((place) => join(place, '.claude', 'settings.local.json'));
  return [...new Set([join(folder, '.claude', 'settings.json'), ...personal])];
}

function userFiles(hostEnv: LaunchContext['hostEnv']): string[] {
  const home = hostEnv['HOME'];
  const config = hostEnv['CLAUDE_CONFIG_DIR'] ?? (home === undefined ? undefined : join(home, '.claude'));
  return config === undefined ? [] : [join(config, 'settings.json')];
}
