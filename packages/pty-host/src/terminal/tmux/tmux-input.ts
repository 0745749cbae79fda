import { SemoError, type TerminalSize } from '@semo-office/core';

import { TmuxRefusal, type TmuxCommand, type TmuxServer } from './tmux-server.ts';
import type { TmuxPlace } from './tmux-pane.ts';

/** What one call hands over. More at once would only wait in the server's memory. */
const PIECE_BYTES = 256 * 1024;
const GONE = 'semo-gone';

type Step =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly done: () => void; readonly failed: Refuse }
  | { readonly kind: 'size'; readonly size: TerminalSize };
type Refuse = (error: SemoError) => void;

const gone = () => new SemoError('session_terminated', 'The agent has ended; nothing can be typed into its terminal.');

/**
 * Input of a pane, one call of tmux after the other. It goes through a paste buffer, not as keys: those would end in
 * the mode in which a watcher scrolls back, and a paste reaches the process byte for byte.
 */
export class TmuxInput {
  readonly #server: TmuxServer;
  readonly #place: TmuxPlace;
  #steps: Step[] = [];
  #busy = false;
  #open = true;

  constructor(server: TmuxServer, place: TmuxPlace) {
    this.#server = server;
    this.#place = place;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (!this.#open) return Promise.reject(gone());
    if (bytes.byteLength === 0) return Promise.resolve();
    return new Promise((done, failed) => {
      for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
        const last = at + PIECE_BYTES >= bytes.byteLength;
        const piece = bytes.slice(at, at + PIECE_BYTES);
        this.#steps.push({ kind: 'bytes', bytes: piece, done: last ? done : () => undefined, failed });
      }
      void this.#work();
    });
  }

  resize(size: TerminalSize): void {
    if (!this.#open) return;
    this.#steps.push({ kind: 'size', size });
    void this.#work();
  }

  /** What tmux has already cannot be taken back. */
  drop(): boolean {
    const dropped = this.#steps.filter((step) => step.kind === 'bytes');
    this.#steps = this.#steps.filter(({ kind }) => kind === 'size');
    for (const { failed } of dropped) failed(new SemoError('turn_cancelled', 'The rest of the input was dropped.'));
    return dropped.length > 0;
  }

  close(): void {
    this.#open = false;
    for (const step of this.#steps.splice(0)) if (step.kind === 'bytes') step.failed(gone());
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let step = this.#steps.shift(); step !== undefined; step = this.#steps.shift()) {
      try {
        if (step.kind === 'size') await this.#resize(step.size);
        else {
          await this.#paste(step.bytes);
          step.done();
        }
      } catch (thrown) {
        if (step.kind === 'bytes') step.failed(refusalOf(thrown));
      }
    }
    this.#busy = false;
  }

  async #paste(bytes: Uint8Array): Promise<void> {
    const { key, pane } = this.#place;
    const buffer = `semo-${key}`;
    const paste = `paste-buffer -r -d -b ${buffer} -t ${pane}`;
    const printed = await this.#server.run(
      [
        ['load-buffer', '-b', buffer, '-'],
        this.#ifAlive(paste, `delete-buffer -b ${buffer} ; display-message -p ${GONE}`),
      ],
      bytes,
    );
    if (printed.trim() === GONE) throw gone();
  }

  async #resize({ cols, rows }: TerminalSize): Promise<void> {
    await this.#server.run([this.#ifAlive(`resize-window -t ${this.#place.pane} -x ${cols} -y ${rows}`, '')]);
  }

  /** Another server may have given the number to another pane, and 3.3a dies of a paste into a dead one. */
  #ifAlive(command: string, otherwise: string): TmuxCommand {
    const { key, pane } = this.#place;
    const condition = `#{&&:#{==:#{@semo_key},${key}},#{==:#{pane_dead},0}}`;
    return ['if-shell', '-F', '-t', pane, condition, command, otherwise];
  }
}

function refusalOf(thrown: unknown): SemoError {
  if (thrown instanceof TmuxRefusal && (thrown.noServer || thrown.notFound)) return gone();
  return SemoError.from(thrown);
}
