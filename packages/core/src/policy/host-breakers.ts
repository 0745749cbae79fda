import { EventHub } from '../event-hub.ts';
import type { Unsubscribe } from '../session/session-manager.ts';
import {
  createCircuitBreaker,
  type BreakerEvents,
  type CircuitBreaker,
  type CircuitBreakerOptions,
} from './circuit-breaker.ts';

/** A breaker for each host: `host` for all of whom nothing is known, and `host:<id>` for each that sessions name. */
export interface HostBreakers {
  /** Those there are by now, the common one first. */
  readonly all: readonly CircuitBreaker[];
  /** Before the host of that id, made when it is first asked for; `undefined`: the common one. */
  of(hostId: string | undefined): CircuitBreaker;
  on(event: 'state', listener: (event: BreakerEvents['state']) => void): Unsubscribe;
}

/** Breakers that all have the same options. */
export function createHostBreakers(options: Omit<CircuitBreakerOptions, 'name'>): HostBreakers {
  const hub = new EventHub<BreakerEvents>();
  const breakers = new Map<string, CircuitBreaker>();
  const of = (hostId: string | undefined): CircuitBreaker => {
    const name = hostId === undefined ? 'host' : `host:${hostId}`;
    const known = breakers.get(name);
    if (known !== undefined) return known;
    const made = createCircuitBreaker({ ...options, name });
    made.on('state', (event) => hub.emit('state', event));
    breakers.set(name, made);
    return made;
  };
  of(undefined);
  return {
    get all() {
      return [...breakers.values()];
    },
    of,
    on: (event, listener) => hub.on(event, listener),
  };
}
