import type { ResolvedSessionSpec } from '@semo-office/core';

import { SESSION_TAG } from './process/session-evidence.ts';

/** Variables of the host that every agent gets, where they are set. Everything else is left out unless named by the session. */
const PASSED = ['PATH', 'LANG', 'TZ', 'USER', 'LOGNAME', 'SHELL'] as const;
const PASSED_PREFIX = 'LC_';
/** Where a network asks for a proxy or its own certificates, an agent without them reaches nothing. */
const NETWORK = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
] as const;
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

/** What {@link agentEnvironment} is made from. */
export interface AgentEnvironmentOptions {
  readonly spec: Pick<ResolvedSessionSpec, 'sessionId' | 'environment'>;
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  /** The empty home of a session with `home: 'private'`; else `null`. */
  readonly privateHome: string | null;
  readonly over: 'terminal' | 'pipe';
}

/**
 * The environment of an agent: named variables only. Nothing that marks an enclosing agent, a terminal multiplexer or a
 * git command gets through, and loopback is never sent to a proxy.
 */
export function agentEnvironment({
  spec,
  hostEnv,
  privateHome,
  over,
}: AgentEnvironmentOptions): Record<string, string> {
  const names = [
    ...PASSED,
    ...NETWORK,
    ...Object.keys(hostEnv).filter((name) => name.startsWith(PASSED_PREFIX)),
    ...spec.environment.pass,
  ];
  const env: Record<string, string> = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' };
  for (const name of names) {
    const value = hostEnv[name];
    if (value !== undefined) env[name] = value;
  }
  const noProxy = withLoopback(hostEnv['NO_PROXY'] ?? hostEnv['no_proxy']);
  const home = privateHome ?? hostEnv['HOME'];
  return {
    ...env,
    NO_PROXY: noProxy,
    no_proxy: noProxy,
    ...(home === undefined ? {} : { HOME: home }),
    TERM: over === 'terminal' ? 'xterm-256color' : 'dumb',
    ...spec.environment.set,
    [SESSION_TAG]: spec.sessionId,
  };
}

function withLoopback(noProxy: string | undefined): string {
  const given = (noProxy ?? '').split(',').map((host) => host.trim());
  return [...new Set([...given, ...LOOPBACK])].filter((host) => host !== '').join(',');
}
