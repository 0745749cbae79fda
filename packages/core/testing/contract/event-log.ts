import type { SessionEventName, SessionEvents, SessionManager } from '../../src/session/session-manager.ts';

/** One event of a session manager, with its name. */
export type LoggedEvent = {
  [Name in SessionEventName]: { readonly name: Name; readonly event: SessionEvents[Name] };
}[SessionEventName];

const NAMES: readonly SessionEventName[] = [
  'status',
  'output',
  'turn',
  'request',
  'request_settled',
  'retiring',
  'exit',
];

/** Every event of one session in the order it came, and a way to wait for one without polling. */
export class EventLog {
  readonly events: LoggedEvent[] = [];
  readonly #sessionId: string;
  readonly #stops: (() => void)[];
  readonly #waits = new Set<() => void>();

  constructor(sessions: SessionManager, sessionId: string) {
    this.#sessionId = sessionId;
    this.#stops = NAMES.map((name) => sessions.on(name, (event) => this.#add({ name, event } as LoggedEvent)));
  }

  /** The events of one name. */
  of<Name extends SessionEventName>(name: Name): SessionEvents[Name][] {
    return this.events.flatMap((logged) => (logged.name === name ? [logged.event as SessionEvents[Name]] : []));
  }

  /** The changes of one turn, in order. */
  changesOf(turnId: string): SessionEvents['turn'][] {
    return this.of('turn').filter((event) => event.turn.turnId === turnId);
  }

  /** Whether a turn has ended, and what it used has been told where that follows. */
  isWhollyTold(turnId: string): boolean {
    const changes = this.changesOf(turnId);
    const end = changes.find(({ change }) => change === 'ended');
    return end !== undefined && (end.turn.usageFollows !== true || changes.some(({ change }) => change === 'usage'));
  }

  /** Resolves as soon as `holds` does; it is asked again after every event. */
  until(holds: (log: EventLog) => boolean): Promise<void> {
    if (holds(this)) return Promise.resolve();
    return new Promise((resolve) => {
      const check = (): void => {
        if (!holds(this)) return;
        this.#waits.delete(check);
        resolve();
      };
      this.#waits.add(check);
    });
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  #add(logged: LoggedEvent): void {
    const sessionId = 'request' in logged.event ? logged.event.request.sessionId : logged.event.sessionId;
    if (sessionId !== this.#sessionId) return;
    this.events.push(logged);
    for (const check of this.#waits) check();
  }
}
