import { assertNever } from '../errors.ts';
import type { SessionEvents, SessionManager, Unsubscribe } from '../session/session-manager.ts';
import type { RunLine } from './run-line.ts';

/**
 * Tells the events of one session as lines of `semo run --json`. Every line but the last, `result`, comes from here.
 * Output events never cut a character in two, so each becomes text by itself.
 */
export function followSession(sessions: SessionManager, sessionId: string, tell: (line: RunLine) => void): Unsubscribe {
  const decoder = new TextDecoder();
  const ours =
    <Event extends { readonly sessionId: string }>(listener: (event: Event) => void) =>
    (event: Event) => {
      if (event.sessionId === sessionId) listener(event);
    };
  const stops = [
    sessions.on(
      'status',
      ours(({ at, status }) => tell({ type: 'status', at, sessionId, status })),
    ),
    sessions.on(
      'output',
      ours(({ at, offset, bytes }) => tell({ type: 'output', at, offset, text: decoder.decode(bytes) })),
    ),
    sessions.on(
      'turn',
      ours((event) => {
        const line = turnLine(event);
        if (line !== null) tell(line);
      }),
    ),
    sessions.on('request', ({ at, request: { requestId, kind, tool, input, sessionId: of } }) => {
      if (of === sessionId) tell({ type: 'request', at, requestId, kind, tool, input });
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function turnLine({ change, turn, at, forMs }: SessionEvents['turn']): RunLine | null {
  switch (change) {
    case 'milestone': {
      const milestone = turn.milestones.at(-1);
      return milestone === undefined ? null : { type: 'milestone', at, ...milestone };
    }
    case 'progress':
      return { type: 'progress', at, percent: turn.percent ?? 0 };
    case 'stalled':
      return { type: 'stalled', at, forMs: forMs ?? 0 };
    case 'ended': {
      if (turn.state.kind !== 'ended') return null;
      const { outcome, confidence, decidedBy } = turn.state;
      return { type: 'turn', at, turnId: turn.turnId, outcome, confidence, decidedBy };
    }
    case 'started':
    case 'waiting':
    case 'resumed':
    case 'usage':
      return null;
    default:
      return assertNever(change);
  }
}
