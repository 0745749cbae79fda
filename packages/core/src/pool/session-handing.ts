import type { Clock } from '../clock.ts';
import { SemoError } from '../errors.ts';
import type { SessionManager } from '../session/session-manager.ts';
import type { SessionInfo } from '../session/session.ts';
import type { Assignment } from '../session/workspace.ts';
import { withinTime } from './within-time.ts';

const LOOK_TIMEOUT_MS = 10_000;
/** Clearing is the agent's work, which takes its time where many work. */
const CLEAR_TIMEOUT_MS = 60_000;
/** Longer than a turn could outlive its credential is of no use; shorter, and sessions would be replaced all the time. */
const CREDENTIAL_MARGIN_MS = 300_000;

/** What came of making an idle session somebody's. */
export type Handed =
  | { readonly kind: 'ready'; readonly info: SessionInfo }
  /** Not fit for anybody. `dirty`: somebody's work lies in it. */
  | { readonly kind: 'unfit'; readonly error: SemoError; readonly dirty: boolean }
  /** This kind of session cannot be switched; it is as it was. */
  | { readonly kind: 'unswitchable'; readonly error: SemoError }
  /** It could not be switched to this job's branch, and is in no known state. */
  | { readonly kind: 'failed'; readonly error: SemoError };

/** What {@link checkSession} and {@link switchSession} work with. */
export interface Handing {
  readonly sessions: SessionManager;
  readonly clock: Clock;
  readonly sessionId: string;
  /** Aborted when the pool is being closed. */
  readonly closing: AbortSignal;
}

/** From when on a session must not be handed out any more; `null`: its credential does not run out. */
export function unfitAt(info: SessionInfo): number | null {
  const { credentialExpiresAt } = info;
  return credentialExpiresAt === undefined ? null : credentialExpiresAt - CREDENTIAL_MARGIN_MS;
}

/** Whether an idle session can take a prompt, as its host says now. Never throws. */
export async function checkSession({ sessions, clock, sessionId, closing }: Handing): Promise<Handed> {
  try {
    const looking = sessions.get(sessionId);
    const info = await withinTime(looking, {
      clock,
      ms: LOOK_TIMEOUT_MS,
      what: `Looking at session ${sessionId}`,
      signal: closing,
    });
    if (info === null) return unfit(`Session ${sessionId} is gone.`);
    if (info.status !== 'ready') return unfit(`Session ${sessionId} is ${info.status} while nobody uses it.`);
    const endsAt = unfitAt(info);
    if (endsAt !== null && endsAt <= clock.now()) return unfit(`The credential of session ${sessionId} runs out.`);
    return { kind: 'ready', info };
  } catch (thrown) {
    return { kind: 'unfit', error: SemoError.from(thrown), dirty: false };
  }
}

/** Gives a slot session its job. Never throws. */
export async function switchSession(
  { sessions, clock, sessionId, closing }: Handing,
  assignment: Assignment,
  timeoutMs: number,
): Promise<Handed> {
  try {
    const work = sessions.assign(sessionId, assignment);
    const info = await withinTime(work, {
      clock,
      ms: timeoutMs,
      what: `Switching session ${sessionId}`,
      signal: closing,
    });
    if (info.status === 'ready') return { kind: 'ready', info };
    return unfit(`Session ${sessionId} is ${info.status} after it was switched.`);
  } catch (thrown) {
    const error = SemoError.from(thrown);
    if (error.code === 'not_supported') return { kind: 'unswitchable', error };
    if (error.code === 'workspace_dirty') return { kind: 'unfit', error, dirty: true };
    return { kind: 'failed', error };
  }
}

/** Clears a session of its conversation and looks whether it is in order. Never throws. */
export async function clearSession(handing: Handing): Promise<Handed> {
  const { sessions, clock, sessionId, closing } = handing;
  try {
    const clearing = sessions.reset(sessionId);
    await withinTime(clearing, { clock, ms: CLEAR_TIMEOUT_MS, what: `Clearing session ${sessionId}`, signal: closing });
  } catch (thrown) {
    return { kind: 'unfit', error: SemoError.from(thrown), dirty: false };
  }
  return checkSession(handing);
}

function unfit(what: string): Handed {
  return { kind: 'unfit', error: new SemoError('agent_crashed', `${what} Another one is used.`), dirty: false };
}
