import { SemoError } from '../errors.ts';
import { parseEdge } from '../parse-edge.ts';
import type { SessionEventName, SessionManager, Unsubscribe } from '../session/session-manager.ts';
import { carryOut } from './carry-out.ts';
import { CommandMemory, isRead } from './command-memory.ts';
import { commandSchema, errorToWire, laneOf, type CommandResult, type ParsedCommandBody } from './command.ts';
import type { HostLink } from './transport.ts';
import { TurnLanes } from './turn-lanes.ts';
import { eventToWire } from './wire-event.ts';

/** Options of {@link serveSessions}. */
export interface ServeSessionsOptions {
  /** How many finished commands are remembered, so that one that arrives again is not carried out again. Default 10 000. */
  readonly maxRememberedCommands?: number | undefined;
}

/** Sessions that are being served. */
export interface ServedSessions {
  /**
   * Takes no more commands and tells no more events. Commands that have begun are still answered, those that wait their
   * turn fail with `host_lost`. Neither the link nor the sessions are closed.
   */
  close(): Promise<void>;
}

const EVENT_NAMES: readonly SessionEventName[] = [
  'status',
  'output',
  'turn',
  'request',
  'request_settled',
  'resources',
  'retiring',
  'exit',
];

/**
 * The host side of a transport: carries out the commands that arrive and sends back what happens.
 *
 * A command is carried out once, however often its id arrives, and once more each time it is requeued. Per session, `create_session`, `send_prompt`, `reset`
 * and `assign_workspace` keep their order; everything else overtakes them. Sessions never wait for each other.
 *
 * @example
 * ```ts
 * const link = await listenOnSocket({ path });
 * const served = serveSessions(link, sessions);
 * ```
 */
export function serveSessions(
  link: HostLink,
  sessions: SessionManager,
  options: ServeSessionsOptions = {},
): ServedSessions {
  const desk = new CommandDesk(sessions, options.maxRememberedCommands ?? 10_000);
  const stops: Unsubscribe[] = EVENT_NAMES.map((name) =>
    sessions.on(name, (event) => {
      link.publish(eventToWire(name, event));
    }),
  );
  stops.push(link.serve((command) => desk.handle(command)));
  return {
    close() {
      desk.close();
      for (const stop of stops.splice(0)) stop();
      return Promise.resolve();
    },
  };
}

class CommandDesk {
  readonly #sessions: SessionManager;
  readonly #memory: CommandMemory;
  readonly #lanes = new TurnLanes();
  #isOpen = true;

  constructor(sessions: SessionManager, maxRemembered: number) {
    this.#sessions = sessions;
    this.#memory = new CommandMemory(maxRemembered);
  }

  close(): void {
    this.#isOpen = false;
  }

  /** Never rejects: what goes wrong is part of the result. */
  handle(arrived: unknown): Promise<CommandResult> {
    const parsed = attempt(() => parseEdge(commandSchema, arrived, { what: 'command', code: 'invalid_message' }));
    if (!parsed.success) return Promise.resolve(parsed);
    const { commandId, body, requeued = 0 } = parsed.result;
    // No id has a space in it.
    const known = requeued === 0 ? commandId : `${commandId} ${requeued}`;
    return this.#memory.once(known, { keep: !isRead(body), run: () => this.#route(body) });
  }

  #route(body: ParsedCommandBody): Promise<CommandResult> {
    const run = (): Promise<CommandResult> => this.#run(body);
    return laneOf(body) === 'turn' && 'sessionId' in body && body.sessionId !== undefined
      ? this.#lanes.enter(body.sessionId, run)
      : run();
  }

  async #run(body: ParsedCommandBody): Promise<CommandResult> {
    if (!this.#isOpen)
      return failure(new SemoError('host_lost', 'The host stopped serving before it began this command.'));
    try {
      return { success: true, result: await carryOut(this.#sessions, body) };
    } catch (thrown) {
      return failure(thrown);
    }
  }
}

type Failure = Extract<CommandResult, { success: false }>;

function failure(thrown: unknown): Failure {
  return { success: false, error: errorToWire(thrown) };
}

function attempt<Value>(run: () => Value): { readonly success: true; readonly result: Value } | Failure {
  try {
    return { success: true, result: run() };
  } catch (thrown) {
    return failure(thrown);
  }
}
