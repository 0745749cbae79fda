import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

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
