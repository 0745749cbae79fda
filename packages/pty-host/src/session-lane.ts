import type { TurnInfo } from '@semo-office/core';

import type { AgentControl } from './agent/agent-driver.ts';
import type { LimitWatch } from './limit-watch.ts';
import type { LiveOutput } from './live-output.ts';
import type { LiveSessionOptions } from './live-session-options.ts';
import type { LiveStatus } from './live-state.ts';
import { SessionAsker } from './requests/session-asker.ts';
import { terminatedError } from './terminated-error.ts';
import { TurnLane } from './turn-lane.ts';

/** Whose turns they are. */
export interface SessionLaneParts {
  readonly agent: AgentControl;
  /** Aborts when the agent is gone or is to go. */
  readonly gone: AbortSignal;
  readonly output: LiveOutput;
  readonly limits: LimitWatch;
  readonly status: LiveStatus;
}

/** The lane of a session's turns, with all who are to hear of them. */
export function openSessionLane(options: LiveSessionOptions, parts: SessionLaneParts): TurnLane {
  const { spec, launch, clock, emit, requests, facts, notes } = options;
  const { agent, gone, output, limits, status } = parts;
  const { sessionId } = spec;
  /** A turn that is neither known to have ended nor to run would cost the session its next host. */
  const forgetWhenWritten = async ({ turnId }: TurnInfo): Promise<void> => {
    await facts.written();
    notes?.over(turnId);
  };
  return new TurnLane({
    sessionId,
    agent,
    monitor: launch.monitor,
    facts,
    clock,
    gone,
    outputEnd: () => output.log.end,
    count: () => limits.countTurn(),
    onSending: async (turn) => notes?.sending(turn),
    onTurn(event) {
      facts.onTurn(event, agent.conversationId ?? null);
      emit('turn', event);
      if (event.change === 'ended') void forgetWhenWritten(event.turn);
      status.look();
    },
    onOccupancy: () => status.look(),
    onTurnOver: () => requests.withdraw(sessionId, 'turn_over'),
    tooLate: () => terminatedError(sessionId),
  });
}

/** Who asks people what the agent wants to know in its turns. */
export function openSessionAsker(
  { spec, launch, clock, emit, requests }: LiveSessionOptions,
  { agent, lane }: Pick<SessionLaneParts, 'agent'> & { readonly lane: TurnLane },
): SessionAsker {
  return new SessionAsker({
    sessionId: spec.sessionId,
    requests,
    clock,
    turn: () => lane.current,
    keptConversation: () => (launch.keepsConversation === true ? (agent.conversationId ?? null) : null),
    onRequest: (event) => emit('request', event),
  });
}
