import type { Clock, RequestFault, RequestStore, SessionFault, SessionStore } from '@semo-office/core';

import type { AgentDriver } from './agent/agent-driver.ts';
import type { ClaudeDriverOptions } from './agent/claude/home.ts';
import type { ContainmentOptions } from './containment/containment-options.ts';
import type { TerminalKind } from './host-terminals.ts';
import type { SessionLogOptions } from './logs/log-options.ts';
import type { SweepReport } from './process/session-sweep.ts';

/** Options of {@link createPtySessionManager}. */
export interface PtySessionManagerOptions {
  /** Folders a `path` workspace may be in. Default: anywhere. */
  readonly allowedRoots?: readonly string[] | undefined;
  /** Repositories that `git` workspaces may name, by id. Default none. */
  readonly repositories?: Readonly<Record<string, string>> | undefined;
  /** Where worktrees are made, as `agent/{role}/{taskId}` below it. Default `<stateDir>/worktrees`. */
  readonly worktreeRoot?: string | undefined;
  /** Where private folders and what is needed after a crash are kept. Default `$XDG_STATE_HOME/semo` or `~/.local/state/semo`. */
  readonly stateDir?: string | undefined;
  /** The environment agents may get named variables of. Default: this process's. */
  readonly hostEnv?: Readonly<Record<string, string | undefined>> | undefined;
  /** Which levels of containment sessions may have, and which they get. Default: the strongest that changes nothing for the agent. */
  readonly containment?: ContainmentOptions | undefined;
  /** How Claude Code is found and signed in. */
  readonly claude?: ClaudeDriverOptions | undefined;
  /**
   * Which terminals agents get whose session does not say: the host's own, or ones in tmux, which outlive it and can be
   * watched. With `tmux` a host goes on with the sessions that a killed one with the same `stateDir` has left there. What an
   * agent in tmux prints is not held back for a slow reader: beyond `maxOutputBytes` + 64 MiB the oldest is dropped. Default
   * `pty`.
   */
  readonly terminal?: TerminalKind | undefined;
  /** More agents, or other drivers for known ones. */
  readonly drivers?: readonly AgentDriver[] | undefined;
  /** How many terminated sessions can still be asked for their output. Default 64. */
  readonly rememberTerminated?: number | undefined;
  /** Told what hosts that were killed had left behind: what was gone on with, and what became of the rest. */
  readonly onSweep?: ((report: SweepReport) => void) | undefined;
  /**
   * Where requests to people are kept, so that they outlive this process. Default: a file each in `<stateDir>/requests`.
   * A store of your own belongs to one host alone.
   */
  readonly requestStore?: RequestStore | undefined;
  /** How long settled requests are kept, in milliseconds. Default 30 days. */
  readonly requestRetentionMs?: number | undefined;
  /** Told of a kept request that cannot be read, or one that cannot be kept. Default: nobody. */
  readonly onRequestFault?: ((fault: RequestFault) => void) | undefined;
  /**
   * Where sessions and prompts are written down, so that the next host knows what became of them. Default: files in
   * `<stateDir>/history`.
   */
  readonly sessionStore?: SessionStore | undefined;
  /**
   * Under which name this host writes there, and is told in `SessionInfo.hostId`; no other host may have it. Default: the
   * machine's name and the state folder, and nothing is told.
   */
  readonly hostId?: string | undefined;
  /** How long sessions and turns that have ended are kept there, in milliseconds. Default 30 days. */
  readonly sessionRetentionMs?: number | undefined;
  /** Told of what is written there and cannot be read, or could not be written. Default: nobody. */
  readonly onSessionFault?: ((fault: SessionFault) => void) | undefined;
  /** A log file for each session. Default: none. */
  readonly logs?: SessionLogOptions | undefined;
  /**
   * How often `resources` tells what each session uses, in milliseconds, at least 1 000, and only while somebody listens.
   * A look costs some milliseconds a process. Default 0: never.
   */
  readonly resourceSampleMs?: number | undefined;
  readonly clock?: Clock | undefined;
}
