import { findExecutable } from '../executable.ts';
import { probeClaudeVersion } from './version.ts';

/** Hosts that Claude Code would call beside the model are left alone; the version is ours to choose. */
export const QUIET = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1',
  DISABLE_AUTOUPDATER: '1',
};

/** Where Claude Code is looked for. */
export interface ClaudeWhereabouts {
  /** Default: `SEMO_CLAUDE_BIN` of the host, else `claude`. */
  readonly binary: string | undefined;
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  readonly path: string;
  /** What a path that is not absolute begins at. */
  readonly folder: string;
}

/** The binary's absolute path. @throws SemoError `agent_not_found`. */
export function findClaude({ binary, hostEnv, path, folder }: ClaudeWhereabouts): Promise<string> {
  return findExecutable({
    name: (binary ?? hostEnv['SEMO_CLAUDE_BIN']) || 'claude',
    path,
    folder,
    hint: 'Install Claude Code (npm install -g @anthropic-ai/claude-code), or set SEMO_CLAUDE_BIN to its path.',
  });
}

/** Its version. @throws SemoError `agent_version_unsupported`, `agent_start_failed`. */
export function claudeVersion(
  binary: string,
  { env, configDir }: { readonly env: Readonly<Record<string, string>>; readonly configDir: string },
): Promise<string> {
  return probeClaudeVersion(binary, { ...env, ...QUIET, CLAUDE_CONFIG_DIR: configDir });
}
