import type { TerminalSize } from '@semo-office/core';

/** How an agent's process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** What a terminal is opened with. */
export interface TerminalOptions {
  /** The program and its arguments; the program is an absolute path. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly size: TerminalSize;
  /** Called with every piece of output, in order. The bytes are the callee's only until it returns. */
  readonly onData: (bytes: Uint8Array) => void;
  /** Called with standard error where that comes apart: on pipes only. Default: it goes to `onData`. */
  readonly onErrorData?: ((bytes: Uint8Array) => void) | undefined;
  /** Called once, after the last byte of output. */
  readonly onExit: (exit: ProcessExit) => void;
}

/**
 * A process and its input and output: a pseudo-terminal, or plain pipes. The process leads its own group and session, so
 * that both can be signalled as one.
 */
export interface Terminal {
  readonly pid: number;
  /** The terminal's device, for example `/dev/pts/3`; `null` on pipes. */
  readonly device: string | null;
  /**
   * Writes in order and resolves when the kernel has everything.
   * @throws SemoError `session_terminated` when the process is gone or goes meanwhile.
   */
  write(bytes: Uint8Array | string): Promise<void>;
  /** Drops what the process has not taken yet; tells whether there was any. On pipes it cannot be taken back. */
  dropInput(): boolean;
  /** Ends the input: end of file on pipes, nothing on a terminal. */
  endInput(): void;
  resize(size: TerminalSize): void;
  /** Stops reading, so that the writer is held back; `resume` goes on. */
  pause(): void;
  resume(): void;
  /** Lets go of descriptors. The process is not killed by this. */
  close(): void;
}

/** Opens a {@link Terminal}. */
export type OpenTerminal = (options: TerminalOptions) => Terminal;
