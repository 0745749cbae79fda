import type { Clock, ResolvedSessionSpec, SessionEventName, SessionEvents } from '@semo-office/core';

import type { DriverReport, Launch } from './agent/agent-driver.ts';
import type { ContainedStart } from './containment/contained-start.ts';
import type { SessionFacts } from './recovery/session-facts.ts';
import type { HumanRequests } from './requests/human-requests.ts';
import type { OpenTerminal } from './terminal/terminal.ts';

/** What a a live session is made of. */
export interface LiveSessionOptions {
  readonly spec: ResolvedSessionSpec;
  readonly folder: string;
  readonly launch: Launch;
  /** What is really started: the launch's command, contained and branded. */
  readonly start: ContainedStart;
  readonly open: OpenTerminal;
  readonly requests: HumanRequests;
  readonly facts: SessionFacts;
  readonly clock: Clock;
  readonly emit: <Name extends SessionEventName>(name: Name, event: SessionEvents[Name]) => void;
  /** Hears what the driver reports, whether it belongs to a turn or not. Default: nobody. */
  readonly onReport?: ((sessionId: string, report: DriverReport) => void) | undefined;
  /** Whether anybody listens to output. */
  readonly isHeard: () => boolean;
}
