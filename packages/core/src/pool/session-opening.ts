import type { Clock } from '../clock.ts';
import { SemoError, assertNever } from '../errors.ts';
import type { SessionInfo } from '../session/session.ts';
import type { Admission } from './admission.ts';
import { withinTime } from './within-time.ts';

/** Reading a few files; what takes longer is broken. */
const ADMISSION_TIMEOUT_MS = 30_000;
const ADMISSION_RETRY_MS = 5000;

/** What came of trying to open a session. */
export type Opened =
  | { readonly kind: 'opened'; readonly info: SessionInfo }
  /** No leave yet: nothing was created. */
  | { readonly kind: 'not_yet'; readonly retryAfterMs: number }
  | { readonly kind: 'refused'; readonly error: SemoError }
  | { readonly kind: 'failed'; readonly error: SemoError };

/** What {@link openSession} works with. */
export interface Opening {
  readonly clock: Clock;
  readonly admission: Admission | undefined;
  readonly sessionId: string;
  readonly role: string;
  /** How many others are being opened. */
  readonly openings: number;
  readonly timeoutMs: number;
  /** Aborted when nobody wants the session any more, and when its time is up. */
  readonly abort: AbortController;
  readonly create: (signal: AbortSignal) => Promise<SessionInfo>;
  readonly onAdmissionFault: (error: SemoError, retryInMs: number) => void;
}

/** Asks for leave and creates a session. Never throws. */
export async function openSession(opening: Opening): Promise<Opened> {
  const { sessionId, clock, abort, timeoutMs, create } = opening;
  const denied = await withoutLeave(opening);
  if (denied !== null) return denied;
  try {
    abort.signal.throwIfAborted();
    const info = await withinTime(create(abort.signal), {
      clock,
      ms: timeoutMs,
      what: `Opening session ${sessionId}`,
      signal: abort.signal,
    });
    if (!hasEnded(info) || info.hasAnswered === true) return { kind: 'opened', info };
    return { kind: 'failed', error: new SemoError('agent_crashed', `Session ${sessionId} is ${info.status}.`) };
  } catch (thrown) {
    abort.abort();
    return { kind: 'failed', error: SemoError.from(thrown) };
  }
}

function hasEnded({ status }: SessionInfo): boolean {
  return status === 'terminated' || status === 'error';
}

async function withoutLeave(opening: Opening): Promise<Opened | null> {
  const { admission, clock, role, openings, abort, onAdmissionFault } = opening;
  if (admission === undefined) return null;
  try {
    const asked = admission.admit({ role, openings });
    const verdict = await withinTime(asked, {
      clock,
      ms: ADMISSION_TIMEOUT_MS,
      what: 'Admission',
      signal: abort.signal,
    });
    switch (verdict.kind) {
      case 'ok':
        return null;
      case 'wait':
        // An answer of nothing would be asked for again at once, and for ever.
        return { kind: 'not_yet', retryAfterMs: Math.max(1, verdict.retryAfterMs) };
      case 'refuse':
        return { kind: 'refused', error: new SemoError('capacity_exhausted', verdict.reason) };
      default:
        return assertNever(verdict);
    }
  } catch (thrown) {
    if (abort.signal.aborted) return { kind: 'failed', error: SemoError.from(thrown) };
    // Opening unasked could cost the whole machine, waiting costs time.
    onAdmissionFault(SemoError.from(thrown), ADMISSION_RETRY_MS);
    return { kind: 'not_yet', retryAfterMs: ADMISSION_RETRY_MS };
  }
}
