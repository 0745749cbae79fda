import type { LiveSessionOptions } from './live-session-options.ts';
import type { Terminal, TerminalOptions } from './terminal/terminal.ts';

/** Starts a session's agent in its terminal; how it exits is told as the agent means it. */
export function openSessionTerminal(
  { start, launch, folder, spec, open }: LiveSessionOptions,
  { onData, onErrorData, onExit }: Required<Pick<TerminalOptions, 'onData' | 'onErrorData' | 'onExit'>>,
): Terminal {
  return open({
    command: start.command,
    cwd: folder,
    env: launch.env,
    size: spec.size,
    onData,
    onErrorData: launch.errorsApart === true ? onErrorData : undefined,
    onExit(exit) {
      const told = start.readExit(exit);
      onExit(launch.readExit?.(told) ?? told);
    },
  });
}
