import { createOffice, remoteSessions, type Office, type RequestAnswerers } from '@semo-office/core';
import { createPtySessionManager, type PtySessionManagerOptions } from '@semo-office/pty-host';
import { connectToSocket } from '@semo-office/transport-local';

/** Options of {@link createLocalOffice}: those of the sessions it runs, and who answers their requests. */
export interface LocalOfficeOptions extends PtySessionManagerOptions {
  /** Rules, a policy and a notifier for what agents ask. Default: only whoever calls `sessions.answerRequest`. */
  readonly requests?: RequestAnswerers | undefined;
}

/**
 * An office that runs its agents on this machine, in this process. Closing it ends them all.
 *
 * @example
 * ```ts
 * const office = createLocalOffice({ repositories: { app: '/srv/app' } });
 * const result = await office.executeJob({
 *   prompt: 'Fix the flaky login test and commit.',
 *   session: {
 *     agent: { kind: 'claude', permissionMode: 'acceptEdits' },
 *     workspace: { kind: 'git', repoId: 'app', branch: 'agent/login-test' },
 *   },
 * });
 * await office.close();
 * ```
 */
export function createLocalOffice({ requests, ...options }: LocalOfficeOptions = {}): Office {
  return createOffice({ sessions: createPtySessionManager(options), requests });
}

/** Options of {@link joinOffice}. */
export interface JoinOfficeOptions {
  readonly socketPath: string;
  /** Who answers what agents ask, of every request of the host. Default: only whoever calls `sessions.answerRequest`. */
  readonly requests?: RequestAnswerers | undefined;
}

/**
 * An office over the sessions of a host process on this machine (`semo host --socket PATH`). Closing it leaves them be.
 *
 * @throws SemoError `host_lost` when nobody serves the socket.
 * @example
 * ```ts
 * const office = await joinOffice({ socketPath: '/run/user/1000/semo.sock' });
 * console.log(await office.sessions.list());
 * ```
 */
export async function joinOffice({ socketPath, requests }: JoinOfficeOptions): Promise<Office> {
  return createOffice({ sessions: remoteSessions(await connectToSocket({ path: socketPath })), requests });
}
