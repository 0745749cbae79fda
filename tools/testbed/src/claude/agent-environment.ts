import { isolatedGitEnvironment } from '../git/git-repository.ts';
import type { ModelServer } from '../model/model-server.ts';

/** How an isolated run of the CLI differs from the default one. */
export interface AgentEnvironmentOptions {
  /** The run's own configuration and home folder. Leave it out only where a session manager makes one itself. */
  readonly configDir?: string;
  /** Default: `testbedApiKey`. A key per session lets a script tell sessions apart. */
  readonly apiKey?: string;
  /** How often the CLI repeats a request that failed. Default: its own, 10. */
  readonly maxRetries?: number;
}

/** The key a test run uses; no server outside this package knows it. */
export const testbedApiKey = 'sk-ant-testbed-00000000000000000000';

/**
 * The whole environment of a CLI run that talks to `server` and to nothing else.
 * @example spawn(claudeBinary(), args, { env: agentEnvironment(server, { configDir: folder.path }) })
 */
export function agentEnvironment(
  server: Pick<ModelServer, 'url'>,
  { configDir, apiKey = testbedApiKey, maxRetries }: AgentEnvironmentOptions = {},
): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    ...isolatedGitEnvironment,
    ANTHROPIC_BASE_URL: server.url,
    ANTHROPIC_API_KEY: apiKey,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    // In a terminal 2.1.329 nevertheless looks for the official plugin marketplace (its host, and `ssh` to its git host).
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1',
    DISABLE_AUTOUPDATER: '1',
    NO_PROXY: '127.0.0.1,localhost',
    ...(configDir === undefined ? {} : privateFolders(configDir)),
    ...(maxRetries === undefined ? {} : { CLAUDE_CODE_MAX_RETRIES: String(maxRetries) }),
    // Bypassing permissions as root is refused unless the CLI is told that it runs in a sandbox.
    ...(process.getuid?.() === 0 ? { IS_SANDBOX: '1' } : {}),
  };
}

/** Without CLAUDE_CODE_TMPDIR each run leaves folders behind in the machine's own `claude-<uid>` folder. */
function privateFolders(configDir: string): Record<string, string> {
  return { HOME: configDir, CLAUDE_CONFIG_DIR: configDir, CLAUDE_CODE_TMPDIR: configDir };
}
