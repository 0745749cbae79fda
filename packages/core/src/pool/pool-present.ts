import type { PoolDemand } from './pool-demand.ts';
import { placeOf, toView } from './pool-entry.ts';
import type { PoolParts } from './pool-parts.ts';
import type { PoolSettings } from './pool-settings.ts';
import type { PoolView } from './pool-view.ts';

/** What {@link presentView} looks at. */
export interface Present {
  readonly parts: PoolParts;
  readonly settings: PoolSettings;
  readonly demand: PoolDemand;
  readonly keepsWarm: boolean;
}

/** The pool as it is at this moment, for the plan. */
export function presentView({ parts, settings, demand, keepsWarm }: Present): PoolView {
  const { entries, waiters, pace, clock } = parts;
  const { maxOpening, strategy, reuse, idleCloseMs } = settings;
  return {
    now: clock.now(),
    max: demand.max,
    maxOpening,
    strategy,
    reuse,
    idleCloseMs,
    keepsWarm,
    targets: demand.targets.map(({ key, count, template }) => ({
      key,
      count,
      place: placeOf(template),
      retryAt: pace.retryAt(key),
    })),
    sessions: [...entries.values()].map((entry) => toView(entry)),
    // Whoever tries again with its own id has to wait until the session of the first try is gone.
    waiters: waiters.views((sessionId) => !entries.has(sessionId)),
  };
}
