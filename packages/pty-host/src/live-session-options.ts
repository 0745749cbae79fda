import type { Clock, ResolvedSessionSpec, SessionEventName, SessionEvents, TerminalSize } from '@semo-office/core';

import type { DriverReport, Launch, LeftTurn } from './agent/agent-driver.ts';
import type { ContainedStart } from './containment/contained-start.ts';
import type { SessionNotes, TurnNote } from './readoption/session-notes.ts';
import type { SessionFacts } from './recovery/session-facts.ts';
import type { HumanRequests } from './requests/human-requests.ts';
import type { OpenTerminal } from './terminal/terminal.ts';

/** A session as another host has left it. */
export interface LeftSession {
  readonly createdAt: number;
  /** Of its terminal, now. */
  readonly size: TerminalSize;
  /** What is kept of its output, as offsets. */
  readonly output: { readonly start: number; readonly end: number };
  /** The turn that runs; `null`: none does. */
  readonly turn: (LeftTurn & Pick<TurnNote, 'options' | 'sentAt'>) | null;
  /** See `LeftAgent`. */
  readonly turnsBefore: number;
  /** See `LeftAgent`. */
  readonly wasInterrupted: boolean;
}

/** What a live session is made of. */
export interface LiveSessionOptions {
  readonly spec: ResolvedSessionSpec;
  readonly folder: string;
  readonly launch: Launch;
  /** What is really started: the launch's command, contained and branded. */
  readonly start: ContainedStart;
  readonly open: OpenTerminal;
  /** Where a next host finds what it must know; `null`: the terminal does not outlive this one. */
  readonly notes: SessionNotes | null;
  /** What another host has left, where this session is not begun but gone on with. */
  readonly left?: LeftSession | undefined;
  readonly requests: HumanRequests;
  readonly facts: SessionFacts;
  readonly clock: Clock;
  readonly emit: <Name extends SessionEventName>(name: Name, event: SessionEvents[Name]) => void;
  /** Hears what the driver reports, whether it belongs to a turn or not. Default: nobody. */
  readonly onReport?: ((sessionId: string, report: DriverReport) => void) | undefined;
  /** Whether anybody listens to output. */
  readonly isHeard: () => boolean;
}
