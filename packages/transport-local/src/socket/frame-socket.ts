import type { Socket } from 'node:net';

import { SemoError } from '@semo-office/core';

import { encodeFrame, type HostFrame, type OfficeFrame } from './frame.ts';
import { LineReader, MAX_FRAME_BYTES } from './line-reader.ts';

/** How long the other end may take to read our last words. */
const END_TIMEOUT_MS = 2000;
const MAX_REASON_LENGTH = 2000;

/** What a {@link FrameSocket} tells. */
export interface FrameListeners {
  /** A line arrived; what it throws closes the connection. */
  readonly onLine: (line: string) => void;
  /** The connection is over; `null` when nothing was wrong. Called once. */
  readonly onClose: (error: SemoError | null) => void;
}

/** A connection that carries lines. Whatever is wrong with it closes it and nothing else. */
export class FrameSocket {
  readonly #socket: Socket;
  #error: SemoError | null = null;

  constructor(socket: Socket, { onLine, onClose }: FrameListeners) {
    this.#socket = socket;
    const reader = new LineReader();
    socket.on('data', (chunk: Buffer) => {
      if (this.#error !== null) return;
      try {
        for (const line of reader.push(chunk)) {
          onLine(line);
          if (this.#error !== null) return;
        }
      } catch (thrown) {
        this.refuse(SemoError.from(thrown));
      }
    });
    socket.on('error', (thrown) => {
      this.#error ??= new SemoError('host_lost', `The connection broke: ${thrown.message}`, { cause: thrown });
    });
    socket.once('close', () => onClose(this.#error));
  }

  /** Bytes that were sent and not yet taken by the other end's kernel. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends a frame. @throws SemoError `invalid_argument`: longer than the other end would take. */
  send(frame: OfficeFrame | HostFrame): void {
    this.sendEncoded(encodeFrame(frame));
  }

  /** See {@link send}; for a frame that goes to many. */
  sendEncoded(line: Buffer): void {
    if (line.length > MAX_FRAME_BYTES + 1) {
      throw new SemoError(
        'invalid_argument',
        `A message of ${line.length} bytes is more than a frame carries (${MAX_FRAME_BYTES}). Ask for less at a time.`,
      );
    }
    if (this.#socket.writable) this.#socket.write(line);
  }

  /** Says why, and hangs up. */
  refuse(error: SemoError): void {
    if (this.#error !== null) return;
    this.#error = error;
    this.send({ kind: 'refused', message: error.message.slice(0, MAX_REASON_LENGTH) });
    this.end();
  }

  /** Hangs up when all that was sent is on its way. */
  end(): void {
    this.#socket.setTimeout(END_TIMEOUT_MS, () => this.#socket.destroy());
    this.#socket.end(() => this.#socket.destroy());
  }

  destroy(error?: SemoError): void {
    if (error !== undefined) this.#error ??= error;
    this.#socket.destroy();
  }
}
