import { createConnection } from 'node:net';

import { EventHub, SemoError, assertNever, systemClock } from '@semo-office/core';
import type {
  Cancel,
  Clock,
  Command,
  CommandResult,
  LinkStatus,
  OfficeLink,
  Unsubscribe,
  WireEvent,
} from '@semo-office/core';

import { FrameSocket } from './frame-socket.ts';
import { PROTOCOL_VERSION, decodeFrame, hostFrameSchema, protocolMismatch } from './frame.ts';
import { PendingCommands } from './pending-commands.ts';
import { checkSocketOwner, checkSocketPath } from './socket-path.ts';

/** Options of {@link connectToSocket}. */
export interface ConnectOptions {
  /** Where a host listens; absolute. */
  readonly path: string;
  /** Default: the machine's own time. */
  readonly clock?: Clock | undefined;
  /** How long the host may take to say hello, in milliseconds. Default 5 000. */
  readonly helloTimeoutMs?: number | undefined;
  /** The wait before the first attempt to connect again, in milliseconds; it doubles with each. Default 100. */
  readonly minReconnectMs?: number | undefined;
  /** The longest wait between attempts, in milliseconds. Default 5 000. */
  readonly maxReconnectMs?: number | undefined;
}

interface OfficeEvents {
  event: WireEvent;
  status: LinkStatus;
}

/** How the line stands. Only `up` carries commands. */
type Line =
  | { readonly kind: 'greeting'; readonly frames: FrameSocket }
  | { readonly kind: 'up'; readonly frames: FrameSocket }
  | { readonly kind: 'down'; readonly retry: Cancel }
  | { readonly kind: 'closed'; readonly why: SemoError };

/**
 * Connects to the host that listens on a unix socket. When the line breaks, pending commands fail with `host_lost` and the
 * line is made anew by itself until `close()`.
 *
 * @throws SemoError `host_lost`: nobody listens there; `not_supported`: it speaks another protocol; `unsafe_path`,
 * `invalid_argument`.
 * @example
 * ```ts
 * const sessions = remoteSessions(await connectToSocket({ path: '/run/user/1000/semo/host.sock' }));
 * ```
 */
export async function connectToSocket(options: ConnectOptions): Promise<OfficeLink> {
  checkSocketPath(options.path);
  const office = new SocketOffice(options);
  await office.connect();
  return office;
}

class SocketOffice implements OfficeLink {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #helloTimeoutMs: number;
  readonly #minReconnectMs: number;
  readonly #maxReconnectMs: number;
  readonly #events = new EventHub<OfficeEvents>();
  readonly #pending = new PendingCommands();
  #line: Line = { kind: 'down', retry: () => {} };

  constructor(options: ConnectOptions) {
    this.#path = options.path;
    this.#clock = options.clock ?? systemClock;
    this.#helloTimeoutMs = options.helloTimeoutMs ?? 5000;
    this.#minReconnectMs = options.minReconnectMs ?? 100;
    this.#maxReconnectMs = options.maxReconnectMs ?? 5000;
  }

  async dispatch(command: Command, call: { readonly signal?: AbortSignal | undefined } = {}): Promise<CommandResult> {
    const line = this.#line;
    if (line.kind === 'closed') throw line.why;
    if (line.kind !== 'up') throw new SemoError('host_lost', `No host answers at ${this.#path} at present.`);
    return this.#pending.add((seq) => line.frames.send({ kind: 'command', seq, command }), call.signal);
  }

  onEvent(listener: (event: WireEvent) => void): Unsubscribe {
    return this.#events.on('event', listener);
  }

  onStatus(listener: (status: LinkStatus) => void): Unsubscribe {
    return this.#events.on('status', listener);
  }

  close(): Promise<void> {
    const line = this.#line;
    if (line.kind === 'closed') return Promise.resolve();
    this.#shut(new SemoError('closed', 'This line was closed. Connect again to go on.'));
    if (line.kind === 'down') line.retry();
    else line.frames.destroy();
    this.#events.clear();
    return Promise.resolve();
  }

  /** One attempt: resolves once the host has said hello. */
  async connect(): Promise<void> {
    await checkSocketOwner(this.#path);
    if (this.#line.kind === 'closed') throw this.#line.why;
    await new Promise<void>((resolve, reject) => {
      const socket = createConnection({ path: this.#path });
      const frames = new FrameSocket(socket, {
        onLine: (line) => this.#read(line, { frames, onGreeted: resolve }),
        onClose: (error) => {
          cancelGreeting();
          reject(this.#lost(error));
        },
      });
      const cancelGreeting = this.#clock.schedule(this.#helloTimeoutMs, () => {
        if (this.#line.kind === 'greeting')
          frames.destroy(new SemoError('host_lost', `The host did not say hello within ${this.#helloTimeoutMs} ms.`));
      });
      this.#line = { kind: 'greeting', frames };
      socket.once('connect', () => frames.send({ kind: 'hello', protocol: PROTOCOL_VERSION }));
    });
  }

  #read(line: string, { frames, onGreeted }: { readonly frames: FrameSocket; readonly onGreeted: () => void }): void {
    const frame = decodeFrame(hostFrameSchema, line);
    switch (frame.kind) {
      case 'hello':
        if (frame.protocol !== PROTOCOL_VERSION) throw protocolMismatch(frame.protocol);
        if (this.#line.kind !== 'greeting') return;
        this.#line = { kind: 'up', frames };
        this.#events.emit('status', 'connected');
        onGreeted();
        return;
      case 'refused':
        frames.destroy(new SemoError('not_supported', `The host hung up: ${frame.message}`));
        return;
      case 'result':
        this.#pending.answer(frame.seq, frame.result);
        return;
      case 'event':
        this.#events.emit('event', frame.event);
        return;
      default:
        assertNever(frame);
    }
  }

  /** The connection is over. What that means depends on how far it had come. */
  #lost(error: SemoError | null): SemoError {
    const line = this.#line;
    if (line.kind === 'closed') return line.why;
    const lost = new SemoError(
      'host_lost',
      `The line to the host at ${this.#path} broke. A command without an answer may have been carried out.`,
      { cause: error },
    );
    if (error?.code === 'not_supported') {
      // Trying again would not teach either end another protocol.
      this.#shut(error);
      return error;
    }
    this.#line = { kind: 'down', retry: () => {} };
    if (line.kind !== 'up') return new SemoError('host_lost', `No host answers at ${this.#path}.`, { cause: error });
    this.#pending.failAll(lost);
    this.#events.emit('status', 'disconnected');
    this.#reconnectIn(this.#minReconnectMs);
    return lost;
  }

  #reconnectIn(delayMs: number): void {
    if (this.#line.kind !== 'down') return;
    const retry = this.#clock.schedule(delayMs, () => {
      this.connect().catch(() => this.#reconnectIn(Math.min(delayMs * 2, this.#maxReconnectMs)));
    });
    this.#line = { kind: 'down', retry };
  }

  #shut(why: SemoError): void {
    this.#line = { kind: 'closed', why };
    this.#pending.failAll(why);
    this.#events.emit('status', 'closed');
  }
}
