import {
  checkOfficeOptions,
  createOffice,
  officeOptionsSchema,
  remoteSessions,
  systemClock,
  type Office,
  type OfficeOptions,
} from '@semo-office/core';
import { createPtySessionManager, type PtySessionManagerOptions } from '@semo-office/pty-host';

import { lineToHost } from './host-line.ts';
import { joinOfficeSchema, localOfficeSchema } from './local-options.ts';
import { machineAdmission, type OfficeMemory } from './machine-admission.ts';

/** Options of {@link createLocalOffice}: those of the office, and those of the sessions it runs. */
export interface LocalOfficeOptions extends Omit<OfficeOptions, 'sessions'>, PtySessionManagerOptions {
  /**
   * How much memory a session must find before it is opened; `false`: it is not asked for. Without effect where `pool` has an
   * `admission` of its own. Default: on Linux as in {@link OfficeMemory}; elsewhere `false`, since nobody tells there what
   * could be freed.
   */
  readonly memory?: OfficeMemory | false | undefined;
}

/**
 * An office that runs its agents on this machine, in this process. Closing it ends them all. Its jobs are kept in memory:
 * see {@link openLocalOffice} for one whose jobs outlive it.
 *
 * @throws SemoError `invalid_argument`: an option that cannot be used.
 * @example
 * ```ts
 * const office = createLocalOffice({
 *   repositories: { app: '/srv/app' },
 *   agents: [{
 *     agentId: 'FE',
 *     agent: { kind: 'claude', permissionMode: 'acceptEdits' },
 *     workspace: { kind: 'git', repoId: 'app' },
 *   }],
 * });
 * const { outcome, text } = await office.executeJob({ agentId: 'FE', prompt: 'Fix the flaky login test and commit.' });
 * await office.close();
 * ```
 */
export function createLocalOffice(options: LocalOfficeOptions = {}): Office {
  checkOfficeOptions(options, localOfficeSchema);
  const sessions = createPtySessionManager(options);
  try {
    return createOffice({ ...officePart(options), pool: poolOf(options), sessions });
  } catch (thrown) {
    sessions.close().catch(() => undefined);
    throw thrown;
  }
}

function poolOf({ pool, memory }: LocalOfficeOptions): OfficeOptions['pool'] {
  const isAsked = memory === undefined ? process.platform === 'linux' : memory !== false;
  if (!isAsked || pool?.admission !== undefined) return pool;
  return { ...pool, admission: machineAdmission(memory === false ? {} : memory) };
}

/** What of the options is the office's, and not its sessions'. */
function officePart(options: LocalOfficeOptions): Omit<OfficeOptions, 'sessions'> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name in officeOptionsSchema.shape));
}

const WAIT_FOR_HOST_MS = 10_000;

/** Options of {@link joinOffice}. */
export interface JoinOfficeOptions extends Omit<OfficeOptions, 'sessions'> {
  readonly socketPath: string;
  /**
   * How long a host that nobody finds there yet is waited for, in milliseconds: it may be started at the same moment.
   * 0: not at all. Default 10 000.
   */
  readonly waitForHostMs?: number | undefined;
  /** Gives up that wait. What has been joined by then is yours to close. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * An office over the sessions of a host process on this machine (`semo host --socket PATH`). Closing it leaves them be.
 *
 * @throws SemoError `host_lost`: nobody has served the socket for as long as it was waited; `aborted`;
 * `invalid_argument`: an option that cannot be used.
 * @example
 * ```ts
 * const office = await joinOffice({ socketPath: '/run/user/1000/semo.sock' });
 * console.log(await office.sessions.list());
 * ```
 */
export async function joinOffice(options: JoinOfficeOptions): Promise<Office> {
  checkOfficeOptions(options, joinOfficeSchema);
  const { socketPath, signal, waitForHostMs: waitMs = WAIT_FOR_HOST_MS, clock = systemClock, ...rest } = options;
  const sessions = remoteSessions(await lineToHost({ path: socketPath, waitMs, clock, signal }));
  try {
    return createOffice({ ...rest, clock, sessions });
  } catch (thrown) {
    await sessions.close();
    throw thrown;
  }
}
