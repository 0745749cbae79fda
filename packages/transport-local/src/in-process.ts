import { EventHub, SemoError } from '@semo-office/core';
import type {
  Command,
  CommandResult,
  HostLink,
  LinkStatus,
  OfficeLink,
  Unsubscribe,
  WireEvent,
} from '@semo-office/core';

/** The two ends of a transport within one process. */
export interface InProcessTransport {
  readonly office: OfficeLink;
  readonly host: HostLink;
}

/**
 * A transport without a wire, with the manners of one that has: what crosses it is a JSON copy, and arrives later, never
 * within the call that sent it.
 *
 * The line is `connected` while the host serves. Commands sent before that, or after, fail with `host_lost` at once, as
 * they do where nobody listens on a socket. Closing the office's end fails its pending commands with `closed` and leaves
 * the host's end open; closing the host's end fails them with `host_lost`.
 *
 * @example
 * ```ts
 * const { office, host } = inProcessTransport();
 * serveSessions(host, createPtySessionManager());
 * const sessions = remoteSessions(office);
 * ```
 */
export function inProcessTransport(): InProcessTransport {
  const line = new Line();
  const office: OfficeLink = {
    dispatch: (command, call) => line.dispatch(command, call?.signal),
    onEvent: (listener) => line.events.on('event', listener),
    onStatus: (listener) => line.events.on('status', listener),
    close: () => line.closeOffice(),
  };
  const host: HostLink = {
    serve: (handler) => line.serve(handler),
    publish: (event) => line.publish(event),
    close: () => line.closeHost(),
  };
  return { office, host };
}

type Handler = (command: Command) => Promise<CommandResult>;

interface OfficeEvents {
  event: WireEvent;
  status: LinkStatus;
}

class Line {
  readonly events = new EventHub<OfficeEvents>();
  readonly #pending = new Set<(error: SemoError) => void>();
  #handler: Handler | null = null;
  #isOfficeOpen = true;
  #isHostOpen = true;

  dispatch(command: Command, signal: AbortSignal | undefined): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      const refuse = (error: SemoError): void => settle(() => reject(error));
      const onAbort = (): void =>
        refuse(
          new SemoError('aborted', 'The command was given up. It may still be carried out.', { cause: signal?.reason }),
        );
      const settle = (run: () => void): void => {
        this.#pending.delete(refuse);
        signal?.removeEventListener('abort', onAbort);
        run();
      };
      if (!this.#isOfficeOpen) return refuse(officeClosed());
      const handler = this.#handler;
      if (handler === null) return refuse(new SemoError('host_lost', 'No host serves this line.'));
      if (signal?.aborted === true) return onAbort();
      this.#pending.add(refuse);
      signal?.addEventListener('abort', onAbort, { once: true });
      const copy = copyOf(command);
      const deliver = async (): Promise<void> => {
        const answer = copyOf(await handler(copy));
        settle(() => resolve(answer));
      };
      queueMicrotask(() => void deliver());
    });
  }

  serve(handler: Handler): Unsubscribe {
    if (!this.#isHostOpen) throw new SemoError('closed', 'This end of the line was closed.');
    if (this.#handler !== null)
      throw new SemoError('invalid_argument', 'This line is being served already. Stop that first.');
    this.#handler = handler;
    this.#tell('connected');
    return () => {
      if (this.#handler !== handler) return;
      this.#handler = null;
      this.#tell('disconnected');
    };
  }

  publish(event: WireEvent): void {
    if (!this.#isHostOpen || !this.#isOfficeOpen) return;
    const copy = copyOf(event);
    queueMicrotask(() => this.events.emit('event', copy));
  }

  closeHost(): Promise<void> {
    if (!this.#isHostOpen) return Promise.resolve();
    this.#isHostOpen = false;
    if (this.#handler !== null) this.#tell('disconnected');
    this.#handler = null;
    this.#refuseAll(
      new SemoError('host_lost', 'The host closed the line before it answered. It may have carried out the command.'),
    );
    return Promise.resolve();
  }

  closeOffice(): Promise<void> {
    if (!this.#isOfficeOpen) return Promise.resolve();
    this.#isOfficeOpen = false;
    this.#refuseAll(officeClosed());
    this.events.emit('status', 'closed');
    this.events.clear();
    return Promise.resolve();
  }

  #tell(status: LinkStatus): void {
    queueMicrotask(() => this.events.emit('status', status));
  }

  #refuseAll(error: SemoError): void {
    for (const refuse of this.#pending) refuse(error);
  }
}

function officeClosed(): SemoError {
  return new SemoError('closed', 'This line was closed. Open another one.');
}

/** What arrives at the other end of a wire: the same facts, never the same object. */
function copyOf<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
