import type { OpenTerminal, ProcessExit, Terminal, TerminalOptions } from '../terminal.ts';
import { KeptOutput } from './kept-output.ts';
import { PaneVigil } from './pane-vigil.ts';
import { TmuxInput } from './tmux-input.ts';
import { readTmuxExit, removeTmuxPane, startTmuxPane, type TmuxPaneOptions, type TmuxPlace } from './tmux-pane.ts';
import type { TmuxServer } from './tmux-server.ts';

/** How much of what was read stays on disk for a next host. Default of a session's `maxOutputBytes`. */
const DEFAULT_READ_AGAIN_BYTES = 1024 * 1024;

/** A terminal in tmux, running before anybody reads it. */
export interface TmuxTerminal {
  readonly place: TmuxPlace;
  /** Begins to read; of its options only `onData` and `onExit` count. */
  readonly open: OpenTerminal;
  /** Stops reading. What runs in it goes on. */
  detach(): void;
  /** Removes its pane, and the server when it was the last. Its process, if it lives, is hung up on. */
  dispose(): Promise<void>;
}

/** What {@link adoptTmuxTerminal} takes up. */
export interface TmuxAdoption {
  readonly server: TmuxServer;
  readonly place: TmuxPlace;
  /** Where to go on in the output, in bytes since its beginning. Default 0. */
  readonly from?: number | undefined;
  /** How many bytes of output stay on disk for a next host. Default 1 MiB. */
  readonly readAgainBytes?: number | undefined;
}

/**
 * Starts a command in a window of tmux.
 *
 * @throws SemoError `agent_start_failed`.
 * @example
 * ```ts
 * const server = await openTmuxServer({ stateDir });
 * const tmux = await startTmuxTerminal(server, { key, folder, command, cwd, env, size });
 * const terminal = tmux.open({ command, cwd, env, size, onData, onExit });
 * ```
 */
export async function startTmuxTerminal(
  server: TmuxServer,
  options: TmuxPaneOptions & Pick<TmuxAdoption, 'readAgainBytes'>,
): Promise<TmuxTerminal> {
  const place = await startTmuxPane(server, options);
  return adoptTmuxTerminal({ server, place, readAgainBytes: options.readAgainBytes });
}

/**
 * Takes up a terminal that another process has started and left: the output goes on from an offset, with no gap and no
 * byte twice. One that has ended meanwhile tells the rest of its output, then its end.
 */
export function adoptTmuxTerminal(adoption: TmuxAdoption): TmuxTerminal {
  const { server, place } = adoption;
  let attached: Attached | null = null;
  return {
    place,
    open: (options) => (attached = attach(adoption, options)),
    detach: () => attached?.detach(),
    async dispose() {
      await removeTmuxPane(server, place.key);
      await server.leave();
    },
  };
}

type Attached = Terminal & Pick<TmuxTerminal, 'detach'>;

function attach(
  { server, place, from, readAgainBytes = DEFAULT_READ_AGAIN_BYTES }: TmuxAdoption,
  { onData, onExit }: TerminalOptions,
): Attached {
  const input = new TmuxInput(server, place);
  let state: 'open' | 'ending' | 'closed' = 'open';
  const end = async (): Promise<void> => {
    if (state !== 'open') return;
    state = 'ending';
    output.close();
    input.close();
    const exit: ProcessExit = await readTmuxExit(place.folder);
    if (state === 'ending') onExit(exit);
  };
  const vigil = new PaneVigil(server, place);
  const output = new KeptOutput({
    folder: place.folder,
    from,
    keepBytes: readAgainBytes,
    onData,
    onEnd: () => void end(),
    onLook: () => void vigil.look().then((lost) => (lost ? output.giveUp() : undefined)),
  });
  const detach = () => {
    state = 'closed';
    output.close();
    input.close();
  };
  return {
    pid: place.pid,
    device: place.device,
    write: (bytes) => input.write(typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes),
    dropInput: () => input.drop(),
    endInput() {
      // A terminal has no end of input of its own.
    },
    resize: (size) => input.resize(size),
    pause: () => output.pause(),
    resume: () => output.resume(),
    detach,
    close() {
      const wasOpen = state === 'open';
      detach();
      // As when the last descriptor of a pseudo-terminal is closed: what still runs in it is hung up on.
      if (wasOpen) removeTmuxPane(server, place.key).catch(() => undefined);
    },
  };
}
