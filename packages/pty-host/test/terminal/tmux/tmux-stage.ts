import { execFileSync } from 'node:child_process';
import type { SessionInfo } from '@semo-office/core';
import { optionalTool } from '@semo-office/testbed';

/** The tmux that tests run with. */
export const TMUX = optionalTool('tmux');

/** Asks the server that an `attachCommand` leads to. */
export function askTmux(info: Pick<SessionInfo, 'attachCommand'> | null, ...args: string[]): string {
  const socket = /-S (\S+)/.exec(info?.attachCommand ?? '')?.[1] ?? 'no socket';
  return execFileSync('tmux', ['-S', socket, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
}

/** The process in a session's terminal. */
export function processOf(info: SessionInfo | null): number {
  const pane = info?.terminalId?.split(':')[2] ?? '';
  return Number(askTmux(info, 'display-message', '-p', '-t', pane, '#{pane_pid}'));
}
