import type { LocalSupabase } from '@semo-office/testbed/supabase';

import type { FaultKind, PlannedFault } from './fault-plan.ts';
import type { HostCrew } from './host-crew.ts';

/** What faults happen to. */
export interface Victims {
  readonly supabase: Pick<LocalSupabase, 'faults'>;
  readonly crew: Pick<HostCrew, 'kill' | 'pause'>;
}

const STATUSES = [500, 502, 503, 504] as const;

/** Makes things go wrong as planned, and counts what did. */
export class FaultInjector {
  readonly #victims: Victims;
  readonly #done = new Map<FaultKind, number>();
  readonly #broken = Promise.withResolvers<never>();
  /** One restart at a time. */
  #restarting: Promise<void> = Promise.resolve();

  constructor(victims: Victims) {
    this.#victims = victims;
    // Whoever asks is told.
    this.#broken.promise.catch(() => undefined);
  }

  /** How often each kind has happened. */
  get done(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#done);
  }

  inject(fault: PlannedFault): void {
    if (this.#begin(fault)) this.#done.set(fault.kind, (this.#done.get(fault.kind) ?? 0) + 1);
  }

  /** Rejects when the database could not be started again; never resolves. */
  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  /** Resolves when the database is there for good. */
  async settled(): Promise<void> {
    await this.#restarting;
  }

  /** False: there was nobody for it to happen to. */
  #begin({ kind, forMs, host, seed }: PlannedFault): boolean {
    const { crew, supabase } = this.#victims;
    const { realtime, rest, postgres } = supabase.faults;
    switch (kind) {
      case 'host_killed':
        return crew.kill(host, forMs);
      case 'host_paused':
        return crew.pause(host, forMs);
      case 'sockets_dropped':
        realtime.dropSockets();
        break;
      case 'broadcasts_lost':
        realtime.tamperWithBroadcasts({ lose: 0.5, seed, forMs });
        break;
      case 'broadcasts_doubled':
        realtime.tamperWithBroadcasts({ duplicate: 0.7, delayMs: [0, 200], seed, forMs });
        break;
      case 'realtime_down':
        realtime.goDown({ forMs });
        break;
      case 'rest_refused':
        rest.answerWith({ status: STATUSES[seed % STATUSES.length] ?? 503, forMs });
        break;
      case 'rest_cut':
        rest.cutConnections({ when: seed % 2 === 0 ? 'before' : 'after', forMs });
        break;
      default:
        this.#restarting = this.#restarting
          .then(() => postgres.restart())
          .catch((error: unknown) => this.#broken.reject(error));
    }
    return true;
  }
}
