import type { Clock } from '../clock.ts';
import type { SessionManager } from '../session/session-manager.ts';
import type { TurnInfo } from '../session/turn.ts';

/** Hosts say within two seconds whether there is anything to tell. One that is away does not hold its job up. */
const PATIENCE_MS = 3000;

/** A turn that has ended, with what it used where its agent tells that a moment after its end. Never rejects. */
export async function withLateUsage(
  { sessions, clock }: { readonly sessions: SessionManager; readonly clock: Clock },
  turn: TurnInfo,
): Promise<TurnInfo> {
  if (turn.usageFollows === undefined) return turn;
  const { usageFollows: _, ...known } = turn;
  const told = Promise.withResolvers<TurnInfo>();
  const see = (now: TurnInfo | null): void => {
    if (now?.turnId === turn.turnId && now.usageFollows === undefined) told.resolve(now);
  };
  // Events first, the question second: what is told between the two is then seen at least once.
  const stop = sessions.on('turn', (event) => see(event.turn));
  const cancel = clock.schedule(PATIENCE_MS, () => told.resolve(known));
  try {
    sessions.getTurn(turn.sessionId, turn.turnId).then(see, () => undefined);
    return await told.promise;
  } finally {
    stop();
    cancel();
  }
}
