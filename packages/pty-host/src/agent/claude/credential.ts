import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SemoError } from '@semo-office/core';

/** What signs an agent in: exactly one variable. Never logged, never part of an event or a message. */
export interface Credential {
  readonly variable: 'ANTHROPIC_API_KEY' | 'CLAUDE_CODE_OAUTH_TOKEN' | 'ANTHROPIC_AUTH_TOKEN';
  readonly value: string;
  /** A name for the account, not secret, the same whatever its token is. Default: a digest; see {@link credentialId}. */
  readonly id?: string | undefined;
  /** When it stops being good, epoch milliseconds. Default: never, or not known. */
  readonly expiresAt?: number | undefined;
}

/**
 * Gives the credential for a new session; asked each time, so that a token can be fresh, and again by sessions in stream
 * mode whose token expires soon. See `createTokenKeeper`.
 */
export type TokenProvider = () => Promise<Credential> | Credential;

/** Only this process can make the same digests: a list of tokens to compare with is of no use to others. */
const SALT = randomBytes(32);

/**
 * What tells one credential from another, as a part of pool keys: its own `id`, or twelve hexadecimal digits that are the
 * same for the same credential as long as this process lives. No way leads back to the credential.
 *
 * @example
 * ```ts
 * credentialId({ variable: 'ANTHROPIC_API_KEY', value: key }); // 'key:5b0cfa91d2e4'
 * ```
 */
export function credentialId({ variable, value, id }: Credential): string {
  const digest = createHmac('sha256', SALT).update(`${variable}=${value}`).digest('hex').slice(0, 12);
  const kind = variable === 'ANTHROPIC_API_KEY' ? 'key' : 'token';
  return id === undefined ? `${kind}:${digest}` : `name:${id}`;
}

/** In the order of precedence that Claude Code itself has between the first two. */
const VARIABLES = ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN', 'ANTHROPIC_AUTH_TOKEN'] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** The first credential an environment holds. */
export function credentialIn(env: Environment): Credential | null {
  for (const variable of VARIABLES) {
    const value = env[variable];
    if (value !== undefined && value !== '') return { variable, value };
  }
  return null;
}

/** The environment without any credential, so that exactly one can be put back. */
export function withoutCredentials(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !(VARIABLES as readonly string[]).includes(name)));
}

/**
 * The credential of a session: its own variables first, then the provider, then the host's environment.
 *
 * @throws SemoError `not_signed_in`, saying what to do on this machine.
 */
export async function resolveCredential({
  sessionEnv,
  hostEnv,
  provider,
}: {
  readonly sessionEnv: Environment;
  readonly hostEnv: Environment;
  readonly provider: TokenProvider | undefined;
}): Promise<Credential> {
  const found = credentialIn(sessionEnv) ?? (await provider?.()) ?? credentialIn(hostEnv);
  if (found !== null) return found;
  throw await notSignedIn(hostEnv);
}

async function notSignedIn(hostEnv: Environment): Promise<SemoError> {
  const account = await interactiveAccount(hostEnv);
  const why = account
    ? 'This machine is only logged in interactively, which is not safe to share between sessions. '
    : 'There is no API key and no token. ';
  return new SemoError(
    'not_signed_in',
    `${why}Run \`claude setup-token\` and set CLAUDE_CODE_OAUTH_TOKEN, or set ANTHROPIC_API_KEY; or use the login of this machine, one session at a time, with --use-login.`,
  );
}

/** Whether somebody has logged in to Claude Code on this machine. Only the fact is read, never the token. */
async function interactiveAccount(hostEnv: Environment): Promise<boolean> {
  const home = hostEnv['HOME'];
  const configDir = hostEnv['CLAUDE_CONFIG_DIR'] ?? (home === undefined ? undefined : join(home, '.claude'));
  if (configDir === undefined) return false;
  const places = [
    join(configDir, '.credentials.json'),
    join(configDir, '.claude.json'),
    join(home ?? configDir, '.claude.json'),
  ];
  const texts = await Promise.all(places.map((place) => readFile(place, 'utf8').catch(() => '')));
  return texts.some((text) => text.includes('claudeAiOauth') || text.includes('oauthAccount'));
}
