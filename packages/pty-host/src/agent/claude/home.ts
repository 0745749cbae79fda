import type { PermissionMode } from '@semo-office/core';

import type { Launch, LaunchContext } from '../agent-driver.ts';
import { claudeState, trustedFolders, writeState } from './config.ts';
import { credentialIn, resolveCredential, withoutCredentials, type TokenProvider } from './credential.ts';
import { claimLogin } from './login.ts';
import { SessionCredential } from './session-credential.ts';
import { QUIET, claudeVersion, findClaude } from './installed-claude.ts';

/** How Claude Code is found and signed in. */
export interface ClaudeDriverOptions {
  /** The binary. Default: `SEMO_CLAUDE_BIN`, else `claude` on the `PATH`. */
  readonly binary?: string | undefined;
  /** Gives the credential for each new session. Default: the host's environment. */
  readonly tokenProvider?: TokenProvider | undefined;
}

/** Variables that say where the model is. They are handed on where the host has them. */
const MODEL_VARIABLES = ['ANTHROPIC_BASE_URL', 'ANTHROPIC_MODEL', 'CLAUDE_CODE_MAX_RETRIES'] as const;

/** Claude Code, ready to be started for one session. */
export interface ClaudeHome {
  readonly binary: string;
  readonly version: string;
  /** The folder of the agent's configuration. */
  readonly configDir: string;
  /** Whether that folder is the session's own. */
  readonly isPrivate: boolean;
  /** The whole environment of the agent. */
  readonly env: Readonly<Record<string, string>>;
  /** What it is signed in with; `null` where that is a person's own login. */
  readonly credential: SessionCredential | null;
  release(): Promise<void>;
}

/** What a session's sign-in means for whoever hosts it. */
export function signInTraits({ credential }: ClaudeHome): Pick<Launch, 'credentialExpiresAt' | 'secrets'> {
  return { credentialExpiresAt: () => credential?.expiresAt, secrets: () => credential?.secrets ?? [] };
}

/** What the settings of a session have in common, whichever way Claude Code is spoken with. */
interface ClaudeSetup {
  readonly useLogin?: boolean | undefined;
  readonly permissionMode?: PermissionMode | undefined;
}

/**
 * Finds Claude Code, asks for its version, signs it in and prepares its configuration home.
 *
 * @throws SemoError `agent_not_found`, `agent_version_unsupported`, `not_signed_in`, `login_in_use`, `workspace_forbidden`.
 */
export async function openClaudeHome(
  options: ClaudeDriverOptions,
  context: LaunchContext,
  setup: ClaudeSetup,
): Promise<ClaudeHome> {
  const { baseEnv, folder, hostEnv } = context;
  const path = baseEnv['PATH'] ?? '';
  const binary = await findClaude({ binary: options.binary, hostEnv, path, folder });
  const place = setup.useLogin === true ? await loginPlace(context) : await privatePlace(options, context);
  try {
    const version = await claudeVersion(binary, { env: baseEnv, configDir: context.folders.config });
    return { ...place, binary, version, env: environment(context, setup, place.env) };
  } catch (thrown) {
    await place.release();
    throw thrown;
  }
}

type Place = Pick<ClaudeHome, 'configDir' | 'isPrivate' | 'env' | 'credential' | 'release'>;

async function privatePlace({ tokenProvider }: ClaudeDriverOptions, context: LaunchContext): Promise<Place> {
  const { folders, folder, baseEnv, hostEnv, spec } = context;
  const sessionEnv = { ...spec.environment.set };
  const given = await resolveCredential({ sessionEnv, hostEnv, provider: tokenProvider });
  const provider = credentialIn(sessionEnv) === null ? (tokenProvider ?? null) : null;
  const credential = new SessionCredential(given, provider);
  const configDir = folders.config;
  const trusted = await trustedFolders(folder, baseEnv['PATH'] ?? '');
  await writeState(configDir, claudeState({ credential: given, trusted }));
  return {
    configDir,
    isPrivate: true,
    credential,
    env: { CLAUDE_CONFIG_DIR: configDir, [given.variable]: given.value },
    release: () => Promise.resolve(),
  };
}

async function loginPlace(context: LaunchContext): Promise<Place> {
  const login = await claimLogin(context);
  return {
    configDir: login.configDir,
    isPrivate: false,
    env: login.env,
    credential: null,
    release: () => login.release(),
  };
}

function environment(
  context: LaunchContext,
  { permissionMode }: ClaudeSetup,
  placeEnv: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    ...modelVariables(context),
    ...withoutCredentials(context.baseEnv),
    ...QUIET,
    // Claude Code refuses bypass mode to root unless told that the machine is expendable; whoever asks for both says so.
    ...(permissionMode === 'bypassPermissions' && process.getuid?.() === 0 ? { IS_SANDBOX: '1' } : {}),
    CLAUDE_CODE_TMPDIR: context.folders.tmp,
    ...placeEnv,
  };
}

/** Where the model is, as the host knows it; a session's own word comes after. */
function modelVariables({ hostEnv }: LaunchContext): Record<string, string> {
  const given = MODEL_VARIABLES.flatMap((name) => (hostEnv[name] === undefined ? [] : [[name, hostEnv[name]]]));
  return Object.fromEntries(given) as Record<string, string>;
}
