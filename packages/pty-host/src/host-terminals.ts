import { join } from 'node:path';
import { SemoError, isSemoError, type Clock, type ResolvedSessionSpec, type TerminalSize } from '@semo-office/core';

import type { Launch } from './agent/agent-driver.ts';
import type { JournaledSession } from './process/session-journal.ts';
import type { TerminalRecord } from './process/session-record.ts';
import { openPipes } from './terminal/pipes.ts';
import { openPty } from './terminal/pty-terminal.ts';
import type { OpenTerminal } from './terminal/terminal.ts';
import { keptRange } from './terminal/tmux/kept-output.ts';
import { findTmuxPane, removeTmuxPane, tmuxPaneSize } from './terminal/tmux/tmux-pane.ts';
import { openTmuxServer, TMUX_SESSION, type TmuxServer } from './terminal/tmux/tmux-server.ts';
import { adoptTmuxTerminal, startTmuxTerminal, type TmuxTerminal } from './terminal/tmux/tmux-terminal.ts';
import type { UndoList } from './undo-list.ts';

/** Which terminals a host opens. */
export type TerminalKind = NonNullable<ResolvedSessionSpec['terminal']>;

/** Options of {@link HostTerminals}. */
export interface HostTerminalsOptions {
  readonly stateDir: string;
  /** For sessions that do not say. */
  readonly kind: TerminalKind;
  /** Where tmux is looked for. */
  readonly path: string | undefined;
  readonly clock?: Clock | undefined;
}

/** What a session's terminal is opened for. */
export interface TerminalWish {
  readonly spec: ResolvedSessionSpec;
  readonly launch: Pick<Launch, 'over' | 'env'>;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly place: JournaledSession;
  readonly undo: UndoList;
}

/** A terminal, or pipes, that a session can be opened with. */
export interface ReadyTerminal {
  readonly open: OpenTerminal;
  /** Its name on this host; `null` where the agent's process id is it. */
  readonly id: string | null;
  /** What to run to watch it, where that can be done. */
  readonly attachCommand: string | null;
  /** Whether it goes on without this host. */
  readonly outlivesHost: boolean;
}

/** A terminal that another host has left, with what is kept of its output. */
export interface LeftTerminal extends ReadyTerminal, Pick<TmuxTerminal, 'detach'> {
  readonly pid: number;
  readonly size: TerminalSize;
  /** Offsets in the session's output. */
  readonly output: { readonly start: number; readonly end: number };
  /** Removes it, as an end of the session does. */
  remove(): Promise<void>;
}

/** The terminals of a host: its own, or in a tmux server that outlives it. */
export class HostTerminals {
  readonly #options: HostTerminalsOptions;
  #server: Promise<TmuxServer> | null = null;

  constructor(options: HostTerminalsOptions) {
    this.#options = options;
  }

  /** @throws SemoError `terminal_unavailable`, `not_supported`, `agent_start_failed`. */
  async prepare(wish: TerminalWish): Promise<ReadyTerminal> {
    const { spec, launch } = wish;
    if (launch.over === 'pipe') {
      if (spec.terminal === undefined) return ownTerminal(openPipes);
      throw new SemoError(
        'not_supported',
        'This agent is spoken with over pipes: leave `terminal` out of its session.',
      );
    }
    if (!this.usesTmux(spec)) return ownTerminal(openPty);
    return this.#inTmux(await this.#tmux(), wish);
  }

  /** Whether a session in a terminal gets one in tmux. */
  usesTmux({ terminal }: Pick<ResolvedSessionSpec, 'terminal'>): boolean {
    return (terminal ?? this.#options.kind) === 'tmux';
  }

  /** Finds the terminal of a session that another host has left; `null`: what ran in it has ended. */
  async find(
    { sessionId, maxOutputBytes }: Pick<ResolvedSessionSpec, 'sessionId' | 'maxOutputBytes'>,
    { folder }: TerminalRecord,
  ): Promise<LeftTerminal | null> {
    const server = await this.#tmux();
    const place = await findTmuxPane(server, sessionId);
    if (place === null || place.folder !== folder) return null;
    const { start, end, shift } = await keptRange(folder);
    const tmux = adoptTmuxTerminal({ server, place, from: start, readAgainBytes: maxOutputBytes });
    return {
      ...inTmux(server, tmux),
      pid: place.pid,
      size: await tmuxPaneSize(server, place),
      output: { start: start + shift, end: end + shift },
      detach: () => tmux.detach(),
      remove: () => tmux.dispose(),
    };
  }

  /** Removes what a session that nobody runs any more has left in tmux. */
  async remove(_terminal: TerminalRecord, sessionId: string): Promise<void> {
    try {
      const server = await this.#tmux();
      await removeTmuxPane(server, sessionId);
      await server.leave();
    } catch (thrown) {
      // Without tmux there is none of its servers to ask.
      if (!isSemoError(thrown, 'terminal_unavailable')) throw thrown;
    }
  }

  async #inTmux(server: TmuxServer, { spec, launch, command, cwd, place, undo }: TerminalWish): Promise<ReadyTerminal> {
    const key = spec.sessionId;
    const folder = join(place.folder, 'terminal');
    const record: TerminalRecord = { kind: 'tmux', socket: server.socket, session: TMUX_SESSION, pane: null, folder };
    await place.update({ terminal: record });
    undo.add(async () => {
      await removeTmuxPane(server, key);
      await server.leave();
    });
    const tmux = await startTmuxTerminal(server, {
      key,
      title: spec.agentId ?? key,
      folder,
      command,
      cwd,
      env: launch.env,
      size: spec.size,
      readAgainBytes: spec.maxOutputBytes,
      maxKeptBytes: spec.maxOutputBytes + 64 * 1024 * 1024,
    });
    await place.update({ terminal: { ...record, pane: tmux.place.pane } });
    return inTmux(server, tmux);
  }

  #tmux(): Promise<TmuxServer> {
    const { stateDir, path, clock } = this.#options;
    this.#server ??= openTmuxServer({ stateDir, path, clock });
    // It may be installed meanwhile.
    this.#server.catch(() => (this.#server = null));
    return this.#server;
  }
}

function ownTerminal(open: OpenTerminal): ReadyTerminal {
  return { open, id: null, attachCommand: null, outlivesHost: false };
}

function inTmux({ attachCommand }: TmuxServer, { open, place: { session, pane } }: TmuxTerminal): ReadyTerminal {
  return { open, id: `tmux:${session}:${pane}`, attachCommand, outlivesHost: true };
}
