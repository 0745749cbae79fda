import {
  createOffice,
  turnError,
  type ErrorCode,
  type JobSpec,
  type Office,
  type OfficeOptions,
  type SessionManager,
  type TurnError,
} from '../../src/index.ts';
import { createScriptedSessions } from '../../testing/index.ts';

/** What the agent does with the first prompt, the second …, whatever they say; after the last one it says `done`. */
export type Doings = readonly (string | { readonly fails: ErrorCode; readonly error?: Partial<TurnError> })[];

/** An office whose agents do what is listed, and everything they were told. */
export function stagedOffice(doings: Doings = [], options: Partial<OfficeOptions> = {}) {
  const sessions = createScriptedSessions({ clock: options.clock });
  const told: { readonly sessionId: string; readonly prompt: string }[] = [];
  const failing = new Map<string, TurnError>();
  const staged: SessionManager = new Proxy(sessions, {
    get(target, name): unknown {
      if (name === 'sendPrompt') return send;
      if (name === 'waitForTurn') return wait;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const send: SessionManager['sendPrompt'] = async (sessionId, prompt, prompted) => {
    const doing = doings[told.length] ?? 'say: done';
    told.push({ sessionId, prompt });
    const turn = await sessions.sendPrompt(sessionId, typeof doing === 'string' ? doing : 'fail: staged', prompted);
    if (typeof doing !== 'string') failing.set(turn.turnId, { ...turnError(doing.fails, 'Staged.'), ...doing.error });
    return turn;
  };
  const wait: SessionManager['waitForTurn'] = async (sessionId, turnId, waiting) => {
    const turn = await sessions.waitForTurn(sessionId, turnId, waiting);
    const error = failing.get(turnId);
    return error === undefined || turn.state.kind !== 'ended' ? turn : { ...turn, state: { ...turn.state, error } };
  };
  const office = createOffice({
    backoff: { firstMs: 1, longestMs: 2 },
    ...options,
    sessions: options.sessions ?? staged,
  });
  return { office, told, sessions: staged };
}

export const job = (more: Partial<JobSpec> = {}): JobSpec => ({
  prompt: 'Do it.',
  session: { agent: { kind: 'command', command: ['scripted'] }, workspace: { kind: 'path', path: '/work' } },
  ...more,
});

/** Resolves with the next event of that name. */
export function nextEvent(office: Office, name: 'attempt' | 'ended' | 'left'): Promise<void> {
  return new Promise((resolve) => {
    const stop = office.on(name, () => {
      stop();
      resolve();
    });
  });
}
