import { createOffice, remoteSessions, type Office, type OfficeOptions } from '@semo-office/core';
import { createPtySessionManager, type PtySessionManagerOptions } from '@semo-office/pty-host';
import { connectToSocket } from '@semo-office/transport-local';

/** Options of {@link createLocalOffice}: those of the office, and those of the sessions it runs. */
export interface LocalOfficeOptions extends Omit<OfficeOptions, 'sessions'>, PtySessionManagerOptions {}

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
export function createLocalOffice(options: LocalOfficeOptions = {}): Office {
  return createOffice({ ...options, sessions: createPtySessionManager(options) });
}

/** Options of {@link joinOffice}. */
export interface JoinOfficeOptions extends Omit<OfficeOptions, 'sessions'> {
  readonly socketPath: string;
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
export async function joinOffice({ socketPath, ...options }: JoinOfficeOptions): Promise<Office> {
  return createOffice({ ...options, sessions: remoteSessions(await connectToSocket({ path: socketPath })) });
}
