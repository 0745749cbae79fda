import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { identify, isAlive, type ProcessIdentity } from '../../process/process-table.ts';
import { systemProcessTable } from '../../process/system-process-table.ts';
import { END_FILE, KEEPER_PID_FILE } from './output-keeper.ts';
import type { TmuxPlace } from './tmux-pane.ts';
import type { TmuxServer } from './tmux-server.ts';

/** Sees to it that a pane's end is told, whatever goes wrong around it. */
export class PaneVigil {
  readonly #server: TmuxServer;
  readonly #place: TmuxPlace;
  readonly #process: ProcessIdentity | null;
  #keeper: ProcessIdentity | null = null;
  #looksWithoutKeeper = 0;

  constructor(server: TmuxServer, place: TmuxPlace) {
    this.#server = server;
    this.#place = place;
    this.#process = identify(systemProcessTable, place.pid);
  }

  /** Whether nobody is left who could tell it. */
  async look(): Promise<boolean> {
    this.#keeper ??= await this.#findKeeper();
    const processLives = this.#process !== null && isAlive(systemProcessTable, this.#process);
    const keeperLives = this.#keeper === null || isAlive(systemProcessTable, this.#keeper);
    if ((processLives && keeperLives) || (await this.#isToldToEnd())) {
      this.#looksWithoutKeeper = 0;
      return false;
    }
    if (!processLives) await this.#rouse();
    this.#looksWithoutKeeper = keeperLives ? 0 : this.#looksWithoutKeeper + 1;
    // Two looks in a row, so that what it wrote last is read first.
    return this.#looksWithoutKeeper > 1;
  }

  /**
   * With libutempter tmux misses at times that a process has ended: as the pane's terminal closes, a helper takes it off the
   * list of users, and until the helper is done the signal that tells the end is lost. When another child of tmux ends, such
   * as this, it notices both.
   */
  async #rouse(): Promise<void> {
    await this.#server.run([['run-shell', ':']]).catch(() => undefined);
  }

  async #findKeeper(): Promise<ProcessIdentity | null> {
    const text = await readFile(join(this.#place.folder, KEEPER_PID_FILE), 'utf8').catch(() => '');
    if (!text.endsWith('\n')) return null;
    // It may have been killed before anybody looked.
    return identify(systemProcessTable, Number(text)) ?? { pid: Number(text), startTime: -1 };
  }

  #isToldToEnd(): Promise<boolean> {
    return access(join(this.#place.folder, END_FILE)).then(
      () => true,
      () => false,
    );
  }
}
