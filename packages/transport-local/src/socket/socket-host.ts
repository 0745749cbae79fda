import { unlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';

import { SemoError, errorToWire, systemClock } from '@semo-office/core';
import type { Cancel, Clock, Command, CommandResult, HostLink, Unsubscribe, WireEvent } from '@semo-office/core';

import { bindSocket, isSameSocket, socketIdentity, type SocketIdentity } from './bind-socket.ts';
import { FrameSocket, type FrameListeners } from './frame-socket.ts';
import { PROTOCOL_VERSION, decodeFrame, encodeFrame, officeFrameSchema, protocolMismatch } from './frame.ts';
import { MAX_FRAME_BYTES } from './line-reader.ts';
import { checkSocketPath, prepareFolder } from './socket-path.ts';

/** Output is dropped for an office that has this much waiting for it. */
const MAX_BUFFERED_OUTPUT_BYTES = 4 * 1024 * 1024;
/** An office with this much waiting for it is hung up on: it connects again and asks for what it missed. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/** Options of {@link listenOnSocket}. */
export interface ListenOptions {
  /** Where the socket is made: absolute, 107 bytes at most on Linux. */
  readonly path: string;
  /** Default: the machine's own time. */
  readonly clock?: Clock | undefined;
  /** How long a connection may take to say hello, in milliseconds. Default 5 000. */
  readonly helloTimeoutMs?: number | undefined;
  /** Told why a connection was refused or an event could not be sent. Default: nobody is told. */
  readonly onProblem?: ((problem: SemoError) => void) | undefined;
}

/** The host's end of a socket. */
export interface SocketHostLink extends HostLink {
  readonly path: string;
}

type Handler = (command: Command) => Promise<CommandResult>;

/**
 * Listens on a unix socket that only this user can open. Any number of offices may connect; each gets all events.
 *
 * @throws SemoError `host_running`, `unsafe_path`, `invalid_argument`.
 * @example
 * ```ts
 * const link = await listenOnSocket({ path: '/run/user/1000/semo/host.sock' });
 * serveSessions(link, sessions);
 * ```
 */
export async function listenOnSocket(options: ListenOptions): Promise<SocketHostLink> {
  checkSocketPath(options.path);
  await prepareFolder(options.path);
  const host = new SocketHost(options);
  await host.listen();
  return host;
}

class SocketHost implements SocketHostLink {
  readonly path: string;
  readonly #server: Server = createServer();
  readonly #clock: Clock;
  readonly #helloTimeoutMs: number;
  readonly #onProblem: (problem: SemoError) => void;
  readonly #offices = new Set<OfficeConnection>();
  #identity: SocketIdentity | null = null;
  #handler: Handler | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: ListenOptions) {
    this.path = options.path;
    this.#clock = options.clock ?? systemClock;
    this.#helloTimeoutMs = options.helloTimeoutMs ?? 5000;
    this.#onProblem = options.onProblem ?? (() => {});
    this.#server.on('connection', (socket) => {
      const office = new OfficeConnection({
        open: (listeners) => new FrameSocket(socket, listeners),
        answer: (command) => this.#answer(command),
        onClose: (error) => {
          this.#offices.delete(office);
          if (error !== null && error.code !== 'host_lost') this.#onProblem(error);
        },
      });
      this.#offices.add(office);
      office.greet(this.#clock, this.#helloTimeoutMs);
    });
  }

  async listen(): Promise<void> {
    await bindSocket(this.#server, this.path);
    this.#identity = await socketIdentity(this.path);
    this.#server.on('error', (thrown) => this.#onProblem(SemoError.from(thrown)));
  }

  serve(handler: Handler): Unsubscribe {
    if (this.#closing !== null) throw new SemoError('closed', 'This socket was closed.');
    if (this.#handler !== null)
      throw new SemoError('invalid_argument', 'This socket is being served already. Stop that first.');
    this.#handler = handler;
    return () => {
      if (this.#handler === handler) this.#handler = null;
    };
  }

  publish(event: WireEvent): void {
    if (this.#offices.size === 0) return;
    const line = encodeFrame({ kind: 'event', event });
    if (line.length > MAX_FRAME_BYTES) {
      this.#onProblem(
        new SemoError(
          'internal',
          `An event ${event.name} of ${line.length} bytes is more than a frame carries; it was not sent.`,
        ),
      );
      return;
    }
    for (const office of this.#offices) office.tell(line, event.name === 'output' || event.name === 'resources');
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#handler = null;
    // Ours alone: another host may have taken the place of a socket that somebody removed.
    if (isSameSocket(await socketIdentity(this.path), this.#identity)) await unlink(this.path).catch(() => {});
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const office of this.#offices) office.end();
    await closed;
  }

  async #answer(command: unknown): Promise<CommandResult> {
    const handler = this.#handler;
    if (handler === null)
      return {
        success: false,
        error: errorToWire(new SemoError('host_lost', 'The host listens and does not serve sessions (yet).')),
      };
    return handler(command as Command);
  }
}

interface OfficeConnectionParts {
  readonly open: (listeners: FrameListeners) => FrameSocket;
  readonly answer: (command: unknown) => Promise<CommandResult>;
  readonly onClose: FrameListeners['onClose'];
}

class OfficeConnection {
  readonly #frames: FrameSocket;
  readonly #answer: OfficeConnectionParts['answer'];
  #isGreeted = false;
  #cancelGreeting: Cancel = () => {};

  constructor({ open, answer, onClose }: OfficeConnectionParts) {
    this.#answer = answer;
    this.#frames = open({
      onLine: (line) => this.#read(line),
      onClose: (error) => {
        this.#cancelGreeting();
        onClose(error);
      },
    });
  }

  greet(clock: Clock, timeoutMs: number): void {
    this.#frames.send({ kind: 'hello', protocol: PROTOCOL_VERSION });
    this.#cancelGreeting = clock.schedule(timeoutMs, () => {
      this.#frames.destroy(new SemoError('invalid_message', `A connection did not say hello within ${timeoutMs} ms.`));
    });
  }

  tell(line: Buffer, mayDrop: boolean): void {
    if (!this.#isGreeted) return;
    if (mayDrop && this.#frames.bufferedBytes + line.length > MAX_BUFFERED_OUTPUT_BYTES) return;
    this.#write(line);
  }

  /** Hangs up; at once on an office that does not read. */
  end(): void {
    if (this.#frames.bufferedBytes > 0) this.#frames.destroy();
    else this.#frames.end();
  }

  #read(line: string): void {
    const frame = decodeFrame(officeFrameSchema, line);
    if (frame.kind === 'refused') {
      this.#frames.destroy(new SemoError('not_supported', `An office hung up: ${frame.message}`));
      return;
    }
    if (frame.kind === 'hello') {
      if (frame.protocol !== PROTOCOL_VERSION) throw protocolMismatch(frame.protocol);
      this.#isGreeted = true;
      this.#cancelGreeting();
      return;
    }
    if (!this.#isGreeted) throw new SemoError('invalid_message', 'A command came before the hello.');
    void this.#answer(frame.command).then((result) => this.#reply(frame.seq, result));
  }

  #reply(seq: number, result: CommandResult): void {
    const line = encodeFrame({ kind: 'result', seq, result });
    if (line.length <= MAX_FRAME_BYTES) {
      this.#write(line);
      return;
    }
    const tooLong = new SemoError(
      'invalid_argument',
      `The answer has ${line.length} bytes, more than a frame carries (${MAX_FRAME_BYTES}). Ask for less at a time.`,
    );
    this.#frames.send({ kind: 'result', seq, result: { success: false, error: errorToWire(tooLong) } });
  }

  #write(line: Buffer): void {
    if (this.#frames.bufferedBytes > MAX_BUFFERED_BYTES) {
      this.#frames.destroy(
        new SemoError(
          'invalid_message',
          `An office left ${this.#frames.bufferedBytes} bytes unread; it was hung up on.`,
        ),
      );
      return;
    }
    this.#frames.sendEncoded(line);
  }
}
