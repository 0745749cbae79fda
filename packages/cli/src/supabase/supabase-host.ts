import pRetry from 'p-retry';
import {
  SemoError,
  findMachineAgents,
  isSemoError,
  serveSessions,
  type ServedSessions,
  type SessionManager,
} from 'semo-office';
import {
  createSupabaseTransport,
  type HostOptions,
  type SupabaseHostLink,
  type SupabaseTransport,
} from 'semo-office/supabase';

import type { CliIo, Interruption } from '../cli-io.ts';
import { aborted } from '../host/aborted.ts';
import type { SupabasePlace } from '../host/supabase-place.ts';
import { secretText } from '../secret-text.ts';
import { alive, atWork, untilIdle } from './drain.ts';
import { hostKey } from './host-key.ts';
import { waitedFor } from './impatience.ts';
import { problemLog } from './problem-log.ts';
import { tokenSource } from './token-source.ts';

/** What {@link serveSupabase} works with. */
export interface SupabaseHostParts {
  /** Takes up or ends what an earlier host has left. */
  readonly open: () => SessionManager;
  readonly io: CliIo;
  /** What agents may see of the environment. */
  readonly hostEnv: CliIo['env'];
  readonly interruption: Interruption;
}

/** Somebody waits for the end: agents are not asked for long. */
const HURRIED = { graceMs: 1000 };

/** For how long saying goodbye is waited for then. */
const HURRIED_GOODBYE_MS = 2000;
/** For how long the office is waited for to hear that the host drains, once nothing is at work any more. */
const TOLD_WITHIN_MS = 5000;

/** A host that serves. */
interface Serving {
  readonly host: SupabaseHostLink;
  readonly served: ServedSessions;
  readonly sessions: SessionManager;
  readonly transport: SupabaseTransport;
}

/**
 * Serves sessions to an office in a Supabase project until it is told to stop, then drains: no new sessions, and what is at
 * work may finish. A project that is out of reach is tried again.
 *
 * @throws SemoError `invalid_argument`, `sign_in_refused`, `not_supported`: the database speaks another protocol; `store_unusable`;
 * `lease_lost`: another process has registered as this host.
 */
export async function serveSupabase(place: SupabasePlace, parts: SupabaseHostParts): Promise<void> {
  const { io, hostEnv, interruption } = parts;
  const transport = await openTransport(place, io);
  const sessions = parts.open();
  const [living, agentVersions] = await Promise.all([alive(sessions), versionsOfAgents(hostEnv, io)]);
  const { hostId, officeId, capacity, labels } = place;
  const superseded = Promise.withResolvers<SemoError>();
  const host = await registered(
    transport,
    {
      hostId,
      capacity,
      labels,
      agentVersions,
      sessions: living.map(({ sessionId }) => sessionId),
      onSuperseded: superseded.resolve,
    },
    { io, signal: interruption.signal },
  ).catch(async (thrown: unknown) => {
    await waitedFor(transport.close(), { hurry: interruption.hurry });
    // Agents in tmux that were taken up are left for a host that is let in, unless it is told to stop.
    if (living.length === 0 || interruption.signal.aborted) await sessions.close();
    if (interruption.signal.aborted) return null;
    throw thrown;
  });
  if (host === null) return;
  const served = serveSessions(host, sessions);
  tell(io, { type: 'ready', office: officeId, host: hostId, capacity, labels, agents: agentVersions });
  const why = await Promise.race([superseded.promise, aborted(interruption.signal)]);
  const serving = { host, served, sessions, transport };
  if (why === undefined) return leave(serving, place, { io, hurry: interruption.hurry });
  await abandon(serving);
  throw why;
}

async function openTransport(
  { url, officeId, hostId, key, token }: SupabasePlace,
  io: CliIo,
): Promise<SupabaseTransport> {
  const readToken = () => secretText(token, { what: "host's token", option: '--token-file', env: io.env });
  const warn = (sentence: string): void => io.stderr(`${sentence}\n`);
  const freshToken = tokenSource(readToken, { officeId, hostId }, { warn });
  // What is wrong with it is said before anything is begun.
  await freshToken();
  const keyText = await secretText(key, { what: "project's publishable key", option: '--key-file', env: io.env });
  return createSupabaseTransport({
    url,
    officeId,
    accessToken: freshToken,
    key: hostKey(keyText),
    onProblem: problemLog((line) => io.stderr(line)),
  });
}

async function versionsOfAgents(hostEnv: CliIo['env'], io: CliIo): Promise<Readonly<Record<string, string>>> {
  const { versions, claudeMissing } = await findMachineAgents({ hostEnv });
  if (claudeMissing !== null) io.stderr(`This host is given no sessions of Claude Code. ${claudeMissing.message}\n`);
  return versions;
}

/** A machine may be up before its network: what can pass is waited for. */
function registered(
  transport: SupabaseTransport,
  options: HostOptions,
  { io, signal }: { readonly io: CliIo; readonly signal: AbortSignal },
): Promise<SupabaseHostLink> {
  const stopped = aborted(signal).then(() => Promise.reject(new SemoError('aborted', 'The host was told to stop.')));
  stopped.catch(() => {});
  return pRetry(() => Promise.race([transport.host(options), stopped]), {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 500,
    maxTimeout: 30_000,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => isSemoError(error) && error.retryable,
    onFailedAttempt: ({ error }) => {
      if (isSemoError(error) && error.retryable) io.stderr(`${error.message} It is tried again.\n`);
    },
  });
}

/** Lets what is at work finish, ends the rest, and says goodbye. What is still at work by then is lost to the office. */
async function leave(
  { host, served, sessions, transport }: Serving,
  { drainMs }: SupabasePlace,
  { io, hurry }: { readonly io: CliIo; readonly hurry: AbortSignal },
): Promise<void> {
  tell(io, { type: 'draining', atWork: (await atWork(sessions)).length, forMs: drainMs });
  const told = host.drain().catch((thrown: unknown) => io.stderr(`${SemoError.from(thrown).message}\n`));
  const end = await untilIdle(sessions, { withinMs: drainMs, hurry });
  const cutOff = await atWork(sessions);
  if (end !== 'idle' && cutOff.length > 0)
    io.stderr(
      cutOff.length === 1
        ? '1 session is ended in the middle of its work.\n'
        : `${cutOff.length} sessions are ended in the middle of their work.\n`,
    );
  await waitedFor(told, { hurry, withinMs: TOLD_WITHIN_MS });
  await endIdle(sessions, new Set(cutOff.map(({ sessionId }) => sessionId)));
  await served.close();
  await waitedFor(transport.close(), { hurry, hurriedMs: HURRIED_GOODBYE_MS });
  if (end === 'hurried')
    await Promise.allSettled(cutOff.map(({ sessionId }) => sessions.terminate(sessionId, HURRIED)));
  await sessions.close();
}

/** What runs here is nobody's any more. */
async function abandon({ served, sessions, transport }: Serving): Promise<void> {
  await served.close();
  await transport.close();
  const left = await alive(sessions);
  await Promise.allSettled(left.map(({ sessionId }) => sessions.terminate(sessionId, HURRIED)));
  await sessions.close();
}

/** While the office still hears of it. */
async function endIdle(sessions: SessionManager, busy: ReadonlySet<string>): Promise<void> {
  const idle = (await alive(sessions)).filter(({ sessionId }) => !busy.has(sessionId));
  await Promise.allSettled(idle.map(({ sessionId }) => sessions.terminate(sessionId)));
}

function tell(io: CliIo, line: Readonly<Record<string, unknown>>): void {
  const { type, ...rest } = line;
  io.stdout(`${JSON.stringify({ type, at: Date.now(), ...rest })}\n`);
}
