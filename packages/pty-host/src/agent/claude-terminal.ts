import { join } from 'node:path';
import { SemoError, type AgentSpec } from '@semo-office/core';

import type { AgentDriver, Launch, LaunchContext } from './agent-driver.ts';
import { ClaudeAgent } from './claude-agent.ts';
import { claudeSettings, claudeState, trustedFolders, writeSettings, writeState } from './claude-config.ts';
import { resolveCredential, withoutCredentials, type TokenProvider } from './claude-credential.ts';
import { ClaudeHookListener } from './claude-hook-listener.ts';
import { claimLogin } from './claude-login.ts';
import { probeClaudeVersion } from './claude-version.ts';
import { findExecutable } from './executable.ts';

/** Options of {@link createClaudeDriver}. */
export interface ClaudeDriverOptions {
  /** The binary. Default: `SEMO_CLAUDE_BIN`, else `claude` on the `PATH`. */
  readonly binary?: string | undefined;
  /** Gives the credential for each new session. Default: the host's environment. */
  readonly tokenProvider?: TokenProvider | undefined;
}

type ClaudeSpec = Extract<AgentSpec, { kind: 'claude' }>;

/** Hosts that Claude Code would call beside the model are left alone; the version is ours to choose. */
const QUIET = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1',
  DISABLE_AUTOUPDATER: '1',
};
/** Variables that say where the model is. They are handed on where the host has them. */
const MODEL_VARIABLES = ['ANTHROPIC_BASE_URL', 'ANTHROPIC_MODEL', 'CLAUDE_CODE_MAX_RETRIES'] as const;

/**
 * Drives Claude Code in a terminal: a private configuration home per session, prompts pasted and verified, the end of a
 * turn told by its Stop hook.
 */
export function createClaudeDriver(options: ClaudeDriverOptions = {}): AgentDriver {
  const hooks = new ClaudeHookListener();
  return {
    kind: 'claude',
    async prepare(context) {
      const spec = context.spec.agent as ClaudeSpec;
      const binary = await findBinary(options, context);
      const home = spec.useLogin === true ? await loginHome(context) : await privateHome(options, context);
      const probeEnv = { ...context.baseEnv, ...QUIET, CLAUDE_CONFIG_DIR: context.folders.config };
      const version = await probeClaudeVersion(binary, probeEnv).catch(async (error: unknown) => {
        await home.release();
        throw error;
      });
      return claudeLaunch({ context, spec, binary, version, home, hooks });
    },
  };
}

/** Where an agent's configuration lives, and how it signs in. */
interface ConfigHome {
  readonly env: Readonly<Record<string, string>>;
  /** The folder of the agent's status files. */
  readonly configDir: string;
  release(): Promise<void>;
}

async function findBinary(
  { binary }: ClaudeDriverOptions,
  { baseEnv, folder, hostEnv }: LaunchContext,
): Promise<string> {
  return findExecutable({
    name: binary ?? hostEnv['SEMO_CLAUDE_BIN'] ?? 'claude',
    path: baseEnv['PATH'] ?? '',
    folder,
    hint: 'Install Claude Code (npm install -g @anthropic-ai/claude-code), or set SEMO_CLAUDE_BIN to its path.',
  });
}

async function privateHome({ tokenProvider }: ClaudeDriverOptions, context: LaunchContext): Promise<ConfigHome> {
  const { folders, folder, baseEnv, hostEnv, spec } = context;
  const credential = await resolveCredential({
    sessionEnv: { ...spec.environment.set },
    hostEnv,
    provider: tokenProvider,
  });
  const configHome = folders.config;
  const trusted = await trustedFolders(folder, baseEnv['PATH'] ?? '');
  await writeState(configHome, claudeState({ credential, trusted }));
  return {
    configDir: configHome,
    env: { CLAUDE_CONFIG_DIR: configHome, [credential.variable]: credential.value },
    release: () => Promise.resolve(),
  };
}

async function loginHome(context: LaunchContext): Promise<ConfigHome> {
  const login = await claimLogin(context);
  return { configDir: login.configDir, env: login.env, release: () => login.release() };
}

async function claudeLaunch({
  context,
  spec,
  binary,
  version,
  home,
  hooks,
}: {
  readonly context: LaunchContext;
  readonly spec: ClaudeSpec;
  readonly binary: string;
  readonly version: string;
  readonly home: ConfigHome;
  readonly hooks: ClaudeHookListener;
}): Promise<Launch> {
  const agent = new ClaudeAgent({ statusFolder: join(home.configDir, 'sessions') });
  const endpoint = await hooks.register((input, withdrawn) => agent.onHook(input, withdrawn));
  const settings = await writeSettings(context.folders.config, claudeSettings(endpoint));
  return {
    command: [binary, ...claudeArguments(spec), '--settings', settings],
    over: 'terminal',
    version,
    configHome: spec.useLogin === true ? null : home.configDir,
    env: {
      ...modelVariables(context),
      ...withoutCredentials(context.baseEnv),
      ...QUIET,
      ...sandboxNote(spec),
      CLAUDE_CODE_TMPDIR: context.folders.tmp,
      ...home.env,
    },
    monitor: { sources: ['agent_end', 'exit'], exitMeans: 'crash' },
    attach(io) {
      agent.attach(io);
      return agent;
    },
    async dispose() {
      await hooks.unregister(endpoint);
      await home.release();
    },
  };
}

function claudeArguments({ model, permissionMode = 'default' }: ClaudeSpec): string[] {
  if (model?.startsWith('-'))
    throw new SemoError('invalid_argument', `A model's name cannot begin with a dash: ${model}`);
  return ['--permission-mode', permissionMode, ...(model === undefined ? [] : ['--model', model])];
}

/** Where the model is, as the host knows it; a session's own word comes after. */
function modelVariables({ hostEnv }: LaunchContext): Record<string, string> {
  const given = MODEL_VARIABLES.flatMap((name) => (hostEnv[name] === undefined ? [] : [[name, hostEnv[name]]]));
  return Object.fromEntries(given) as Record<string, string>;
}

/** Claude Code refuses bypass mode to root unless told that the machine is expendable; whoever asks for both says so. */
function sandboxNote({ permissionMode }: ClaudeSpec): Record<string, string> {
  return permissionMode === 'bypassPermissions' && process.getuid?.() === 0 ? { IS_SANDBOX: '1' } : {};
}
